"""Where optional parts of a spec that is being built came from, so that one that breaks a rule can be taken back."""

import re
from typing import Any, Final, NamedTuple

from telemetry.core.errors import FieldError
from telemetry.core.paths import key_path
from telemetry.formats.cursor import Cursor

__all__ = ["Origins"]

_LAST_STEP: Final = re.compile(r'(?:(?:^|\.)[A-Za-z_$][A-Za-z0-9_$]*|\[(?:[0-9]+|"(?:[^"\\]|\\.)*")\])\Z')


class _Origin(NamedTuple):
    container: dict[str, Any]
    key: str
    cursor: Cursor


class Origins:
    """The parts by their path in the document of the spec."""

    def __init__(self) -> None:
        self._by_path: dict[str, _Origin] = {}

    def put(self, container: dict[str, Any], path: str, key: str, cursor: Cursor, value: object = None) -> None:
        """``container``, which is the object at ``path``, says under ``key`` what stands at the cursor.

        ``value`` is what it says, if that is not the value itself.
        """
        taken = cursor.take()
        container[key] = taken if value is None else value
        self.remember(container, path, key, cursor)

    def remember(self, container: dict[str, Any], path: str, key: str, cursor: Cursor) -> None:
        """What ``container`` says under ``key`` comes from the cursor."""
        self._by_path[key_path(path, key)] = _Origin(container, key, cursor)

    def take_back(self, error: FieldError) -> bool:
        """Whether the part that breaks the rule could be taken back; then it is reported, with the rule."""
        path = error.path
        while path and path not in self._by_path:
            shorter = _LAST_STEP.sub("", path)
            path = "" if shorter == path else shorter
        if not path:
            return False
        origin = self._by_path.pop(path)
        if origin.key not in origin.container:
            return False
        del origin.container[origin.key]
        origin.cursor.lose(f"it breaks a rule of specs: {error.message}", target=path)
        return True
