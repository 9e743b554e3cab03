"""Where what a client sends belongs in the installation's spec: names, and what the client's library added."""

import re
from collections import Counter
from collections.abc import Mapping
from functools import lru_cache
from typing import Any, Final, NamedTuple

from telemetry.core.compiled import CompiledConfig, CompiledEvent
from telemetry.services.ingest.configs import KEPT

__all__ = ["Placed", "event_name", "place", "slug"]

_BOUNDARY: Final = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|[^A-Za-z0-9]+")
_MISSING: Final = object()


class Placed(NamedTuple):
    """Properties and metadata of an event, and how many of the values that a library added have no place."""

    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]
    left_out: int


def slug(name: str) -> str:
    """The name as lower-case words joined by underscores: ``Order Completed`` and ``orderCompleted`` are one.

    All but ASCII letters and digits separates words, and so does a capital after a small letter.
    """
    return "_".join(word for word in _BOUNDARY.split(name) if word).lower()


def event_name(name: str, config: CompiledConfig) -> str:
    """The name that the spec has for it: the same, else the only one with the same slug, else the name as it came."""
    if config.find(name, None) is not None:
        return name
    return _names_by_slug(config).get(slug(name), name)


# As many as configs are kept compiled at ingest: an entry holds its config.
@lru_cache(maxsize=KEPT)
def _names_by_slug(config: CompiledConfig) -> Mapping[str, str]:
    counts = Counter(slug(name) for name in config.names)
    return {slug(name): name for name in config.names if slug(name) and counts[slug(name)] == 1}


def place(given: Mapping[str, Any], added: Mapping[str, Any], rules: CompiledEvent | None) -> Placed:
    """What the app gave, and of what the library ``added`` that which the spec declares.

    An added value becomes a property if the event declares its name, else metadata if the context does, there also by
    its path (``page.url`` is ``url`` in ``page``). Nobody asked for the others: they are left out and counted, without
    a violation. What the app gave stands as it is, declared or not.
    """
    if rules is None or not added:
        return Placed(given, {}, len(added))
    properties = {name: added[name] for name in rules.properties.all if name in added and name not in given}
    metadata, used = {}, set(properties)
    for name in rules.metadata.all:
        value = _find(added, name)
        if value is not _MISSING and name not in properties:
            metadata[name] = value
            used.add(name if name in added else name.partition(".")[0])
    return Placed({**given, **properties}, metadata, len(added) - len(used))


def _find(values: Mapping[str, Any], name: str) -> Any:
    """The value of this name, else the one that the name's words lead to, object by object."""
    if name in values:
        return values[name]
    value: Any = values
    for word in name.split("."):
        if not isinstance(value, dict) or word not in value:
            return _MISSING
        value = value[word]
    return value
