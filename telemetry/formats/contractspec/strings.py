"""Text literals of TypeScript, read and written."""

import json
import re
from typing import Final

from tree_sitter import Node

__all__ = ["read_string", "write_string"]

_ESCAPE: Final = re.compile(r"\\(?:u\{([0-9a-fA-F]{1,6})\}|u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|(\r\n|[\s\S]))")
_SIGNS: Final = {"n": "\n", "r": "\r", "t": "\t", "b": "\b", "f": "\f", "v": "\v", "0": "\0"}
_LINE_ENDS: Final = ("\n", "\r\n", "\r", "\u2028", "\u2029")


def read_string(node: Node) -> str:
    """The text of a string literal, or of a piece of a template.

    Source: ECMAScript, section 12.9.4 (string literals). Surrogate pairs that are written as two escapes become one
    character.
    """
    source = (node.text or b"").decode(errors="replace")
    if node.type in ("string", "template_string"):
        source = source[1:-1]
    text = _ESCAPE.sub(_unescape, source)
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _unescape(found: re.Match[str]) -> str:
    number = found[1] or found[2] or found[3]
    if number is not None:
        code = int(number, 16)
        return chr(code) if code <= 0x10FFFF else "\N{REPLACEMENT CHARACTER}"
    return "" if found[4] in _LINE_ENDS else _SIGNS.get(found[4], found[4])


def write_string(text: str) -> str:
    """A literal in single quotes, as the origin writes them."""
    inner = json.dumps(text, ensure_ascii=False)[1:-1].replace('\\"', '"').replace("'", "\\'")
    return "'" + inner.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") + "'"
