"""Reading the query of an address into a shape: what the shape does not name is refused, never ignored."""

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from django.http import HttpRequest
from msgspec import inspect

from studio.api.errors import InvalidQuery
from studio.api.shapes import Shape
from telemetry.core.errors import FieldError
from telemetry.core.shapes import read_shape
from telemetry.core.validation import foreign_error

__all__ = ["read_query"]

ShapeType = TypeVar("ShapeType", bound=Shape)

# More digits than any number that a query may hold.
_WHOLE: Final = re.compile(r"-?[0-9]{1,12}\Z")
_TRUTH: Final = {"1": True, "true": True, "0": False, "false": False}


def read_query(request: HttpRequest, type_: type[ShapeType]) -> ShapeType:
    """The query as a value of ``type_``; whole numbers are digits, truth is 1, 0, true or false, lists have commas.

    Raises ``InvalidQuery`` that names every parameter that is unknown, repeated or breaks a rule.
    """
    kinds = _kinds(type_)
    errors = [
        FieldError("repeated_parameter", name, "must be given once only")
        for name, values in request.GET.lists()
        if len(values) > 1
    ]
    given: dict[str, object] = {name: _plain(value, kinds.get(name)) for name, value in request.GET.items()}
    plain, broken = read_shape(given, type_)
    errors += [_in_words_of_queries(error) for error in broken]
    if errors:
        raise InvalidQuery(errors, what="query")
    try:
        return msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:  # an instant or an id, whose form the shape leaves to msgspec
        raise InvalidQuery([foreign_error(error)], what="query") from None


# Shapes are few, and each request would look into one anew.
@cache
def _kinds(type_: type[Shape]) -> Mapping[str, inspect.Type]:
    """The types of the parameters by name."""
    info = inspect.type_info(type_)
    fields = info.fields if isinstance(info, inspect.StructType) else ()
    return {field.encode_name: _without_none(field.type) for field in fields}


def _without_none(kind: inspect.Type) -> inspect.Type:
    """The type of a parameter that is there: ``int`` for ``int | None``, without the words that describe it."""
    if isinstance(kind, inspect.UnionType):
        kind = next(member for member in kind.types if not isinstance(member, inspect.NoneType))
    return kind.type if isinstance(kind, inspect.Metadata) else kind


def _plain(value: Any, kind: inspect.Type | None) -> object:
    """The text as the value that it stands for; what stands for none stays text, and the shape refuses it."""
    if isinstance(kind, inspect.IntType) and _WHOLE.match(value):
        return int(value)
    if isinstance(kind, inspect.VarTupleType):
        return value.split(",") if value else []
    if isinstance(kind, inspect.BoolType):
        return _TRUTH.get(value, value)
    return value


def _in_words_of_queries(error: FieldError) -> FieldError:
    if error.code == "unknown_key":
        return FieldError("unknown_parameter", error.path, "there is no such parameter here")
    if error.code == "missing_key":
        return FieldError("missing_parameter", error.path, error.message)
    return error
