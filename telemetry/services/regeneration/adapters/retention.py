"""Signals from who reads stored events, and from what would be purged if they were kept for less."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.models import Max, Sum

from telemetry.core import defaults
from telemetry.core.proposals import Signal, SignalKind
from telemetry.core.spec import EventDefinition, TelemetrySpec
from telemetry.models import EventUse
from telemetry.services.regeneration.noticed import Noticed, SpecBook
from telemetry.stores.chosen import EVENT_STORE

__all__ = ["retention_signals"]

# A quarter, so that what is looked at at its end is seen.
DAYS: Final = 92
SECONDS_A_DAY: Final = 86_400
# Times as long as anybody reads back; what is older is what nobody missed.
FAR: Final = 3


def retention_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each event that was read in the last quarter, all tenants together."""
    since = now.date() - timedelta(days=DAYS)
    rows = EventUse.objects.filter(day__gte=since).order_by().values_list("event_name", "event_version")
    for (
        name,
        version,
        reads,
        oldest,
    ) in rows.annotate(Sum("reads"), Max("oldest_seconds")):
        published = specs.of_event(name, version)
        if published is None:
            continue
        event = next(each for each in published.spec.events if (each.name, each.version) == (name, version))
        kept, read_days = kept_days(published.spec, event), oldest / SECONDS_A_DAY
        if kept < FAR * max(read_days, 1.0):
            continue
        signal = Signal(
            kind=SignalKind.RETENTION,
            source=f"reads:{name}@{version}",
            event=name,
            event_version=version,
            strength=float(reads),
            facts={
                "kept_days": kept,
                "oldest_read_days": round(read_days, 2),
                "reads": reads,
                "days": DAYS,
                "rows_beyond": _rows_beyond(name, version, now, max(7.0, FAR * read_days)),
            },
        )
        yield Noticed(signal, published)


def kept_days(spec: TelemetrySpec, event: EventDefinition) -> int:
    """How long the spec keeps the event."""
    if event.retention is not None:
        return event.retention.days
    own = None if spec.config is None else spec.config.default_retention_days
    return defaults.DEFAULT_RETENTION_DAYS if own is None else own


def _rows_beyond(name: str, version: int, now: datetime, days: float) -> int:
    """How many stored events are older than that, at the installations where it was read; one query for each."""
    readers = EventUse.objects.filter(event_name=name, event_version=version).order_by()
    ids = readers.values_list("installation_id", flat=True).distinct()[:50]
    end = now - timedelta(days=days)
    start = end - timedelta(days=3_650)
    return sum(EVENT_STORE.counts(each, start, end).get((name, version), 0) for each in ids)
