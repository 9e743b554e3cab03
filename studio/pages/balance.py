"""The balance: what came in, and what became of each event."""

from datetime import datetime, timedelta
from typing import Any, Final

from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from studio.outcome_chart import DAY, Period, outcome_chart
from studio.pages.installation import installation_or_404
from studio.pages.queries import public_id
from studio.pages.shell import render_page
from studio.pages.violation_words import installation_words
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.models import EventTally
from telemetry.selectors.balance import Counts, counts_by_installation
from telemetry.services.balance import draw_up_balance
from tenants.models import Installation
from tenants.selectors import installations_in_context

__all__ = ["balance_page"]

MOST_INSTALLATIONS: Final = 200
PERIODS: Final = {
    "hour": Period("Last hour", timedelta(hours=1), timedelta(minutes=1), "%H:%M"),
    "day": DAY,
    "week": Period("Last 7 days", timedelta(days=7), timedelta(hours=4), "%d %b %H:%M"),
    "month": Period("Last 30 days", timedelta(days=30), timedelta(days=1), "%d %b"),
}


def balance_page(request: HttpRequest) -> HttpResponse:
    """What all installations received, or one of them by event, in a chart and in numbers."""
    period_name = request.GET.get("period", "day")
    period = PERIODS.get(period_name, DAY)
    start, end = period.span(timezone.now())
    chosen = public_id(request.GET.get("installation"))
    installation = None if chosen is None else installation_or_404(chosen)
    key = None if installation is None else installation.pk
    event = _event(request.GET.get("event", ""))
    context: dict[str, Any] = {
        "installation": installation,
        "event": event,
        "period": period_name if period_name in PERIODS else "day",
        "periods": PERIODS.items(),
        "installations": list(installations_in_context()[:MOST_INSTALLATIONS]),
        "chart": outcome_chart(key, start, end, period, event if installation else None),
        **(_by_installation(start, end) if installation is None else _by_event(installation, start, end, event)),
    }
    return render_page(request, "studio/pages/balance.html", noun=EventTally, title="Balance", page_title="", **context)


def _event(text: str) -> str | None:
    return text[:200] if text and not UNUSABLE_CHARACTER.search(text) else None


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
