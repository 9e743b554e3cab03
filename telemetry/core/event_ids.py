"""What an event's id tells: the day on which it was minted, and the form in which it may be kept."""

import hmac
import re
from collections.abc import Sequence
from struct import iter_unpack
from typing import Final
from uuid import UUID

import msgspec

__all__ = ["KeptId", "keep_id", "keep_ids", "kept_id"]

# Only the usual form: UUID() also takes braces, urn: and hyphens anywhere, which would make two texts one id.
_is_uuid: Final = re.compile(r"[0-9A-Fa-f]{8}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{4}-[0-9A-Fa-f]{12}").fullmatch
# Many of version 7, as senders write them: in lower case, a line each.
_are_dated: Final = re.compile(r"(?:[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\n)*+").fullmatch
_LINE: Final = 37
_MILLISECONDS_A_DAY: Final = 86_400_000
# In the first half of an id the milliseconds stand before 16 other bits.
_UNITS_A_DAY: Final = _MILLISECONDS_A_DAY << 16
# The ordinal of 1 January 1970, from which the milliseconds inside an id count.
_EPOCH_DAY: Final = 719_163


class KeptId(msgspec.Struct, frozen=True, gc=False):
    """An event's id as it is stored and passed on: a UUID as ``text`` and as its 16 bytes.

    ``day`` is the ordinal of the day (UTC) inside a UUID of version 7; ``None`` for other versions, which do not tell.
    """

    text: str
    content: bytes
    day: int | None


def keep_id(text: str, secret: bytes) -> KeptId:
    """A UUID in the usual form as it came, in lower case; any other text as a keyed UUID of version 8.

    Other ids are whatever a client made up, perhaps of a name; the same text under the same secret gives the same UUID.
    Source: RFC 9562, sections 4.1 and 4.2 (variant and version), 5.7 (version 7) and 5.8 (version 8).
    """
    # Text and bytes rather than a UUID, of which building one takes as long as all of this.
    if _is_uuid(text) is None:
        kept = _keyed(text, secret)
        return KeptId(str(kept), kept.bytes, None)
    content = bytes.fromhex(text.replace("-", ""))
    has_time = content[6] >> 4 == 7 and content[8] >> 6 == 0b10
    day = int.from_bytes(content[:6]) // _MILLISECONDS_A_DAY + _EPOCH_DAY if has_time else None
    return KeptId(text.lower(), content, day)


def keep_ids(texts: Sequence[str], secret: bytes) -> list[KeptId]:
    """What ``keep_id`` gives for each; of UUIDs of version 7 in lower case in half the time."""
    lines = "\n".join(texts) + "\n"
    # As many lines as texts, so that no text is several lines.
    if len(lines) != _LINE * len(texts) or _are_dated(lines) is None:
        return [keep_id(text, secret) for text in texts]
    # Reads over ends of lines.
    whole = bytes.fromhex(lines.replace("-", ""))
    contents = (content for (content,) in iter_unpack("16s", whole))
    days = [high // _UNITS_A_DAY + _EPOCH_DAY for high, _ in iter_unpack("!QQ", whole)]
    return list(map(KeptId, texts, contents, days))


def kept_id(text: str, secret: bytes) -> UUID:
    """The id that ``keep_id`` keeps, as a UUID."""
    return UUID(bytes=keep_id(text, secret).content)


def _keyed(text: str, secret: bytes) -> UUID:
    mixed = bytearray(hmac.digest(secret, text.encode("utf-8", "surrogatepass"), "sha256")[:16])
    mixed[6] = 0x80 | mixed[6] & 0x0F
    mixed[8] = 0x80 | mixed[8] & 0x3F
    return UUID(bytes=bytes(mixed))
