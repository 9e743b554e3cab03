"""Comparing two schemas of one event, with the facts that properties of a spec have no place for."""

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

import msgspec

from telemetry.core.codec import encode_document
from telemetry.core.enums import ChangeClass
from telemetry.core.json_types import types_of
from telemetry.core.paths import key_path
from telemetry.core.values import EMPTY_MAPPING
from telemetry.formats.json_schema.nodes import longest_text, lower_bound, stored_type, upper_bound
from telemetry.formats.json_schema.reading import EventSchema
from telemetry.formats.json_schema.rules import SCHEMA_RULES, VersionPart

__all__ = ["SchemaChange", "SchemaComparison", "compare_schemas"]

Node = Mapping[str, Any]


class SchemaChange(msgspec.Struct, frozen=True):
    """One place at which two schemas differ; ``rule`` is a name in ``SCHEMA_RULES``, ``path`` one in the event."""

    path: str
    rule: str
    message: str

    @property
    def severity(self) -> ChangeClass:
        """The class of the rule."""
        return SCHEMA_RULES[self.rule].severity

    @property
    def part(self) -> VersionPart:
        """The part of a version that the rule raises by SchemaVer's definition."""
        return SCHEMA_RULES[self.rule].part


class SchemaComparison(msgspec.Struct, frozen=True):
    """All changes from one schema to another, in the order of the newer one."""

    changes: tuple[SchemaChange, ...]

    @property
    def severity(self) -> ChangeClass:
        """The worst class; ``safe`` without any change."""
        return max((change.severity for change in self.changes), key=lambda each: each.rank, default=ChangeClass.SAFE)

    @property
    def part(self) -> VersionPart:
        """The part of the version to raise by SchemaVer's definition; an addition is the least."""
        return max((change.part for change in self.changes), key=lambda each: each.rank, default=VersionPart.ADDITION)


def compare_schemas(before: EventSchema, after: EventSchema) -> SchemaComparison:
    """Every difference between two versions of an event's schema that matters to senders or readers.

    A keyword that is not understood (``oneOf``, ``$ref``, ...) counts as breaking when it differs.
    """
    return SchemaComparison(changes=tuple(_compare("", before.root, after.root)))


def _compare(path: str, before: Any, after: Any) -> Iterator[SchemaChange]:
    """The changes of one schema and of those in it."""
    before, after = (EMPTY_MAPPING if each is True else each for each in (before, after))
    if before is False or after is False:
        # As a schema, false admits nothing.
        if before is not after:
            yield _change(path, "values_widened" if before is False else "values_narrowed", before, after)
        return
    yield from _compare_types(path, before, after)
    for keyword in sorted((before.keys() | after.keys()) - _ELSEWHERE):
        old, new = before.get(keyword), after.get(keyword)
        if encode_document(old) != encode_document(new):
            yield _change(key_path(path, keyword), _rule(keyword, before, after), old, new)
    yield from _compare_properties(path, before, after)
    yield from _compare_items(path, before, after)


def _change(path: str, rule: str, before: object, after: object) -> SchemaChange:
    return SchemaChange(path, rule, f"{_show(before)} became {_show(after)}")


def _show(value: object) -> str:
    text = "nothing" if value is None else encode_document(value).decode()
    return text if len(text) <= 80 else f"{text[:80]}..."


# Types


def _compare_types(path: str, before: Node, after: Node) -> Iterator[SchemaChange]:
    old, new = types_of(before), types_of(after)
    place, said = key_path(path, "type"), (before.get("type"), after.get("type"))
    for gone, rule, null_rule in ((old - new, "type_removed", "null_removed"), (new - old, "type_added", "null_added")):
        if gone:
            yield _change(place, null_rule if gone == {"null"} else rule, *said)
    was, now = stored_type(before), stored_type(after)
    if old - {"null"} == new - {"null"} and was != now and not _is_narrower_integer(was, now):
        yield SchemaChange(place, "stored_type_changed", f"stored as {was} became {now}")


def _is_narrower_integer(before: str, after: str) -> bool:
    """Whether the column still holds everything; what is refused then is found among the bounds."""
    return before.startswith("integer") and int(after.split()[2]) < int(before.split()[2])


# Values

# Given two schemas, how the newer one judges values: 1 more strictly, -1 less, 0 alike.
Judge = Callable[[Node, Node], int]


def _rule(keyword: str, before: Node, after: Node) -> str:
    """The rule of a keyword that differs."""
    if keyword in _TEXTS:
        return "wording_changed"
    judge = _JUDGES.get(keyword)
    if judge is None:
        return "unknown_keyword_changed"
    return ("values_widened", "restated", "values_narrowed")[judge(before, after) + 1]


def _rising(read: Callable[[Node], Any]) -> Judge:
    """What is read is stricter the greater it is."""
    return lambda before, after: (read(after) > read(before)) - (read(after) < read(before))


def _falling(read: Callable[[Node], Any]) -> Judge:
    """What is read is stricter the smaller it is."""
    return lambda before, after: (read(after) < read(before)) - (read(after) > read(before))


