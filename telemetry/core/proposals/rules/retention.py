"""Events that are kept longer than anybody reads back."""

from typing import Final

import msgspec

from telemetry.core.config import EventOverride
from telemetry.core.proposals.rules.case import Case, confidence_of
from telemetry.core.proposals.suggestion import Measure, Promise, Suggestion
from telemetry.core.spec import Retention

__all__ = ["retention_above_use"]

# Times as long as anybody reads back is far above use.
FAR: Final = 3
# The spans that the event store keeps apart, in days: shorter ones in between cost nothing less.
SPANS: Final = (7, 30, 90, 180, 365)
LEAST_READS: Final = 5


def retention_above_use(case: Case) -> Suggestion | None:
    """The event is kept for the least usual span that is twice as long as anybody reads back."""
    event, signal = case.event, case.signal
    kept, oldest, reads = signal.number("kept_days"), signal.number("oldest_read_days"), signal.number("reads")
    days = next((span for span in SPANS if span >= 2 * oldest), None)
    if days is None or reads < LEAST_READS or kept < FAR * max(oldest, 1.0) or days >= kept:
        return None
    retention = Retention(days=days) if event.retention is None else msgspec.structs.replace(event.retention, days=days)
    rows = int(signal.number("rows_beyond"))
    return Suggestion(
        rule="retention_above_use",
        subject="",
        title=f"Keep {event.name} for {days} days instead of {int(kept)}",
        summary=f"In {int(signal.number('days'))} days it was read {int(reads)} times, and never further back than "
        f"{oldest:.0f} days.",
        rationale=f"What is not kept cannot leak, and costs nothing. {rows} stored events are older than {days} days."
        if rows
        else "What is not kept cannot leak, and costs nothing.",
        confidence=confidence_of(reads, medium=20, high=100),
        blockers=("Yearly comparisons and audits may need more than was read so far.",),
        event=msgspec.structs.replace(event, retention=retention),
        own=EventOverride(retention_days=days),
        promise=Promise(measure=Measure.LONGEST_DAYS, before=kept, most=float(days), sample=1),
    )
