"""The one setting that a redaction may have, as people type it."""

from typing import Any

from telemetry.core.enums import RedactionStrategy, TimeUnit
from telemetry.core.spec import Redaction

__all__ = ["number_of", "setting_document", "setting_text", "text_of_number"]


def setting_text(redaction: Redaction | None) -> str:
    """What stands in the field: characters kept, width of a range, day or month."""
    if redaction is None:
        return ""
    settings = (redaction.length, redaction.unit, redaction.bucket)
    return text_of_number(next((setting for setting in settings if setting is not None), ""))


def setting_document(strategy: str, setting: str) -> dict[str, Any]:
    """The setting under the key that its strategy and form ask for; the core says what is wrong with it."""
    if not setting:
        return {}
    if setting in tuple(TimeUnit):
        return {"unit": setting}
    number = number_of(setting)
    if strategy == RedactionStrategy.GENERALISE:
        return {"bucket": number} if number is not None else {"unit": setting}
    return {"length": setting if number is None else number}


def number_of(text: str) -> float | int | None:
    """The number that the text stands for, whole if it is; ``None`` if it is none."""
    try:
        number = float(text)
    except ValueError:
        return None
    return int(number) if number.is_integer() else number


def text_of_number(value: Any) -> str:
    """The value as one types it: whole numbers without a point."""
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)
