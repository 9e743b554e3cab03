"""Matching the parts of two documents by what identifies them, so that order decides nothing."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TypeVar

from telemetry.core.diff.changes import Change, make_change

__all__ = ["diff_order", "keyed", "merged_keys"]

T = TypeVar("T")


def keyed(parts: Iterable[T], key: Callable[[T], str]) -> dict[str, T]:
    """The parts by key, in their order; the second with the key ``posthog`` has ``posthog#2``."""
    found: dict[str, T] = {}
    counts: dict[str, int] = {}
    for part in parts:
        name = key(part)
        counts[name] = counts.get(name, 0) + 1
        found[name if counts[name] == 1 else f"{name}#{counts[name]}"] = part
    return found


def merged_keys(before: Iterable[str], after: Mapping[str, object]) -> Iterator[str]:
    """The keys of both: those of ``after`` in its order, each followed by what is gone and stood behind it."""
    gone: dict[str | None, list[str]] = {}
    neighbour: str | None = None
    for key in before:
        if key in after:
            neighbour = key
        else:
            gone.setdefault(neighbour, []).append(key)
    yield from gone.get(None, ())
    for key in after:
        yield key
        yield from gone.get(key, ())


def diff_order(path: str, before: Mapping[str, object], after: Mapping[str, object]) -> Iterator[Change]:
    """One change if what both have comes in another order."""
    old, new = [key for key in before if key in after], [key for key in after if key in before]
    if old != new:
        yield make_change(path, "order_changed", old, new)
