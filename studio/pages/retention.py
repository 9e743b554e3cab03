"""Retention: what is kept how long, what goes with the next run, and what is held."""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from studio.pages.installation import installation_or_404
from studio.pages.queries import page_number, public_id, without
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from telemetry.core.retention import RetentionClass
from telemetry.models import StoredDay
from telemetry.selectors.retention import waiting_runs
from telemetry.services.purging.previewing import preview_next_run
from telemetry.services.retention_overview import ClassSum, overview_of, sums_by_class
from telemetry.stores.due import known_partitions, stored_groups
from tenants.models import Installation
from tenants.selectors import installations_in_context

__all__ = ["retention_page"]

PAGE_SIZE: Final = 25
WORDS: Final = {
    RetentionClass.HOLD: "Held",
    RetentionClass.WEEK: "7 days",
    RetentionClass.MONTH: "30 days",
    RetentionClass.QUARTER: "90 days",
    RetentionClass.HALF_YEAR: "180 days",
    RetentionClass.YEAR: "1 year",
    RetentionClass.TWO_YEARS: "2 years",
    RetentionClass.CENTURY: "longer",
}


class Bar(NamedTuple):
    """One class of the timeline: ``stays``, ``goes`` and ``held`` are shares of the fullest class, in percent."""

    word: str
    sums: ClassSum
    stays: float
    goes: float
    held: float

    @property
    def offset(self) -> float:
        """Where the part begins that stays."""
        return self.held + self.goes


def retention_page(request: HttpRequest) -> HttpResponse:
    """All installations with what they keep, or one of them by event."""
    chosen = public_id(request.GET.get("installation"))
    installation = None if chosen is None else installation_or_404(chosen)
    shown = _by_installation(request) if installation is None else _by_event(installation)
    context: dict[str, Any] = {"installation": installation, "waiting": list(waiting_runs()[:10]), **shown}
    return render_page(
        request, "studio/pages/retention.html", noun=StoredDay, title="Retention", page_title="", **context
    )


def _by_event(installation: Installation) -> dict[str, Any]:
    overview = overview_of(installation, now=timezone.now())
    return {
        "where": installation_words(installation),
        "events": overview.events,
        "warned": overview.warned,
        "preview": overview.preview,
        "bars": _bars(overview.classes),
        "rows": sum(each.rows for each in overview.classes),
        "size_bytes": sum(each.size_bytes for each in overview.classes),
    }


def _by_installation(request: HttpRequest) -> dict[str, Any]:
    page = Paginator(installations_in_context(), PAGE_SIZE).get_page(page_number(request.GET.get("page")))
    installations = list(page.object_list)
    known = known_partitions()
    groups = stored_groups([each.pk for each in installations], known=known)
    preview = preview_next_run(installations, now=timezone.now(), known=known)
    sums: dict[int, list[int]] = {each.pk: [0, 0, 0, 0] for each in installations}
    for group in groups:
        sums[group.installation_id][0] += group.rows
        sums[group.installation_id][1] += group.size_bytes
    for item in preview.items:
        sums[item.installation_id][2] += item.rows
        sums[item.installation_id][3] += item.held
    classes = sums_by_class(groups, preview)
    return {
        "page": page,
        "query": without(request.GET, "page").urlencode(),
        "places": [(each, installation_words(each), *sums[each.pk]) for each in installations],
        "preview": preview,
        "bars": _bars(classes),
        "rows": sum(each.rows for each in classes),
        "size_bytes": sum(each.size_bytes for each in classes),
    }


def _bars(classes: Sequence[ClassSum]) -> list[Bar]:
    fullest = max((each.rows for each in classes), default=0) or 1
    return [_bar(each, fullest) for each in classes]


def _bar(sums: ClassSum, fullest: int) -> Bar:
    held = sums.rows if sums.retention_class is RetentionClass.HOLD else sums.held
    return Bar(
        WORDS[sums.retention_class],
        sums,
        stays=100 * (sums.rows - sums.due - held) / fullest,
        goes=100 * sums.due / fullest,
        held=100 * held / fullest,
    )
