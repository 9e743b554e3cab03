"""Reading text that anybody may have written: what JSON and YAML share, and JSON.

Whatever the bytes are, the result is a plain value or ``InvalidDocument``, in time that grows with their number.
``telemetry.core.yaml_documents`` does the same for YAML, ``telemetry.core.codec`` chooses between them.
"""

import codecs
import json
from collections import Counter
from collections.abc import Iterable
from typing import Final

from telemetry.core.errors import FieldError, InvalidDocument

__all__ = [
    "MAXIMUM_BYTES",
    "MAXIMUM_DEPTH",
    "RepeatedKeys",
    "collect_object",
    "decode_text",
    "read_int",
    "read_json",
    "refusal",
]

# 2 MiB: room for the largest spec that the other limits allow at about 1 KiB per event, and below the 2.5 MiB at which
# Django's own limit would answer first, without a path or rule.
MAXIMUM_BYTES: Final = 2 * 1024 * 1024
# The deepest place that our own types have is 7 levels down; the rest is room for the settings of providers.
MAXIMUM_DEPTH: Final = 32

_FOREIGN_MARKS: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE, codecs.BOM_UTF32_BE)
# More digits than any number that is accepted, and few enough that reading them costs nothing.
_MOST_DIGITS: Final = 20


class RepeatedKeys(dict[str, object]):
    """The keys and last values of an object in which ``repeated`` keys occur more than once."""

    def __init__(self, pairs: Iterable[tuple[str, object]], repeated: tuple[str, ...]) -> None:
        super().__init__(pairs)
        self.repeated = repeated


def refusal(code: str, message: str) -> InvalidDocument:
    """The error for text that cannot be read at all, as one broken rule of the whole document."""
    return InvalidDocument((FieldError(code, "", message),))


def decode_text(data: bytes | str, *, maximum_bytes: int = MAXIMUM_BYTES) -> str:
    """The text of a document, without byte order mark; bytes must be UTF-8.

    Raises ``InvalidDocument`` with the code ``too_large``, ``bad_encoding``, ``bad_character`` or ``empty``.
    """
    # A character is at least one byte, so text is measured before anything is copied.
    if len(data) > maximum_bytes:
        raise refusal("too_large", f"must be at most {maximum_bytes} bytes long")
    raw = _encode(data) if isinstance(data, str) else bytes(data)
    if len(raw) > maximum_bytes:
        raise refusal("too_large", f"must be at most {maximum_bytes} bytes long")
    if raw.startswith(_FOREIGN_MARKS):
        raise refusal("bad_encoding", "must be UTF-8, not UTF-16 or UTF-32")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise refusal("bad_encoding", f"is not valid UTF-8 at byte {error.start + 1}") from None
    if "\x00" in text:
        raise refusal("bad_character", "must not contain NUL characters; is it UTF-16, or not text at all?")
    if not text.strip():
        raise refusal("empty", "is empty")
    return text


def _encode(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError as error:
        raise refusal("bad_character", f"has a lone surrogate at character {error.start + 1}") from None


def read_json(text: str) -> object:
    """The plain value of a JSON document: dicts with text keys, lists, text, numbers, booleans, ``None``.

    An object with a key that occurs twice becomes ``RepeatedKeys``. Numbers may be infinite or not a number, and text
    may hold any character: the types that a document is read into refuse those, with their path. Raises
    ``InvalidDocument`` with the code ``bad_syntax`` or ``too_deep``.
    """
    try:
        return json.loads(text, object_pairs_hook=collect_object, parse_int=read_int)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}, column {error.colno}"
        raise refusal("bad_syntax", f"is not valid JSON: {error.msg} ({place})") from None
    except RecursionError:
        raise refusal("too_deep", f"must be at most {MAXIMUM_DEPTH} levels deep") from None


def collect_object(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A dict of the pairs, or ``RepeatedKeys`` when keys repeat."""
    collected = dict(pairs)
    if len(collected) == len(pairs):
        return collected
    counts = Counter(key for key, _ in pairs)
    return RepeatedKeys(pairs, tuple(key for key, count in counts.items() if count > 1))


def read_int(digits: str) -> int:
    """The whole number that is written; one with very many digits becomes another that is out of range as well."""
    return int(digits[: _MOST_DIGITS + 1])
