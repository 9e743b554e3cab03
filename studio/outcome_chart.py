"""What became of events over time, as bars: on the balance page and the overview."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.utils import timezone
from django.utils.safestring import SafeString

from studio.charts import Bar, Layer, stacked_bars
from telemetry.selectors.balance import Counts, counts_series

__all__ = ["DAY", "Period", "outcome_chart"]

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

    def span(self, now: datetime) -> tuple[datetime, datetime]:
        """The period up to and including the present step, in whole steps of UTC."""
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        end = day + ((now - day) // self.step + 1) * self.step
        return end - self.length, end


DAY: Final = Period("Last 24 hours", timedelta(hours=24), timedelta(minutes=30), "%d %b %H:%M")


def outcome_chart(
    installation_id: int | None, start: datetime, end: datetime, period: Period, event: str | None = None
) -> SafeString:
    """The outcomes in each of the period's steps of [start, end); one query.

    Of one installation or all of the context, of one event or all.
    """
    series = counts_series(installation_id, start, end, period.step, name=event)
    bars = [Bar(timezone.localtime(begin).strftime(period.form), _outcomes(counts)) for begin, counts in series]
    return stacked_bars(bars, LAYERS, title=f"Events by outcome, {period.words.lower()}")


def _outcomes(counts: Counts) -> Sequence[int]:
    return (counts.stored, counts.sampled_out, counts.disabled, counts.rejected, counts.duplicate)