def _keyword(keyword: str, without: float) -> Callable[[Node], Any]:
    return lambda node: node.get(keyword, without)


def _presence(keyword: str) -> Judge:
    """Stricter when the keyword is there afterwards, whatever it says: another pattern refuses something."""
    return lambda _before, after: 1 if keyword in after else -1


def _judge_enum(before: Node, after: Node) -> int:
    """Stricter when values are listed now, or one of those that were is gone."""
    if "enum" not in before or "enum" not in after:
        return 1 if "enum" in after else -1
    old, new = ({encode_document(value) for value in node["enum"]} for node in (before, after))
    return 0 if old == new else -1 if old < new else 1


def _judge_multiple(before: Node, after: Node) -> int:
    if "multipleOf" not in before or "multipleOf" not in after:
        return 1 if "multipleOf" in after else -1
    times = before["multipleOf"] / after["multipleOf"]
    return -1 if math.isclose(times, round(times)) else 1


_JUDGES: Final[Mapping[str, Judge]] = {
    "minimum": _rising(lower_bound),
    "exclusiveMinimum": _rising(lower_bound),
    # The bound is negated, and so rises as it gets stricter.
    "maximum": _rising(upper_bound),
    "exclusiveMaximum": _rising(upper_bound),
    "multipleOf": _judge_multiple,
    "minLength": _rising(_keyword("minLength", 0)),
    "maxLength": _falling(longest_text),
    "minItems": _rising(_keyword("minItems", 0)),
    "maxItems": _falling(_keyword("maxItems", math.inf)),
    "uniqueItems": _rising(_keyword("uniqueItems", False)),
    "minProperties": _rising(_keyword("minProperties", 0)),
    "maxProperties": _falling(_keyword("maxProperties", math.inf)),
    "format": _presence("format"),
    "pattern": _presence("pattern"),
    "const": _presence("const"),
    "enum": _judge_enum,
}
# Keywords that say nothing about values; "$supersedes" and its like speak of other versions.
_TEXTS: Final = frozenset(
    (
        *("$comment", "$id", "$schema", "$supersededBy", "$supersedes"),
        *("default", "description", "examples", "id", "title"),
    )
)
# Keywords that are compared by themselves, or that differ between any two versions.
_ELSEWHERE: Final = frozenset(("additionalProperties", "items", "properties", "required", "self", "type"))


# Objects and lists


def _compare_properties(path: str, before: Node, after: Node) -> Iterator[SchemaChange]:
    old_ones, new_ones = before.get("properties", EMPTY_MAPPING), after.get("properties", EMPTY_MAPPING)
    was_required, is_required = set(before.get("required", ())), set(after.get("required", ()))
    # A schema for undeclared properties has judged what is declared now, and judges what no longer is. Without one,
    # nobody has planned them, and nothing is lost.
    for name, new in new_ones.items():
        place = key_path(path, name)
        if name in old_ones:
            yield from _compare(place, old_ones[name], new)
        else:
            rule = "required_property_added" if name in is_required else "optional_property_added"
            yield SchemaChange(place, rule, "was added")
            if isinstance(_undeclared(before), Mapping):
                yield from _compare(place, _undeclared(before), new)
    for name in old_ones:
        if name not in new_ones:
            place = key_path(path, name)
            yield SchemaChange(place, _rule_of_removed(name in was_required, after), "was removed")
            if isinstance(_undeclared(after), Mapping):
                yield from _compare(place, old_ones[name], _undeclared(after))
    # Names of properties that were added or removed are judged above.
    names = {name for name in was_required ^ is_required if (name in old_ones) is (name in new_ones)}
    for name in sorted(names):
        rule = "became_required" if name in is_required else "became_optional"
        yield SchemaChange(key_path(path, name), rule, rule.replace("_", " "))
    yield from _compare_openness(path, before, after)


def _rule_of_removed(was_required: bool, after: Node) -> str:
    if was_required:
        return "required_property_removed"
    return "closed_property_removed" if _undeclared(after) is False else "optional_property_removed"


def _undeclared(node: Node) -> Any:
    """The schema of what an object may hold besides its properties; everything, unless it says otherwise."""
    return node.get("additionalProperties", True)


def _compare_openness(path: str, before: Node, after: Node) -> Iterator[SchemaChange]:
    place = key_path(path, "additionalProperties")
    old, new = _undeclared(before), _undeclared(after)
    if isinstance(old, Mapping) and isinstance(new, Mapping):
        yield from _compare(place, old, new)
    elif old != new:
        is_opened = new is True or old is False
        yield _change(place, "object_opened" if is_opened else "object_closed", old, new)


def _compare_items(path: str, before: Node, after: Node) -> Iterator[SchemaChange]:
    if "items" not in before and "items" not in after:
        return
    place = f"{path}[]"
    old, new = (node.get("items", EMPTY_MAPPING) for node in (before, after))
    if not (isinstance(old, tuple) or isinstance(new, tuple)):
        yield from _compare(place, old, new)
    elif encode_document(old) != encode_document(new):
        yield _change(place, "unknown_keyword_changed", old, new)
