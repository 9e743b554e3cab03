"""How places in documents are written: ``events[2].properties.durationMs``, ``properties["Product Id"].type``."""

import json
import re

__all__ = ["key_of", "key_path", "split_path"]

_SIMPLE = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")
_STEP = re.compile(r'\.?([A-Za-z_$][A-Za-z0-9_$]*)|\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]', re.DOTALL)


def key_path(path: str, key: str) -> str:
    """``path`` extended by a mapping's key; keys that are not simple identifiers are quoted as in JSON."""
    if not _SIMPLE.match(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key


def key_of(place: str, path: str) -> str | None:
    """The key for which ``key_path(place, key)`` is ``path``; ``None`` when the path is no entry of the place."""
    rest = path.removeprefix(place)
    if rest == path:
        return None
    if rest.startswith("."):
        return rest[1:] if _SIMPLE.match(rest[1:]) else None
    try:
        key = json.loads(rest[1:-1]) if rest.startswith("[") and rest.endswith("]") else None
    except ValueError:
        return None
    return key if isinstance(key, str) else None


def split_path(path: str) -> tuple[str | int, ...]:
    """The keys and indexes of a place, the outermost first; what is no place of a document ends it."""
    steps: list[str | int] = []
    position = 0
    while step := _STEP.match(path, position):
        simple, quoted, index = step.groups()
        steps.append(int(index) if index else json.loads(quoted) if quoted else simple)
        position = step.end()
    return tuple(steps)
