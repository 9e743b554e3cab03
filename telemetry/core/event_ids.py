"""What an event's id tells: the day on which it was minted, and the form in which it may be kept."""

import hmac
from datetime import UTC, date, datetime
from typing import Final
from uuid import UUID

__all__ = ["day_inside", "kept_id"]

_VERSION_WITH_TIME: Final = 7
_VERSION_OF_OUR_OWN: Final = 8
# Source: RFC 9562, section 4.1: the variant's two bits, and section 4.2: the version's four.
_VARIANT: Final = 0b10 << 62
_RANDOM_LOW: Final = (1 << 62) - 1
_VERSION_SHIFT: Final = 76
_VERSION_BITS: Final = 0xF << _VERSION_SHIFT
_LOW_HALF: Final = (1 << 64) - 1


def kept_id(text: str, secret: bytes) -> UUID:
    """The event's id as it is stored and passed on: a UUID as it came, any other text as a keyed UUID of version 8.

    Other ids are whatever a client made up, perhaps of a name; the same text under the same secret gives the same UUID.
    Source: RFC 9562, section 5.8.
    """
    # Only the usual form: UUID() also takes braces, urn: and hyphens anywhere, which would make two texts one id.
    if len(text) == 36 and text[8] == text[13] == text[18] == text[23] == "-":
        try:
            return UUID(text)
        except ValueError:
            pass
    value = int.from_bytes(hmac.digest(secret, text.encode(), "sha256")[:16])
    low = (value & _RANDOM_LOW) | _VARIANT
    return UUID(int=(value & ~_VERSION_BITS & ~_LOW_HALF) | (_VERSION_OF_OUR_OWN << _VERSION_SHIFT) | low)


def day_inside(event_id: UUID) -> date | None:
    """The day (UTC) on which a UUID of version 7 was minted; ``None`` for other versions, which do not tell."""
    value = event_id.int
    if (value >> _VERSION_SHIFT) & 0xF != _VERSION_WITH_TIME or (value >> 62) & 0b11 != 0b10:
        return None
    try:
        return datetime.fromtimestamp((value >> 80) / 1000, UTC).date()
    except (OverflowError, ValueError, OSError):
        # 48 bits of milliseconds reach the year 10889, beyond what a date can hold.
        return date.max
