"""Cutting lists into pages."""

from collections.abc import Callable
from typing import Protocol, TypeVar

from django.db.models import Model, QuerySet

from studio.api.shapes import Page

__all__ = ["page_of"]

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")


class AsksForPage(Protocol):
    """A query that has the parameters of ``PageQuery``, perhaps beside others."""

    @property
    def page(self) -> int: ...
    @property
    def page_size(self) -> int: ...


def page_of(rows: QuerySet[Row], query: AsksForPage, write: Callable[[Row], Item]) -> Page[Item]:
    """The page that the query asks for, each row written by ``write``; two queries."""
    start = (query.page - 1) * query.page_size
    items = tuple(write(row) for row in rows[start : start + query.page_size])
    return Page(page=query.page, page_size=query.page_size, total=rows.count(), items=items)
