"""Values as the plain dicts, lists, text and numbers of their canonical document."""

from collections.abc import Iterator, Mapping
from enum import Enum
from functools import cache

import msgspec

__all__ = ["LARGEST_EXACT_INT", "document_fields", "is_whole", "to_plain"]

# Whole numbers up to here mean the same to every reader of JSON; JavaScript rounds larger ones.
# Source: RFC 7493 (I-JSON), section 2.2.
LARGEST_EXACT_INT = 9_007_199_254_740_991


def is_whole(number: float) -> bool:
    """Whether ``number`` has no fraction and is small enough to be written as an integer without loss."""
    return abs(number) <= LARGEST_EXACT_INT and number == int(number)


def to_plain(value: object) -> object:
    """``value`` in the one plain form that all equal values share.

    Keys keep their order: a struct's as declared, a mapping's as filled. Fields that equal their default are left out
    where the struct's type says so, also when they are equal without being identical. Numbers without a fraction are
    ``int``, so that 1 and 1.0 are written alike. Mappings and lists are new; nothing is checked.
    """
    if isinstance(value, msgspec.Struct):
        return {key: to_plain(item) for key, item in _written_fields(value)}
    if isinstance(value, Mapping):
        return {to_plain(key): to_plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [to_plain(item) for item in value]
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, float):
        return int(value) if is_whole(value) else value
    if value is None or isinstance(value, str | int):
        return value
    return msgspec.to_builtins(value)


def _written_fields(value: msgspec.Struct) -> Iterator[tuple[str, object]]:
    leaves_defaults_out = value.__struct_config__.omit_defaults
    for name, key, default in document_fields(type(value)):
        item = getattr(value, name)
        if not (leaves_defaults_out and item == default):
            yield key, item


@cache
def document_fields(type_: type[msgspec.Struct]) -> tuple[tuple[str, str, object], ...]:
    """Attribute name, document key and default of each field, as declared; looked up once per type."""
    return tuple((field.name, field.encode_name, field.default) for field in msgspec.structs.fields(type_))
