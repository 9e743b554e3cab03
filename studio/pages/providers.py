"""The providers of all installations: where events go, and how that goes."""

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils.safestring import SafeString

from studio.pages.provider_words import error_words, state_chip
from studio.pages.queries import page_of_rows, without
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from studio.people import actor_of
from telemetry.models import ProviderRecord
from telemetry.selectors.providers import Owed, owed, providers

__all__ = ["providers_page"]

PAGE_SIZE: Final = 50


class ShownProvider(NamedTuple):
    """A row of the list."""

    row: ProviderRecord
    where: SafeString
    state: SafeString
    trouble: str
    owed: Owed


def providers_page(request: HttpRequest) -> HttpResponse:
    """Every provider of the tenants that the person may see."""
    page = page_of_rows(providers(), request.GET, PAGE_SIZE)
    context: dict[str, Any] = {
        "page": page,
        "rows": list(_shown(list(page.object_list))),
        "query": without(request.GET, "page").urlencode(),
        "may_connect": actor_of(request).can_somewhere("provider.manage"),
    }
    return render_page(
        request, "studio/pages/providers.html", noun=ProviderRecord, title="Providers", page_title="", **context
    )


def _shown(rows: list[ProviderRecord]) -> Iterator[ShownProvider]:
    counts = owed([row.pk for row in rows])
    for row in rows:
        yield ShownProvider(
            row=row,
            where=installation_words(row.installation),
            state=state_chip(row),
            trouble=error_words(row.last_error, row.last_status) if row.failures else "",
            owed=counts[row.pk],
        )
