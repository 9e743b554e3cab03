"""Reading the query of an address, and writing it again with something else in it."""

from typing import TypeVar
from uuid import UUID

from django.core.paginator import Page, Paginator
from django.db.models import Model, QuerySet
from django.http import QueryDict

__all__ = ["page_number", "page_of_rows", "public_id", "without"]

Row = TypeVar("Row", bound=Model)


def page_number(text: str | None) -> int:
    """The number of a page, from 1; 1 for anything else."""
    # Beyond this no workspace has pages, and PostgreSQL has offsets.
    is_sound = text is not None and text.isascii() and text.isdecimal() and len(text) <= 6
    return max(1, int(text or 1)) if is_sound else 1


def page_of_rows(rows: QuerySet[Row], query: QueryDict, size: int) -> Page[Row]:
    """The page of rows that the address asks for, the last one if it asks for more; two queries."""
    return Paginator(rows, size).get_page(page_number(query.get("page")))


def public_id(text: str | None) -> UUID | None:
    """The id that the text is, or ``None``."""
    try:
        return UUID(text or "")
    except ValueError:
        return None


def without(query: QueryDict, *names: str) -> QueryDict:
    """The query without these parameters, free to be changed."""
    copy = query.copy()
    for name in names:
        copy.pop(name, None)
    return copy
