"""Whether plain values have the shape of a type: every place where they have not, with its path and the broken rule.

``msgspec`` stops at the first broken rule and leaves the keys of mappings out of its paths. This walks its description
of the type instead, so the types stay the only place where rules are written. Messages never repeat a value.
"""

import difflib
from collections.abc import Callable
from functools import cache
from typing import Any, Final, cast

from msgspec import inspect

from telemetry.core.documents import MAXIMUM_DEPTH, RepeatedKeys
from telemetry.core.errors import FieldError
from telemetry.core.paths import key_path
from telemetry.core.plain import is_whole
from telemetry.core.scalars import UNUSABLE_CHARACTER, find_fault

__all__ = ["MAXIMUM_ERRORS", "Path", "read_shape", "write_path"]

# More than anybody reads at once; the answer to a hostile document must not outgrow the document.
MAXIMUM_ERRORS: Final = 100
# Values of all free-form parts together, such as the settings of providers: real specs have a handful.
_MAXIMUM_FREE_VALUES: Final = 10_000
_LONGEST_SHOWN_KEY: Final = 128

# Keys and list positions from the root of a document to a place in it.
Path = tuple[str | int, ...]


def read_shape(value: object, type_: type) -> tuple[object, tuple[FieldError, ...]]:
    """``value`` as plain data that ``msgspec.convert`` takes for ``type_``, and every reason why it is not.

    With errors, the plain data is incomplete. Errors come in the order of the document, missing keys last in their
    object; after ``MAXIMUM_ERRORS`` the reading ends with the error ``too_many_errors``. Other codes: ``unknown_key``,
    ``missing_key``, ``duplicate_key``, ``wrong_type``, ``unknown_word``, ``out_of_range``, ``bad_number``,
    ``bad_length``, ``bad_format``, ``bad_character``, ``too_many``, ``too_deep``.
    """
    reader = _Reader()
    try:
        plain = reader.read(value, _description(type_), ())
    except _TooManyErrors:
        rest = FieldError("too_many_errors", "", f"only the first {MAXIMUM_ERRORS} broken rules are listed")
        return None, (*reader.errors, rest)
    return plain, tuple(reader.errors)


def write_path(path: Path) -> str:
    """A path in document terms, such as ``events[2].properties["Product Id"].type``; very long keys are cut."""
    written = ""
    for step in path:
        written = f"{written}[{step}]" if isinstance(step, int) else key_path(written, _shown(step))
    return written


def _shown(key: str) -> str:
    cut = key if len(key) <= _LONGEST_SHOWN_KEY else f"{key[:_LONGEST_SHOWN_KEY]}..."
    return UNUSABLE_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", cut)


@cache
def _description(type_: type) -> inspect.Type:
    return inspect.type_info(type_)


@cache
def _fields_by_key(cls: type) -> dict[str, inspect.Field]:
    description = cast("inspect.StructType", _description(cls))
    return {field.encode_name: field for field in description.fields}


class _TooManyErrors(Exception):
    """Ends the reading of a document that breaks more rules than anybody would read."""


