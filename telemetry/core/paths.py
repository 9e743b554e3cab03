"""How places in documents are written: ``events[2].properties.durationMs``, ``properties["Product Id"].type``."""

import json
import re

__all__ = ["key_path"]

_SIMPLE = re.compile(r"[A-Za-z_$][A-Za-z0-9_$]*\Z")


def key_path(path: str, key: str) -> str:
    """``path`` extended by a mapping's key; keys that are not simple identifiers are quoted as in JSON."""
    if not _SIMPLE.match(key):
        return f"{path}[{json.dumps(key, ensure_ascii=False)}]"
    return f"{path}.{key}" if path else key
