"""Where in its text each part of a document stands, for editors and annotations."""

import re
from contextlib import suppress
from typing import Any, Final

import yaml

from telemetry.core.paths import key_path

__all__ = ["Positions"]

_LOADER: Final[Any] = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_LAST_STEP: Final = re.compile(r'(?:^|\.)[A-Za-z_$][A-Za-z0-9_$]*\Z|\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\]\Z')


class Positions:
    """The places of a YAML or JSON document; after a place that cannot be read there are none."""

    def __init__(self, data: bytes) -> None:
        self._places: dict[str, tuple[int, int]] = {}
        with suppress(yaml.YAMLError, ValueError):
            self._read(data.decode("utf-8-sig"))

    def find(self, path: str) -> tuple[int, int]:
        """Line and column, both from 1, of the part at this path, or of the nearest part around it that exists."""
        while path and path not in self._places:
            shorter = _LAST_STEP.sub("", path)
            path = "" if shorter == path else shorter
        return self._places.get(path, (1, 1))

    def _read(self, text: str) -> None:
        # Of each open collection: its path, and the key that waits for its value or the number of the next item.
        opened: list[tuple[str, list[Any]]] = []
        for event in yaml.parse(text, Loader=_LOADER):
            kind = type(event)
            if kind in (yaml.MappingEndEvent, yaml.SequenceEndEvent):
                opened.pop()
            elif kind in (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent):
                path = self._take(opened, event)
                if kind is not yaml.ScalarEvent:
                    opened.append((path, [0] if kind is yaml.SequenceStartEvent else []))

    def _take(self, opened: list[tuple[str, list[Any]]], event: Any) -> str:
        """The path of a value that begins; a key is remembered until its value comes."""
        if not opened:
            return ""
        parent, state = opened[-1]
        if state and isinstance(state[0], int):
            path = f"{parent}[{state[0]}]"
            state[0] += 1
            self._places.setdefault(path, (event.start_mark.line + 1, event.start_mark.column + 1))
            return path
        if not state:
            key = event.value if type(event) is yaml.ScalarEvent else ""
            state.append(key)
            place = (event.start_mark.line + 1, event.start_mark.column + 1)
            self._places.setdefault(key_path(parent, key), place)
            return parent
        return key_path(parent, state.pop())
