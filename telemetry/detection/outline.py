"""The outline of an event: which properties it has, of which types and sizes, and not one value."""

from collections.abc import Mapping
from itertools import islice
from typing import Any, Final

from telemetry.core.compiled import CompiledEvent, CompiledRules
from telemetry.core.events import Context, Envelope
from telemetry.core.values import EMPTY_MAPPING
from telemetry.detection.inspector import is_safe_name

__all__ = ["outline"]

# What fits a page; the rest is counted.
MOST_NAMES: Final = 100


def outline(envelope: Envelope, rules: CompiledEvent | None) -> dict[str, Any]:
    """The event's shape as plain JSON: ``properties`` and ``metadata`` by name, each with type, size and declaration.

    Names that are not declared are there if they are safe to show; ``unnamed`` counts the others. Sizes are characters
    of text, and entries of lists and objects.
    """
    # An envelope that was refused as a whole may hold anything in place of a context.
    metadata = envelope.context.metadata if isinstance(envelope.context, Context) else EMPTY_MAPPING
    places = {
        "properties": (envelope.properties, None if rules is None else rules.properties),
        "metadata": (metadata, None if rules is None else rules.metadata),
    }
    return {place: _outline(values, declared) for place, (values, declared) in places.items() if values}


def _outline(values: Mapping[str, Any], declared: CompiledRules | None) -> dict[str, Any]:
    if type(values) is not dict:
        return {"names": {}, "unnamed": 0}
    known = {} if declared is None else declared.all
    names: dict[str, Any] = {}
    unnamed = 0
    for name, value in islice(values.items(), MOST_NAMES):
        if name in known or (type(name) is str and is_safe_name(name)):
            names[name] = {**_describe(value), "declared": name in known}
        else:
            unnamed += 1
    return {"names": names, "unnamed": unnamed + max(0, len(values) - MOST_NAMES)}


def _describe(value: Any) -> dict[str, Any]:
    """Type and size. A type that no JSON value has is named by nothing of its own."""
    kind = type(value)
    if kind is str:
        return {"type": "string", "size": len(value)}
    if kind is dict:
        return {"type": "object", "size": len(value)}
    if kind is list or kind is tuple:
        return {"type": "list", "size": len(value)}
    if kind is bool:
        return {"type": "boolean"}
    if kind is int or kind is float:
        return {"type": "number"}
    return {"type": "null" if value is None else "other"}
