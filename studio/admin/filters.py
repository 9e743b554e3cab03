"""Filters of lists, and which query strings a list takes."""

import re
from typing import Any

from django.contrib.admin import SimpleListFilter
from django.http import HttpRequest
from unfold.contrib.filters.admin import RelatedDropdownFilter

from tenants.models import Installation

__all__ = ["InstallationFilter", "is_offered"]

# What the filters of Django and the theme append to the name of a column.
_SUFFIX = re.compile(r"(__id)?(__(exact|isnull|in|gte|lte|lt|gt))?|_(from|to)(_[01])?")


class InstallationFilter(RelatedDropdownFilter):
    """The installations by name, in one query."""

    def field_choices(self, field: Any, request: HttpRequest, model_admin: Any) -> list[tuple[int, str]]:
        """Those that the person may see."""
        rows = Installation.objects.select_related("tenant", "app")
        return [(row.pk, str(row)) for row in rows.order_by("tenant__slug", "app__slug", "environment")]


def is_offered(lookup: str, filters: Any) -> bool:
    """Whether one of the list's filters asks for this lookup.

    Django takes every column of the list's own table besides, which would let people guess a digest letter by letter.
    """
    for each in filters:
        if isinstance(each, type) and issubclass(each, SimpleListFilter):
            if lookup == each.parameter_name:
                return True
            continue
        column = each if isinstance(each, str) else each[0]
        if lookup.startswith(column) and _SUFFIX.fullmatch(lookup.removeprefix(column)):
            return True
    return False
