"""The balance: what came in, and what became of each event."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from studio.charts import Bar, Layer, stacked_bars
from studio.pages.installation import installation_or_404
from studio.pages.queries import public_id
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.models import EventTally
from telemetry.selectors.balance import Counts, counts_by_installation, counts_series
from telemetry.services.balance import draw_up_balance
from tenants.models import Installation
from tenants.selectors import installations_in_context

__all__ = ["balance_page"]

MOST_INSTALLATIONS: Final = 200
# From the bottom of a bar to its top.
LAYERS: Final = (
    Layer("stored", "stored"),
    Layer("sampled out", "sampled-out"),
    Layer("disabled", "disabled"),
    Layer("rejected", "rejected"),
    Layer("duplicate", "duplicate"),
)


class Period(NamedTuple):
    """How far back, in words and time, the length of a bar, and how its beginning is written."""

    words: str
    length: timedelta
    step: timedelta
    form: str


PERIODS: Final = {
    "hour": Period("Last hour", timedelta(hours=1), timedelta(minutes=1), "%H:%M"),
    "day": Period("Last 24 hours", timedelta(hours=24), timedelta(minutes=30), "%d %b %H:%M"),
    "week": Period("Last 7 days", timedelta(days=7), timedelta(hours=4), "%d %b %H:%M"),
    "month": Period("Last 30 days", timedelta(days=30), timedelta(days=1), "%d %b"),
}


def balance_page(request: HttpRequest) -> HttpResponse:
    """What all installations received, or one of them by event, in a chart and in numbers."""
    period_name = request.GET.get("period", "day")
    period = PERIODS.get(period_name, PERIODS["day"])
    start, end = _span(period, timezone.now())
    chosen = public_id(request.GET.get("installation"))
    installation = None if chosen is None else installation_or_404(chosen)
    event = _event(request.GET.get("event", ""))
    context: dict[str, Any] = {
        "installation": installation,
        "event": event,
        "period": period_name if period_name in PERIODS else "day",
        "periods": PERIODS.items(),
        "installations": list(installations_in_context()[:MOST_INSTALLATIONS]),
        "chart": _chart(installation, start, end, period, event),
        **(_by_installation(start, end) if installation is None else _by_event(installation, start, end, event)),
    }
    return render_page(request, "studio/pages/balance.html", noun=EventTally, title="Balance", page_title="", **context)


def _span(period: Period, now: datetime) -> tuple[datetime, datetime]:
    """The period up to and including the present step, in whole steps of UTC."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    end = day + ((now - day) // period.step + 1) * period.step
    return end - period.length, end


def _event(text: str) -> str | None:
    return text[:200] if text and not UNUSABLE_CHARACTER.search(text) else None


def _chart(installation: Installation | None, start: datetime, end: datetime, period: Period, event: str | None) -> str:
    key = None if installation is None else installation.pk
    series = counts_series(key, start, end, period.step, name=event if installation is not None else None)
    bars = [Bar(timezone.localtime(begin).strftime(period.form), _outcomes(counts)) for begin, counts in series]
    return stacked_bars(bars, LAYERS, title=f"Events by outcome, {period.words.lower()}")


def _outcomes(counts: Counts) -> Sequence[int]:
    return (counts.stored, counts.sampled_out, counts.disabled, counts.rejected, counts.duplicate)


def _by_installation(start: datetime, end: datetime) -> dict[str, Any]:
    found = counts_by_installation(start, end, limit=MOST_INSTALLATIONS)
    known = Installation.objects.select_related("tenant", "app").in_bulk([each.installation_id for each in found])
    total = Counts()
    for each in found:
        total = total.plus(each.counts)
    rows = [(known[each.installation_id], installation_words(known[each.installation_id]), each) for each in found]
    return {"rows": rows, "total": total, "is_balanced": total.is_balanced}


def _by_event(installation: Installation, start: datetime, end: datetime, event: str | None) -> dict[str, Any]:
    balance = draw_up_balance(installation, start, end, name=event)
    return {"balance": balance, "total": balance.total.counts, "is_balanced": balance.is_balanced}
