"""What Glean and specs say in different words."""

import re
from collections.abc import Iterable, Mapping
from typing import Final

from telemetry.core.enums import PrivacyLevel, PropertyType

__all__ = [
    "CATEGORY_OF_LEVEL",
    "EXTRA_TYPES",
    "METRIC_TYPES",
    "PING_TAG",
    "SENSITIVITIES",
    "SENSITIVITY_TAG",
    "email_of_owner",
    "level_of",
    "owner_of_email",
]

# Source: Mozilla's data collection categories 1 to 4; ``stored_content`` is the newer word for ``web_activity``.
SENSITIVITIES: Final[Mapping[str, PrivacyLevel]] = {
    "technical": PrivacyLevel.INTERNAL,
    "interaction": PrivacyLevel.INTERNAL,
    "web_activity": PrivacyLevel.PII,
    "stored_content": PrivacyLevel.PII,
    "highly_sensitive": PrivacyLevel.SENSITIVE,
}
# The category that alone says no more than the level. Glean has none for what anybody may know.
CATEGORY_OF_LEVEL: Final[Mapping[PrivacyLevel, str]] = {
    PrivacyLevel.PUBLIC: "technical",
    PrivacyLevel.INTERNAL: "technical",
    PrivacyLevel.PII: "stored_content",
    PrivacyLevel.SENSITIVE: "highly_sensitive",
}
SENSITIVITY_TAG: Final = "sensitivity:"
PING_TAG: Final = "ping:"
# Types of the values that events carry.
EXTRA_TYPES: Final[Mapping[str, PropertyType]] = {
    "string": PropertyType.STRING,
    "boolean": PropertyType.BOOLEAN,
    "quantity": PropertyType.NUMBER,
}
# Types of metrics that are no events, by the type of what is recorded at a time.
METRIC_TYPES: Final[Mapping[str, PropertyType]] = {
    "boolean": PropertyType.BOOLEAN,
    "string": PropertyType.STRING,
    "string_list": PropertyType.JSON,
    "counter": PropertyType.NUMBER,
    "quantity": PropertyType.NUMBER,
    "timespan": PropertyType.NUMBER,
    "timing_distribution": PropertyType.NUMBER,
    "memory_distribution": PropertyType.NUMBER,
    "custom_distribution": PropertyType.NUMBER,
    "datetime": PropertyType.TIMESTAMP,
    "uuid": PropertyType.STRING,
    "url": PropertyType.STRING,
    "jwe": PropertyType.STRING,
    "text": PropertyType.STRING,
    "object": PropertyType.JSON,
}
_EMAIL: Final = re.compile(r"([A-Za-z0-9_.-]+)@([A-Za-z0-9.-]+)").fullmatch
_OWNER: Final = re.compile(r"@([A-Za-z0-9.-]+\.[A-Za-z0-9-]+)/([A-Za-z0-9_.-]+)").fullmatch


def level_of(categories: Iterable[str]) -> PrivacyLevel:
    """The level of the most sensitive of the categories, of which there is one at least."""
    return max((SENSITIVITIES[category] for category in categories), key=lambda level: level.rank)


def owner_of_email(address: str) -> str | None:
    """``@mozilla.org/team`` for ``team@mozilla.org``; ``None`` for what cannot be the name of an owner."""
    found = _EMAIL(address)
    owner = f"@{found[2]}/{found[1]}" if found else ""
    return owner if owner and email_of_owner(owner) == address and len(owner) <= 100 else None


def email_of_owner(owner: str) -> str | None:
    """The address that such an owner stands for; ``None`` for other owners."""
    found = _OWNER(owner)
    return f"{found[2]}@{found[1]}" if found else None
