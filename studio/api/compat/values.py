"""Reading single values that a foreign client sent; whatever they are, nothing here raises."""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from telemetry.core.intake import is_identifier
from telemetry.core.timestamps import parse_timestamp

__all__ = ["app_version_of", "identifier_of", "instant_of", "instant_of_milliseconds", "mapping_of", "text_of"]

EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Releases by number, name and build: "1.4.2", "2024-11-22", "1.4.2+118", "v7-rc.1". No "@" and no blanks, so that no
# address and no person's name fits; a version stands beside violations, where nothing personal may be.
_APP_VERSION: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:+-]{0,63}").fullmatch


def text_of(value: object) -> str | None:
    """The text, or the digits of a whole number, which clients take for ids too; ``None`` for all else, and for ""."""
    if isinstance(value, str):
        return value or None
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else None


def identifier_of(value: object) -> str | None:
    """The text if it reads like an identifier, and so holds no address."""
    text = text_of(value)
    return text if text is not None and is_identifier(text) else None


def app_version_of(value: object) -> str | None:
    """The release of the app, if it reads like one."""
    text = text_of(value)
    return text if text is not None and _APP_VERSION(text) else None


def mapping_of(value: object) -> Mapping[str, Any]:
    """The object, or an empty one."""
    return value if isinstance(value, dict) else {}


def instant_of(value: object) -> datetime | None:
    """The instant in UTC that an ISO 8601 text names; without a zone it is taken as UTC, as these clients mean it."""
    if not isinstance(value, str):
        return None
    return parse_timestamp(value) or parse_timestamp(f"{value}Z")


def instant_of_milliseconds(value: object) -> datetime | None:
    """The instant that is so many milliseconds after the epoch, from a number or its digits."""
    if not isinstance(value, str | int | float):
        return None
    try:
        return EPOCH + timedelta(milliseconds=float(value))
    except (ValueError, OverflowError):
        return None
