"""What bodies and queries look like: one type says what is read, what is written, and what the schema shows."""

from typing import Annotated, Generic, TypeVar

import msgspec

__all__ = ["NoQuery", "Page", "PageQuery", "Shape"]

Item = TypeVar("Item")


class Shape(msgspec.Struct, frozen=True, kw_only=True, rename="camel", forbid_unknown_fields=True):
    """Base of the bodies and queries of the API: camelCase, unknown keys refused."""


class NoQuery(Shape, frozen=True, kw_only=True):
    """The address takes no parameters."""


class PageQuery(Shape, frozen=True, kw_only=True):
    """Which part of a list: pages count from 1."""

    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 25


class Page(Shape, Generic[Item], frozen=True, kw_only=True):
    """One part of a list; a page after the last one is empty. ``total`` counts the whole list."""

    page: int
    page_size: int
    total: int
    items: tuple[Item, ...]
