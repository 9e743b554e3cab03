"""From the bytes of a batch to its items, of which the good ones are read though others are not."""

import re
from typing import Any, Final, Generic, TypeVar

import msgspec
import numpy

from studio.api.errors import BodyTooLarge
from studio.api.ingest.splitting import SplitDocument, split_items
from telemetry.core.documents import refusal
from telemetry.core.enums import ViolationCode
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.events import Violation

__all__ = ["MOST_ITEMS", "BatchReader", "count_values", "too_many_items"]

Whole = TypeVar("Whole", bound=msgspec.Struct)

MOST_ITEMS: Final = 1_000
# Values in all items together: 150 for each event of a full batch. However short it is on the way, a value can take 150
# bytes of memory, and once more where it is copied, so this keeps a request below 64 MiB.
MOST_VALUES: Final = 150_000

_UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
_PLACE: Final = re.compile(r"(.*?)(?: - at `\$(.*)`)?", re.DOTALL)
_EXPECTED: Final = re.compile(r"Expected `([a-z| ]+)`, got `([a-z]+)`")
_MISSING: Final = re.compile(r"Object missing required field `([A-Za-z]+)`")
_KINDS: Final = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "array": "a list",
    "datetime": "an instant",
}


def too_many_items(key: str) -> InvalidDocument:
    """The error for a batch with more items than one may have."""
    return InvalidDocument([FieldError("too_many", key, f"must have at most {MOST_ITEMS} entries")])


class BatchReader(Generic[Whole]):
    """Reads documents of the type ``whole``, which has a list of structs under ``key``, one for each event."""

    def __init__(self, whole: type[Whole], *, key: str) -> None:
        (field,) = (each for each in msgspec.structs.fields(whole) if each.encode_name == key)
        (item,) = field.type.__args__
        self._key = key
        self._attribute = field.name
        self._whole = msgspec.json.Decoder(whole)
        self._item: msgspec.json.Decoder[Any] = msgspec.json.Decoder(item)

    def read(self, content: bytes) -> tuple[Whole, list[Any]]:
        """The document without its items, and the items in order: each read, or the ``Violation`` that forbids it.

        Violations say where and why, and hold no value. Raises ``InvalidDocument`` when the document cannot be read
        apart from its items, or has too many, and ``BodyTooLarge`` for too many values.
        """
        if count_values(content) > MOST_VALUES:
            raise BodyTooLarge(f"the body must not hold more than {MOST_VALUES} values")
        try:
            document = self._whole.decode(content)
            items: list[Any] = getattr(document, self._attribute)
        except _UNREADABLE:
            document, items = self._read_apart(content)
        if len(items) > MOST_ITEMS:
            raise too_many_items(self._key)
        return document, items

    def _read_apart(self, content: bytes) -> tuple[Whole, list[Any]]:
        parts = self._split(content)
        try:
            document = self._whole.decode(parts.rest)
        except msgspec.ValidationError as error:
            path, message = _explain(error)
            raise InvalidDocument([FieldError("wrong_type", path.lstrip("."), message)], what="body") from None
        except _UNREADABLE:
            raise refusal("bad_syntax", "is not valid JSON") from None
        return document, [self._read_item(item) for item in parts.items]

    def _split(self, content: bytes) -> SplitDocument:
        if not content.strip():
            raise refusal("empty", "is empty")
        try:
            fields = msgspec.json.decode(content, type=dict[str, msgspec.Raw])
            items = msgspec.json.decode(fields[self._key], type=list[msgspec.Raw])
        except (*_UNREADABLE, KeyError):
            return split_items(content, self._key)
        rest = msgspec.json.encode({**fields, self._key: ()})
        return SplitDocument([bytes(item) for item in items], rest)

    def _read_item(self, content: bytes) -> Any:
        try:
            return self._item.decode(content)
        except msgspec.ValidationError as error:
            path, message = _explain(error)
            return Violation(ViolationCode.MALFORMED, path.lstrip("."), message)
        except UnicodeDecodeError:
            return Violation(ViolationCode.MALFORMED, "", "is not valid UTF-8")
        except RecursionError:
            return Violation(ViolationCode.MALFORMED, "", "is nested too deeply")
        except msgspec.DecodeError:
            return Violation(ViolationCode.MALFORMED, "", "is not valid JSON")


def count_values(content: bytes) -> int:
    """At least as many values as the document has, by the marks before values: commas and what opens a list or object.

    A quarter of what it takes to count them, or take them out, by methods of bytes.
    """
    found = numpy.frombuffer(content, dtype=numpy.uint8)
    return sum(int(numpy.count_nonzero(found == mark)) for mark in b",[{")


def _explain(error: msgspec.ValidationError) -> tuple[str, str]:
    """Place and rule of what a decoder refused, in words of ours: its own may change."""
    found = _PLACE.fullmatch(str(error))
    text, path = ("", "") if found is None else (found[1], found[2] or "")
    if match := _EXPECTED.fullmatch(text):
        wanted = " or ".join(_KINDS.get(kind.strip(), kind.strip()) for kind in match[1].split("|"))
        return path, f"must be {wanted}, not {_KINDS.get(match[2], match[2])}"
    if match := _MISSING.fullmatch(text):
        return f"{path}.{match[1]}", "is required"
    if "RFC3339" in text:
        return path, "must be an RFC 3339 timestamp with a zone, such as 2026-11-22T10:00:00Z"
    if "out of range" in text:
        return path, "must be a number that a double can hold"
    return path, "has a value that is not allowed here"
