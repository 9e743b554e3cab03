"""Comparing the fields of two values of one type, each by its own rule."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from telemetry.core.diff.changes import Change, make_change
from telemetry.core.plain import document_fields, to_plain

__all__ = ["FieldDiff", "FieldRules", "Nested", "diff_fields", "plainly"]

# Given the path, the field before and the field after, the changes between the two.
FieldDiff = Callable[[str, Any, Any], Iterator[Change]]


class Nested(NamedTuple):
    """The rule of a field that is asked even for equal values: equal mappings may differ in their order."""

    diff: FieldDiff


# By attribute name.
FieldRules = Mapping[str, FieldDiff | Nested]


def plainly(rule: str) -> FieldDiff:
    """Every difference of the field falls under this one rule."""

    def diff(path: str, before: object, after: object) -> Iterator[Change]:
        yield make_change(path, rule, before, after)

    return diff


def diff_fields(
    path: str, before: msgspec.Struct | None, after: msgspec.Struct | None, rules: FieldRules
) -> Iterator[Change]:
    """The changes of all fields, in the order in which their type declares them.

    A field is compared as documents have it: unset and default are the same. Where one of the two values is missing,
    its fields are ``None``; if the other one has no content either, that alone is the change.
    """
    known = after if before is None else before
    if known is None:
        return
    for name, key, default in document_fields(type(known)):
        old, new = getattr(before, name, None), getattr(after, name, None)
        rule, place = rules[name], f"{path}.{key}" if path else key
        if isinstance(rule, Nested):
            yield from rule.diff(place, old, new)
        elif _written(old, default) != _written(new, default):
            yield from rule(place, old, new)
    if (before is None or after is None) and not to_plain(known):
        yield make_change(path, "restated", before, after, "an empty block says nothing of its own")


def _written(field: object, default: object) -> object:
    """The field as a document has it: ``None`` where a document leaves it out."""
    return None if field == default else field
