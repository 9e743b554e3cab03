"""Properties of an event, or of the context."""

from collections.abc import Iterator, Mapping
from typing import NamedTuple

from telemetry.core.diff.changes import Change, make_change
from telemetry.core.diff.fields import FieldRules, diff_fields, plainly
from telemetry.core.diff.keys import diff_order, merged_keys
from telemetry.core.enums import PrivacyLevel, PropertyType, UndeclaredPolicy
from telemetry.core.paths import key_path
from telemetry.core.redaction import required_redaction, undeclared_redaction
from telemetry.core.spec import PropertyDefinition
from telemetry.core.tightening import join_redaction
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["PropertyScope", "diff_properties"]

Properties = Mapping[str, PropertyDefinition]


class PropertyScope(NamedTuple):
    """What decides how properties are hidden: the levels before and after, and the policy for undeclared ones after.

    An event has one level before and one after; the context has those of every event that it comes with.
    """

    levels: tuple[tuple[PrivacyLevel, PrivacyLevel], ...]
    undeclared: UndeclaredPolicy

    def is_released(self, definition: PropertyDefinition) -> bool:
        """Whether values of the property were hidden, and pass as they are once it is not declared any more."""
        return any(
            required_redaction(definition, before) is not None
            and undeclared_redaction(definition.type, self.undeclared, after) is None
            for before, after in self.levels
        )


def diff_properties(
    path: str, before: Properties | None, after: Properties | None, scope: PropertyScope
) -> Iterator[Change]:
    """The changes of the properties at this place; a missing mapping is an empty one."""
    old_ones, new_ones = before or EMPTY_MAPPING, after or EMPTY_MAPPING
    for name in merged_keys(old_ones, new_ones):
        place, old, new = key_path(path, name), old_ones.get(name), new_ones.get(name)
        if old is None:
            yield make_change(place, _rule_of_added(new), None, new, f"{_described(new)} was added")
        elif new is None:
            rule = _rule_of_removed(old, scope)
            yield make_change(place, rule, old, None, f"{_described(old)} was removed")
        elif old != new:
            yield from diff_fields(place, old, new, _rules(old, new, scope))
    yield from diff_order(path, old_ones, new_ones)


def _described(definition: PropertyDefinition | None) -> str:
    if definition is None:
        return "nothing"
    need = "a required" if definition.required else "an optional"
    return f"{need} property of type {definition.type}"


def _rule_of_added(definition: PropertyDefinition | None) -> str:
    if definition is None or definition.required:
        return "required_property_added"
    return "personal_property_added" if definition.pii else "optional_property_added"


def _rule_of_removed(definition: PropertyDefinition, scope: PropertyScope) -> str:
    if scope.undeclared is UndeclaredPolicy.QUARANTINE:
        return "quarantined_property_removed"
    if definition.required:
        return "required_property_removed"
    return "hidden_property_released" if scope.is_released(definition) else "optional_property_removed"


def _rules(old: PropertyDefinition, new: PropertyDefinition, scope: PropertyScope) -> FieldRules:
    protection = plainly(_rule_of_protection(old, new, scope))
    return {
        "type": _diff_type,
        "required": _diff_required,
        "pii": plainly(_rule_of_flag(old, new, scope)),
        "redact": protection,
        "redaction": protection,
        "description": plainly("wording_changed"),
        "allowed_values": _diff_allowed_values,
        "unit": _diff_unit,
    }


def _diff_type(path: str, before: PropertyType, after: PropertyType) -> Iterator[Change]:
    # Timestamps are text, and json is any value.
    is_wider = after is PropertyType.JSON or (before, after) == (PropertyType.TIMESTAMP, PropertyType.STRING)
    yield make_change(path, "type_widened" if is_wider else "type_changed", before, after)


def _diff_required(path: str, before: bool, after: bool) -> Iterator[Change]:
    message = "an optional property became required" if after else "a required property became optional"
    yield make_change(path, "became_required" if after else "became_optional", before, after, message)


def _rule_of_protection(old: PropertyDefinition, new: PropertyDefinition, scope: PropertyScope) -> str:
    """What the flags of both, each at its own level, make of the values."""
    found = [(required_redaction(old, before), required_redaction(new, after)) for before, after in scope.levels]
    if all(was == now for was, now in found):
        return "restated"
    is_tighter = all(join_redaction(was, now) == now for was, now in found)
    return "redaction_tightened" if is_tighter else "redaction_loosened"


def _rule_of_flag(old: PropertyDefinition, new: PropertyDefinition, scope: PropertyScope) -> str:
    rule = _rule_of_protection(old, new, scope)
    return "pii_flag_cleared" if rule == "restated" and old.pii else rule


def _diff_allowed_values(path: str, before: tuple[object, ...], after: tuple[object, ...]) -> Iterator[Change]:
    if set(before) == set(after):
        yield make_change(path, "restated", before, after)
        return
    is_narrower = bool(after) and not (before and set(before) <= set(after))
    yield make_change(path, "values_narrowed" if is_narrower else "values_widened", before, after)


def _diff_unit(path: str, before: str, after: str) -> Iterator[Change]:
    rule = "unit_declared" if not before else "unit_changed" if after else "unit_withdrawn"
    yield make_change(path, rule, before, after)
