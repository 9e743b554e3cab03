"""The base of every value in the core: immutable, strict about unknown keys, camelCase in documents."""

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, NoReturn, TypeVar

import msgspec

__all__ = [
    "EMPTY_MAPPING",
    "EventName",
    "EventReference",
    "FrozenDict",
    "Identifier",
    "PositiveInt",
    "PropertyName",
    "Rate",
    "SpecName",
    "Value",
    "deep_freeze",
    "freeze_mappings",
]

K = TypeVar("K")
V = TypeVar("V")


class FrozenDict(dict[K, V]):
    """A dict that refuses every change and can be hashed; it keeps the order in which it was filled."""

    __slots__ = ()

    def _refuse(self, *_args: object, **_kwargs: object) -> NoReturn:
        raise TypeError("this mapping is frozen; build a new value instead")

    __setitem__ = __delitem__ = clear = pop = popitem = setdefault = update = __ior__ = _refuse

    def __hash__(self) -> int:  # type: ignore[override]
        return hash(tuple(self.items()))

    def __reduce__(self) -> tuple[type, tuple[Iterable[tuple[K, V]]]]:
        return type(self), (tuple(self.items()),)


# One shared instance: msgspec leaves a field out of a document when its value *is* the default.
EMPTY_MAPPING: FrozenDict[Any, Any] = FrozenDict()


class Value(
    msgspec.Struct,
    frozen=True,
    rename="camel",
    forbid_unknown_fields=True,
    omit_defaults=True,
):
    """Base of the values that are written in documents.

    Attributes are ``snake_case``; document keys are ``camelCase``; fields that hold their default are left out of a
    document; keys that the type does not name are refused.
    """


def deep_freeze(value: Any) -> Any:
    """A JSON value with every mapping in it a ``FrozenDict`` and every list a tuple; the rest as it is."""
    if isinstance(value, Mapping):
        return FrozenDict({key: deep_freeze(item) for key, item in value.items()}) if value else EMPTY_MAPPING
    if isinstance(value, list | tuple):
        return tuple(deep_freeze(item) for item in value)
    return value


def freeze_mappings(value: msgspec.Struct, *fields: str) -> None:
    """Make the named mapping fields of a new value immutable; called from ``__post_init__`` only."""
    for field in fields:
        mapping: Mapping[Any, Any] | None = getattr(value, field)
        if mapping is not None and type(mapping) is not FrozenDict:
            frozen = FrozenDict(mapping) if mapping else EMPTY_MAPPING
            msgspec.structs.force_setattr(value, field, frozen)


# Names are ASCII, so that look-alike letters cannot make two events that read the same. Event and property names
# admit what the clients that teams already have do send: "Order Completed", "$pageview", "session.id".
# The descriptions are shown by editors and in error messages. "(?!\n)$" because a bare "$" also matches before a final
# line break in Python, which would let a name end in one; it means the same in JSON Schema's regular expressions.
SpecName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z][a-z0-9_-]*(\.[a-z0-9_-]+)*(?!\n)$",
        max_length=128,
        description="lower-case words joined by dots, such as 'sigil.telemetry'",
    ),
]
EventName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z_$][A-Za-z0-9_$.:/ -]*(?!\n)$",
        max_length=200,
        description="ASCII letters, digits, spaces and any of _ $ . : / -, not starting with a digit",
    ),
]
# An event by name, or one version of it: "order_placed" or "order_placed@2". The version wins over the bare name.
EventReference = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z_$][A-Za-z0-9_$.:/ -]*(@[1-9][0-9]{0,9})?(?!\n)$",
        max_length=211,
        description="an event's name, or one version of it, such as 'order_placed@2'",
    ),
]
PropertyName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z_$][A-Za-z0-9_$. -]*(?!\n)$",
        max_length=128,
        description="ASCII letters, digits, spaces and any of _ $ . -, not starting with a digit",
    ),
]
Identifier = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]*(?!\n)$",
        max_length=128,
        description="ASCII letters, digits and any of _ . : -, starting with a letter or digit",
    ),
]
PositiveInt = Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
Rate = Annotated[float, msgspec.Meta(ge=0, le=1)]
