"""From what an app passes as context to a Context: both spellings of names, ids as text, nothing that raises."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any
from uuid import UUID

from telemetry.core.enums import ViolationCode
from telemetry.core.events import Context, Violation

__all__ = ["read_context", "usual_context"]

_TEXT_FIELDS = ("tenant_id", "organization_id", "user_id", "session_id", "device_id", "actor", "channel")
_TEXT_TYPES = frozenset({str, type(None)})
_EMPTY = Context()


def _camel(name: str) -> str:
    first, *others = name.split("_")
    return first + "".join(other.capitalize() for other in others)


_FIELDS = {spelling: name for name in (*_TEXT_FIELDS, "metadata") for spelling in (name, _camel(name))}


def read_context(given: object) -> tuple[Context, tuple[Violation, ...]]:
    """Return the context that is safe to process, and what had to be left out of ``given``.

    A mapping may spell its keys ``userId`` or ``user_id``. Whole numbers and UUIDs become text, as they are what most
    databases use for ids. What is unknown or of another type is left out and reported without its value: a context
    describes an event, and an event is worth more than its description.
    """
    if given is None or given is _EMPTY:
        return _EMPTY, ()
    if isinstance(given, Context):
        if _is_clean(given):
            return given, ()
        given = {name: getattr(given, name) for name in (*_TEXT_FIELDS, "metadata")}
    if not isinstance(given, Mapping):
        return _EMPTY, (_violation(ViolationCode.WRONG_TYPE, "context", "must be a Context or a mapping"),)
    return _read_mapping(given)


def usual_context(given: object) -> Context | None:
    """The context that ``read_context`` makes, quickly, when there is nothing to report; ``None`` for all else.

    Of mappings, those that hold nothing but known ids as texts are usual. The last 512 are remembered, as an app
    passes the same for all events of a request.
    """
    kind = type(given)
    if kind is Context:
        return given  # type: ignore[return-value]  # as just asked
    if given is None:
        return _EMPTY
    if kind is not dict:
        return None
    try:
        return _context_of(tuple(given.items()))  # type: ignore[attr-defined]  # a dict, as just asked
    except Exception:  # noqa: BLE001  values that cannot be hashed, or of a class whose methods raise
        return None


@lru_cache(maxsize=512)
def _context_of(items: tuple[tuple[object, object], ...]) -> Context | None:
    # Only exact texts are remembered, so that what equals them is the same text.
    if not all(type(part) is str for item in items for part in item):
        return None
    context, violations = _read_mapping(dict(items))  # type: ignore[arg-type]  # texts, as just asked
    return None if violations else context


def _is_clean(context: Context) -> bool:
    # Written out: this runs for every event, and a loop over names takes five times as long.
    return (
        type(context.tenant_id) in _TEXT_TYPES
        and type(context.organization_id) in _TEXT_TYPES
        and type(context.user_id) in _TEXT_TYPES
        and type(context.session_id) in _TEXT_TYPES
        and type(context.device_id) in _TEXT_TYPES
        and type(context.actor) in _TEXT_TYPES
        and type(context.channel) in _TEXT_TYPES
        and isinstance(context.metadata, Mapping)
    )


def _read_mapping(given: Mapping[str, Any]) -> tuple[Context, tuple[Violation, ...]]:
    values: dict[str, Any] = {}
    violations: list[Violation] = []
    for key, value in given.items():
        name = _FIELDS.get(key) if isinstance(key, str) else None
        if name is None:
            # The key is not quoted: a client may have put a value where the key belongs.
            violations.append(_violation(ViolationCode.UNDECLARED_CONTEXT, "context", "has a key it does not know"))
        elif (usable := _metadata(value) if name == "metadata" else _text(value)) is not None:
            values[name] = usable
        elif value is not None:
            expected = "a mapping" if name == "metadata" else "text, a whole number or a UUID"
            violations.append(_violation(ViolationCode.WRONG_TYPE, f"context.{_camel(name)}", f"must be {expected}"))
    return Context(**values), tuple(violations)


def _metadata(value: object) -> dict[str, Any] | None:
    return dict(value) if isinstance(value, Mapping) else None


def _text(value: object) -> str | None:
    if isinstance(value, str):
        return value
    if isinstance(value, (int, UUID)) and not isinstance(value, bool):
        return str(value)
    return None


def _violation(code: ViolationCode, path: str, message: str) -> Violation:
    return Violation(code=code, path=path, message=message)
