"""Timestamps in payloads: RFC 3339 text with a zone in, RFC 3339 text in UTC out."""

import re
from datetime import UTC, datetime

__all__ = ["MASKED_TIMESTAMP", "format_timestamp", "is_timestamp", "parse_timestamp"]

# What stands in for a hidden timestamp: valid, and plainly not the real one.
MASKED_TIMESTAMP = "1970-01-01T00:00:00Z"

# Source: RFC 3339, section 5.6; it admits a space or lower-case letters, and demands a zone. ``fromisoformat``
# alone would also take dates without time, week dates and times without zone.
_RFC_3339 = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]{1,9})?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})"
).fullmatch

# Those that name an instant by their form alone: in UTC, and on a day that every month has.
_is_certain = re.compile(
    r"(?:[1-9][0-9]{3}|0[0-9]{2}[1-9])-(?:0[1-9]|1[0-2])-(?:0[1-9]|1[0-9]|2[0-8])"
    r"T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?Z"
).fullmatch


def is_timestamp(text: str) -> bool:
    """Whether ``parse_timestamp`` has an instant for the text."""
    return _is_certain(text) is not None or parse_timestamp(text) is not None


def parse_timestamp(text: str) -> datetime | None:
    """The instant in UTC that the text names, or ``None`` when it is not an RFC 3339 timestamp with a zone.

    Digits after the microsecond are cut. Leap seconds (``:60``) are refused, as no clock of ours can hold them;
    so are instants that fall outside the years 1 to 9999 once they are in UTC.
    """
    if _RFC_3339(text) is None:
        return None
    try:
        instant = datetime.fromisoformat(text.upper())
        return instant if instant.tzinfo is UTC else instant.astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def format_timestamp(instant: datetime) -> str:
    """RFC 3339 text of an aware instant, in UTC with a final ``Z``; microseconds only when there are any."""
    return instant.astimezone(UTC).isoformat().replace("+00:00", "Z")
