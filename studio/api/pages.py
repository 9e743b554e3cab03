"""Cutting lists into pages."""

from collections.abc import Callable
from typing import TypeVar

from django.db.models import Model, QuerySet

from studio.api.shapes import Page, PageQuery

__all__ = ["page_of"]

Row = TypeVar("Row", bound=Model)
Item = TypeVar("Item")


def page_of(rows: QuerySet[Row], query: PageQuery, write: Callable[[Row], Item]) -> Page[Item]:
    """The page that the query asks for, each row written by ``write``; two queries."""
    start = (query.page - 1) * query.page_size
    items = tuple(write(row) for row in rows[start : start + query.page_size])
    return Page(page=query.page, page_size=query.page_size, total=rows.count(), items=items)
