"""Where the pages of nouns and rows are."""

from django.contrib.admin.utils import quote
from django.db.models import Model
from django.urls import reverse
from django.utils.http import urlencode

__all__ = ["address_of", "list_address", "page_address"]


def address_of(row: Model) -> str:
    """The row's own page."""
    return reverse(f"{_name(row)}_change", args=[quote(_key(row))])


def page_address(row: Model, page: str) -> str:
    """Another page of the row, by its name."""
    return reverse(f"{_name(row)}_{page}", args=[_key(row)])


def list_address(noun: type[Model] | Model, **filters: object) -> str:
    """The noun's list, filtered by exact values of columns."""
    query = urlencode({f"{column}__exact": str(value) for column, value in filters.items()})
    return reverse(f"{_name(noun)}_changelist") + (f"?{query}" if query else "")


def _name(noun: type[Model] | Model) -> str:
    return f"admin:{noun._meta.app_label}_{noun._meta.model_name}"


def _key(row: Model) -> str:
    # Numbers in addresses could be counted through, so rows that have a public id go by it.
    return str(getattr(row, "public_id", row.pk))