class _Reader:
    """One reading of one document."""

    def __init__(self) -> None:
        self.errors: list[FieldError] = []
        self._free_values = 0

    def read(self, value: object, info: inspect.Type, path: Path) -> object:
        """``value`` as plain data for the type that ``info`` describes; what is wrong is reported."""
        return _READERS.get(type(info), _Reader.read_scalar)(self, value, info, path)

    def _report(self, path: Path, code: str, message: str) -> None:
        if len(self.errors) >= MAXIMUM_ERRORS:
            raise _TooManyErrors
        self.errors.append(FieldError(code, write_path(path), message))

    def read_struct(self, value: object, info: inspect.StructType, path: Path) -> object:
        """An object with declared keys."""
        fields = _fields_by_key(info.cls)
        plain: dict[str, object] = {}
        items = self._items(value, path)
        if items is None:
            return None
        for key, item in items.items():
            field = fields.get(key)
            if field is None:
                self._report((*path, key), "unknown_key", _unknown_key(key, fields))
            else:
                plain[key] = self.read(item, field.type, (*path, key))
        for key, field in fields.items():
            if field.required and key not in items:
                self._report((*path, key), "missing_key", "is required")
        return plain

    def read_mapping(self, value: object, info: inspect.DictType, path: Path) -> object:
        """An object whose keys the author chose."""
        items = self._items(value, path)
        if items is None or not self._fits_count(len(items), info, path):
            return None
        for key in items:
            fault = find_fault(key, info.key_type)
            if fault is not None:
                self._report((*path, key), fault[0], f"the key {fault[1]}")
        return {key: self.read(item, info.value_type, (*path, key)) for key, item in items.items()}

    def _items(self, value: object, path: Path) -> dict[str, object] | None:
        """The keys and values of an object, once it is known that it is one."""
        if not isinstance(value, dict):
            self._report(path, "wrong_type", "must be an object, that is keys with values")
            return None
        if not all(isinstance(key, str) for key in value):
            self._report(path, "wrong_type", "must have text as keys")
            return None
        for key in value.repeated if isinstance(value, RepeatedKeys) else ():
            self._report((*path, key), "duplicate_key", "this key occurs more than once")
        return value

    def read_list(self, value: object, info: inspect.VarTupleType | inspect.ListType, path: Path) -> object:
        """A list, of no more entries than the type admits."""
        if not isinstance(value, list | tuple):
            self._report(path, "wrong_type", "must be a list")
            return None
        if not self._fits_count(len(value), info, path):
            return None
        return [self.read(item, info.item_type, (*path, index)) for index, item in enumerate(value)]

    def _fits_count(self, count: int, info: Any, path: Path) -> bool:
        fits: bool = info.max_length is None or count <= info.max_length
        if not fits:
            self._report(path, "too_many", f"must have at most {info.max_length} entries")
        return fits

    def read_union(self, value: object, info: inspect.UnionType, path: Path) -> object:
        """A value of one of several types; ``null`` is one where the type says so."""
        members = [member for member in info.types if not isinstance(member, inspect.NoneType)]
        if value is None and len(members) < len(info.types):
            return None
        if len(members) == 1:
            return self.read(value, members[0], path)
        faults = [find_fault(value, member) for member in members]
        for member, fault in zip(members, faults, strict=True):
            if fault is None or fault[0] != "wrong_type":
                return self.read(value, member, path)
        expected = (message.partition(";")[0].removeprefix("must be ") for _, message in filter(None, faults))
        self._report(path, "wrong_type", f"must be {' or '.join(expected)}")
        return None

    def read_scalar(self, value: object, info: inspect.Type, path: Path) -> object:
        """A single value; a number without a fraction becomes an ``int``."""
        fault = find_fault(value, info)
        if fault is not None:
            self._report(path, *fault)
            return None
        return int(value) if isinstance(value, float) and is_whole(value) else value

    def read_free(self, value: object, info: inspect.AnyType, path: Path) -> object:
        """Any JSON value, within the limits of depth and number."""
        self._free_values += 1
        if self._free_values > _MAXIMUM_FREE_VALUES:
            if self._free_values == _MAXIMUM_FREE_VALUES + 1:
                self._report(path, "too_many", f"settings must have at most {_MAXIMUM_FREE_VALUES} values in all")
            return None
        if not isinstance(value, dict | list | tuple):
            return self.read_scalar(value, info, path)
        if len(path) >= MAXIMUM_DEPTH:
            self._report(path, "too_deep", f"must be at most {MAXIMUM_DEPTH} levels deep")
            return None
        if not isinstance(value, dict):
            return [self.read_free(item, info, (*path, index)) for index, item in enumerate(value)]
        items = self._items(value, path) or {}
        for key in items:
            if UNUSABLE_CHARACTER.search(key):
                self._report(
                    (*path, key), "bad_character", "the key must not contain NUL characters or lone surrogates"
                )
        return {key: self.read_free(item, info, (*path, key)) for key, item in items.items()}


_READERS: Final[dict[type[inspect.Type], Callable[[_Reader, object, Any, Path], object]]] = {
    inspect.StructType: _Reader.read_struct,
    inspect.DictType: _Reader.read_mapping,
    inspect.VarTupleType: _Reader.read_list,
    inspect.ListType: _Reader.read_list,
    inspect.UnionType: _Reader.read_union,
    inspect.AnyType: _Reader.read_free,
}


def _unknown_key(key: str, fields: dict[str, inspect.Field]) -> str:
    # Comparing takes quadratic time, and no key of ours is longer.
    near = difflib.get_close_matches(key, fields, n=1) if len(key) <= _LONGEST_SHOWN_KEY else []
    if near:
        return f"unknown key; did you mean '{near[0]}'?"
    return f"unknown key; known are {', '.join(fields)}"
