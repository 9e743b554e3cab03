"""Every way in which the schema of an event can change, with what it means here and in SchemaVer."""

from collections.abc import Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Final, NamedTuple

from telemetry.core.enums import ChangeClass

__all__ = ["SCHEMA_RULES", "SchemaRule", "VersionPart"]


class VersionPart(StrEnum):
    """The part of a version ``model-revision-addition`` that a change raises. ``part.rank`` orders them.

    Source: SchemaVer, https://docs.snowplow.io/docs/api-reference/iglu/common-architecture/schemaver. *Model*: no old
    data fits any more; *revision*: some may not; *addition*: all does.
    """

    ADDITION = "addition"
    REVISION = "revision"
    MODEL = "model"

    @property
    def rank(self) -> int:
        """0 for ``addition`` up to 2 for ``model``."""
        return tuple(VersionPart).index(self)


class SchemaRule(NamedTuple):
    """The class of a change as ``telemetry.core.diff`` has it, the part that SchemaVer's definition raises, and why."""

    severity: ChangeClass
    part: VersionPart
    reason: str


def _breaking(part: VersionPart, reason: str) -> SchemaRule:
    return SchemaRule(ChangeClass.BREAKING, part, reason)


def _risky(reason: str) -> SchemaRule:
    return SchemaRule(ChangeClass.RISKY, VersionPart.ADDITION, reason)


def _safe(reason: str) -> SchemaRule:
    return SchemaRule(ChangeClass.SAFE, VersionPart.ADDITION, reason)


SCHEMA_RULES: Final[Mapping[str, SchemaRule]] = MappingProxyType(
    {
        # Types, which readers rely on as much as senders
        "type_removed": _breaking(VersionPart.MODEL, "Values of a type that was taken are refused."),
        "type_added": _breaking(VersionPart.MODEL, "Stored values of one name have more types than readers were told."),
        "stored_type_changed": _breaking(
            VersionPart.MODEL, "A column that holds the old values, such as a 16-bit number, cannot hold the new ones."
        ),
        "null_removed": _breaking(VersionPart.MODEL, "Events without the value are refused."),
        "null_added": _risky("Readers were promised a value."),
        # Properties
        "required_property_added": _breaking(VersionPart.MODEL, "Events of apps that do not know it are refused."),
        "became_required": _breaking(VersionPart.MODEL, "Events of apps that leave it out are refused."),
        "required_property_removed": _breaking(VersionPart.MODEL, "Readers were promised it with every event."),
        "closed_property_removed": _breaking(VersionPart.REVISION, "Events that still carry it are refused."),
        "optional_property_added": _safe("Apps may leave it out."),
        "optional_property_removed": _risky("Readers get no more of it; they never got it with every event."),
        "became_optional": _risky("Readers were promised it with every event."),
        # Objects
        "object_closed": _breaking(VersionPart.REVISION, "Events with properties that nobody declared are refused."),
        "object_opened": _risky("Events may carry properties that nobody declared."),
        # Values
        "values_narrowed": _breaking(VersionPart.REVISION, "Values that were taken are refused."),
        "values_widened": _risky("Readers get values that they were told would not come."),
        "restated": _safe("It admits the same values in another way."),
        "unknown_keyword_changed": _breaking(
            VersionPart.REVISION, "What is not understood here is not promised to be harmless."
        ),
        # The rest
        "wording_changed": _safe("Texts are for people."),
    }
)
