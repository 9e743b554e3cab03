"""Whether two specs are equal but for what a report says was lost between them."""

import json
import re
from typing import Any

from telemetry.core.plain import to_plain
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.losses import Action, Loss

__all__ = ["differences", "steps_of"]

_STEP = re.compile(r'\[(?P<index>[0-9]+)\]|\[(?P<quoted>"(?:[^"\\]|\\.)*")\]|\.?(?P<key>[A-Za-z_$][A-Za-z0-9_$]*)')


def steps_of(path: str) -> tuple[str | int, ...]:
    """Keys and positions of a path in document terms."""
    steps: list[str | int] = []
    place = 0
    while place < len(path):
        found = _STEP.match(path, place)
        assert found is not None, f"no path: {path!r}"
        place = found.end()
        if found["index"] is not None:
            steps.append(int(found["index"]))
        else:
            steps.append(json.loads(found["quoted"]) if found["quoted"] is not None else found["key"])
    return tuple(steps)


def differences(before: TelemetrySpec, after: TelemetrySpec, losses: tuple[Loss, ...]) -> list[str]:
    """What differs beyond the losses of an export of ``before``; each side as a line of JSON, or nothing."""
    old, new = to_plain(before), to_plain(after)
    renames = {
        steps_of(loss.path): loss.became
        for loss in losses
        if loss.action is Action.RENAMED and isinstance(_at(old, steps_of(loss.path)), dict)
    }
    if any(loss.path == "events" for loss in losses):
        _reorder(old, new, losses)
    # Later positions first, so that removing an entry moves no other that is still to be removed.
    for loss in sorted(losses, key=lambda each: _order(steps_of(each.path)), reverse=True):
        path = steps_of(loss.path)
        if loss.action is Action.MISSING or path in renames or path == ("events",):
            continue
        if path and isinstance(path[-1], int) and not isinstance(_at(old, path), dict):
            if loss.action is Action.DROPPED:
                _remove(old, path)
                continue
            path = path[:-1]
        _remove(old, path)
        _remove(new, _renamed(path, renames))
    for place in {path[:-1] for path in renames}:
        parent = _at(old, place)
        items = [(renames.get((*place, key), key), item) for key, item in parent.items()]
        parent.clear()
        parent.update(items)
    sides = [json.dumps(_pruned(side), ensure_ascii=False) for side in (old, new)]
    return [] if sides[0] == sides[1] else sides


def _reorder(old: Any, new: Any, losses: tuple[Loss, ...]) -> None:
    """Events of the new side in the order of the old one, whose names may be others by now."""
    became = {loss.path: loss.became for loss in losses if loss.action is Action.RENAMED}
    names = [became.get(f"events[{index}].name", event["name"]) for index, event in enumerate(old["events"])]
    order = {
        (name, event["version"]): index for index, (name, event) in enumerate(zip(names, old["events"], strict=True))
    }
    new["events"].sort(key=lambda event: order[event["name"], event["version"]])


def _order(path: tuple[str | int, ...]) -> list[tuple[int, str]]:
    return [(step, "") if isinstance(step, int) else (-1, step) for step in path]


def _renamed(path: tuple[str | int, ...], renames: dict[tuple[str | int, ...], str]) -> tuple[str | int, ...]:
    return tuple(renames.get(path[: length + 1], step) for length, step in enumerate(path))


def _at(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        try:
            value = value[step]
        except (KeyError, IndexError, TypeError):
            return None
    return value


def _remove(value: Any, path: tuple[str | int, ...]) -> None:
    parent = _at(value, path[:-1])
    if isinstance(parent, dict):
        parent.pop(path[-1], None)
    elif isinstance(parent, list) and isinstance(path[-1], int) and path[-1] < len(parent):
        del parent[path[-1]]


def _pruned(value: Any) -> Any:
    """The value without objects and lists that have, or are left with, nothing in them."""
    if isinstance(value, dict):
        kept = {key: _pruned(item) for key, item in value.items()}
        return {key: item for key, item in kept.items() if item not in ({}, [])}
    if isinstance(value, list):
        return [item for each in value if (item := _pruned(each)) not in ({}, [])]
    return value
