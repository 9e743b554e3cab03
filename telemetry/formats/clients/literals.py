"""Literals and comments of programming languages, from any text."""

import json
import re
from collections.abc import Mapping
from typing import Final

__all__ = [
    "block_comment",
    "docstring",
    "json_literal",
    "kotlin_string",
    "markdown_text",
    "swift_string",
    "typescript_string",
]

_NON_ASCII: Final = re.compile(r"[^\x20-\x7e]")


def json_literal(value: object) -> str:
    """A text, number or truth value as JSON, which is Python and JavaScript as well but for truth values."""
    return json.dumps(value, ensure_ascii=False)


def typescript_string(text: str) -> str:
    """A text in double quotes; separators of lines that JSON admits are escaped."""
    return json_literal(text).replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")


def kotlin_string(text: str) -> str:
    """A text in double quotes, in which nothing is a template."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("$", "\\$")
    return '"' + _NON_ASCII.sub(lambda found: "".join(f"\\u{unit:04x}" for unit in _utf16(found[0])), escaped) + '"'


def _utf16(letter: str) -> list[int]:
    data = letter.encode("utf-16-be", "surrogatepass")
    return [int.from_bytes(data[place : place + 2], "big") for place in range(0, len(data), 2)]


def swift_string(text: str) -> str:
    """A text in double quotes, in which nothing is interpolated."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return '"' + _NON_ASCII.sub(lambda found: f"\\u{{{ord(found[0]):x}}}", escaped) + '"'


def docstring(text: str) -> str:
    """A line that may stand in a docstring."""
    return text.replace("\\", "\\\\").replace('"', '\\"')


def block_comment(text: str) -> str:
    """A line that may stand in a comment of ``/* */``, also where such comments nest."""
    return text.replace("*/", "* /").replace("/*", "/ *")


_MARKDOWN: Final[Mapping[str, str]] = {
    "|": "\\|",
    "<": "&lt;",
    ">": "&gt;",
    "`": "\\`",
    "*": "\\*",
    "_": "\\_",
    "[": "\\[",
}


def markdown_text(text: str) -> str:
    """A line that may stand in a table, and is shown as it is."""
    line = "".join(letter if letter.isprintable() else " " for letter in text)
    return "".join(_MARKDOWN.get(letter, letter) for letter in line.replace("\\", "\\\\"))
