"""Changes of documents as JSON Patch: made from two documents, applied to one, moved to another of the same spec.

Source: RFC 6902 (JSON Patch), RFC 6901 (JSON Pointer).
"""

from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any, Final

from telemetry.core.errors import FieldError, InvalidDocument

__all__ = ["JsonPatch", "PatchConflict", "apply_patch", "holds_patch", "make_patch", "rebase_patch"]

JsonPatch = list[dict[str, Any]]
Pointer = tuple[str | int, ...]

_MISSING: Final = object()
# More than any rule or person needs; each is applied to a whole document.
_MOST_OPERATIONS: Final = 500


class PatchConflict(InvalidDocument):
    """The document is not the one that the patch was made for; ``errors`` names the operation."""


def make_patch(before: Mapping[str, Any], after: Mapping[str, Any]) -> JsonPatch:
    """What turns one plain document into the other, in ``add``, ``remove`` and ``replace``; empty for equal ones.

    Before an event of a spec is changed, a ``test`` says which event it has to be: positions move, identities do not.
    Lists of another length are replaced as a whole.
    """
    return list(_differences(before, after, ()))


def apply_patch(document: Mapping[str, Any], patch: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """A new document in which all operations were done in their order; the given one stays as it is.

    Knows ``add``, ``remove``, ``replace`` and ``test``. Raises ``PatchConflict`` with the path of the operation
    (``patch[2]``) where it is malformed, names a place that is not there, or tests for another value.
    """
    if len(patch) > _MOST_OPERATIONS:
        raise _conflict("patch", f"must have at most {_MOST_OPERATIONS} operations")
    changed: dict[str, Any] = deepcopy(dict(document))
    for index, operation in enumerate(patch):
        _apply(changed, operation, f"patch[{index}]")
    return changed


def rebase_patch(patch: Sequence[Mapping[str, Any]], document: Mapping[str, Any]) -> JsonPatch:
    """The same changes for another document of the spec, in which the events may stand at other places.

    Raises ``PatchConflict`` if it lacks an event that the patch changes.
    """
    places: dict[str, int] = {}
    moved: JsonPatch = []
    for number, identity in _identities(patch).items():
        places[number] = _place_of(identity, document)
    for operation in patch:
        head, _, rest = str(operation.get("path", "")).removeprefix("/events/").partition("/")
        if str(operation.get("path", "")).startswith("/events/") and head in places:
            moved.append({**operation, "path": f"/events/{places[head]}" + (f"/{rest}" if rest else "")})
        else:
            moved.append(dict(operation))
    return moved


def holds_patch(document: Mapping[str, Any], patch: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the document says already what the patch would make it say, wherever its events stand."""
    try:
        moved = rebase_patch(patch, document)
    except PatchConflict:
        return False
    return all(_holds(document, operation) for operation in moved if operation.get("op") != "test")


def _holds(document: Mapping[str, Any], operation: Mapping[str, Any]) -> bool:
    found: Any = document
    for step in _read(operation.get("path"), "patch"):
        try:
            found = _inside(found, step, "patch")
        except PatchConflict:
            return operation.get("op") == "remove"
    wanted = operation.get("value", _MISSING)
    return operation.get("op") != "remove" and not list(_differences(found, wanted, ()))


def _differences(before: Any, after: Any, path: Pointer) -> Iterator[dict[str, Any]]:
    if isinstance(before, Mapping) and isinstance(after, Mapping):
        yield from _of_objects(before, after, path)
    elif isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        yield from _of_lists(before, after, path)
    # To Python, true is 1; to a document it is not.
    elif before != after or isinstance(before, bool) is not isinstance(after, bool):
        yield {"op": "replace", "path": _write(path), "value": after}


def _of_objects(before: Mapping[str, Any], after: Mapping[str, Any], path: Pointer) -> Iterator[dict[str, Any]]:
    for key in before:
        if key not in after:
            yield {"op": "remove", "path": _write((*path, key))}
    for key, value in after.items():
        if key not in before:
            yield {"op": "add", "path": _write((*path, key)), "value": value}
        else:
            yield from _differences(before[key], value, (*path, key))


def _of_lists(before: Sequence[Any], after: Sequence[Any], path: Pointer) -> Iterator[dict[str, Any]]:
    for index, (old, new) in enumerate(zip(before, after, strict=True)):
        found = list(_differences(old, new, (*path, index)))
        if found and path == ("events",) and isinstance(old, Mapping):
            for key in ("name", "version"):
                yield {"op": "test", "path": _write((*path, index, key)), "value": old.get(key)}
        yield from found


def _write(path: Pointer) -> str:
    return "".join("/" + str(step).replace("~", "~0").replace("/", "~1") for step in path)


def _read(pointer: object, place: str) -> list[str]:
    if not isinstance(pointer, str) or (pointer and not pointer.startswith("/")):
        raise _conflict(f"{place}.path", "must be a JSON Pointer, such as /events/0/retention/days")
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _apply(document: dict[str, Any], operation: Mapping[str, Any], place: str) -> None:
    kind = operation.get("op")
    if kind not in ("add", "remove", "replace", "test"):
        raise _conflict(f"{place}.op", "must be add, remove, replace or test")
    if kind != "remove" and "value" not in operation:
        raise _conflict(f"{place}.value", "is missing")
    *way, last = _read(operation.get("path"), place) or _no_root(place)
    parent: Any = document
    for step in way:
        parent = _inside(parent, step, place)
    if kind == "add" and isinstance(parent, list):
        parent.insert(_index(last, len(parent) + 1, place, end=len(parent)), deepcopy(operation["value"]))
        return
    if kind == "add" and isinstance(parent, dict):
        parent[last] = deepcopy(operation["value"])
        return
    found = _inside(parent, last, place)
    key: Any = _index(last, len(parent), place) if isinstance(parent, list) else last
    if kind == "remove":
        del parent[key]
    elif kind == "replace":
        parent[key] = deepcopy(operation["value"])
    elif found != operation["value"] or isinstance(found, bool) is not isinstance(operation["value"], bool):
        raise _conflict(place, "what stands there is not what the patch was made for")


def _no_root(place: str) -> list[str]:
    raise _conflict(f"{place}.path", "must name a place inside the document")


def _inside(value: Any, step: str, place: str) -> Any:
    if isinstance(value, list):
        return value[_index(step, len(value), place)]
    found = value.get(step, _MISSING) if isinstance(value, dict) else _MISSING
    if found is _MISSING:
        raise _conflict(f"{place}.path", "names a place that the document does not have")
    return found


def _index(step: str, length: int, place: str, *, end: int | None = None) -> int:
    if step == "-" and end is not None:
        return end
    if not step.isascii() or not step.isdecimal() or len(step) > 6 or int(step) >= length:
        raise _conflict(f"{place}.path", "names a place in a list that is not there")
    return int(step)


def _identities(patch: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Which event each position has to be, by the tests of the patch."""
    found: dict[str, dict[str, Any]] = {}
    for operation in patch:
        steps = str(operation.get("path", "")).split("/")
        if operation.get("op") == "test" and len(steps) == 4 and steps[1] == "events" and steps[3] in _IDENTITY:
            found.setdefault(steps[2], {})[steps[3]] = operation.get("value")
    return {number: identity for number, identity in found.items() if len(identity) == len(_IDENTITY)}


_IDENTITY: Final = ("name", "version")


def _place_of(identity: Mapping[str, Any], document: Mapping[str, Any]) -> int:
    for index, event in enumerate(document.get("events", ())):
        if all(event.get(key) == identity[key] for key in _IDENTITY):
            return index
    raise _conflict("patch", f"the document has no event {identity['name']} with version {identity['version']}")


def _conflict(path: str, message: str) -> PatchConflict:
    return PatchConflict([FieldError("patch_conflict", path, message)], what="patch")
