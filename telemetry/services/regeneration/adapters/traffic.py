"""Signals from how much comes: floods, events that nobody sends, and properties that never come."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from django.db.migrations.recorder import MigrationRecorder

from telemetry.core.proposals import Signal, SignalKind
from telemetry.core.spec import EventDefinition
from telemetry.models import EventUse, ProviderRecord, SpecVersion
from telemetry.selectors.traffic import EventVolumes, event_volumes, recent_detail
from telemetry.services.regeneration.noticed import Noticed, PublishedSpec, SpecBook

__all__ = ["unused_signals", "volume_signals"]

WEEK: Final = 7
# What comes once a month comes within five weeks.
UNUSED_DAYS: Final = 35
# Fewer are never worth sampling, see ``telemetry.core.proposals.rules.volume``.
LEAST_PER_DAY: Final = 30_000
MOST_TALLIES: Final = 2_000


def volume_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each event that comes very often, all tenants together."""
    for volume in event_volumes(now.date() - timedelta(days=WEEK - 1)):
        per_day = volume.sampled / max(1, volume.days)
        published = specs.of_event(volume.name, volume.version)
        if published is None or per_day < LEAST_PER_DAY:
            continue
        signal = Signal(
            kind=SignalKind.VOLUME,
            source=f"volume:{volume.name}@{volume.version}",
            event=volume.name,
            event_version=volume.version,
            strength=per_day,
            facts={"per_day": round(per_day), "kept_share": round(volume.kept_share, 4), "days": volume.days},
        )
        yield Noticed(signal, published)


def unused_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each event that nobody sent or read for weeks, and each property that none of its events had."""
    first = now.date() - timedelta(days=UNUSED_DAYS - 1)
    volumes = {(each.name, each.version): each for each in event_volumes(first)}
    readers = _Readers(now)
    for published in specs.everything():
        is_old = _first_published(published) <= now - timedelta(days=UNUSED_DAYS)
        for event in published.spec.events:
            volume = volumes.get((event.name, event.version))
            if event.deprecation is not None:
                continue
            if volume is not None:
                yield from _unused_properties(published, event, volume, now)
            if is_old and (volume is None or not readers.read(event, volume)):
                yield _unused_event(published, event, volume)


def _first_published(published: PublishedSpec) -> datetime:
    """When the oldest version of the spec was published that the present one continues; one query."""
    first = SpecVersion.objects.filter(spec_id=published.version.spec_id).order_by("version")
    return first.values_list("published_at", flat=True)[0]


def _unused_event(published: PublishedSpec, event: EventDefinition, volume: EventVolumes | None) -> Noticed:
    signal = Signal(
        kind=SignalKind.UNUSED_EVENT,
        source=f"unused:{event.name}@{event.version}",
        event=event.name,
        event_version=event.version,
        strength=float(UNUSED_DAYS),
        facts={
            "days": UNUSED_DAYS,
            "reason": "never_sent" if volume is None else "never_read",
            "events": 0 if volume is None else volume.received,
        },
    )
    return Noticed(signal, published)


def _unused_properties(
    published: PublishedSpec, event: EventDefinition, volume: EventVolumes, now: datetime
) -> Iterator[Noticed]:
    optional = [name for name, definition in event.properties.items() if not definition.required]
    if not optional or volume.received < 100:
        return
    detail = recent_detail(event.name, event.version, now.date() - timedelta(days=WEEK - 1), limit=MOST_TALLIES)
    for name in optional:
        if detail.valid and detail.missing.get(name, 0) == detail.valid:
            signal = Signal(
                kind=SignalKind.UNUSED_PROPERTY,
                source=f"unused:{event.name}@{event.version}:{name}",
                event=event.name,
                event_version=event.version,
                subject=name,
                strength=float(detail.valid),
                facts={"events": detail.valid, "days": WEEK},
            )
            yield Noticed(signal, published)


def _counted_since() -> datetime:
    """Since when reads are counted: the table for it came with its migration; one query."""
    applied = MigrationRecorder.Migration.objects.filter(app="telemetry", name__endswith="_proposals")
    first: datetime = applied.order_by("applied").values_list("applied", flat=True)[0]
    return first


class _Readers:
    """Whether anybody reads an event: a person, a provider that it is passed on to, or an anomaly rule."""

    def __init__(self, now: datetime) -> None:
        since = now.date() - timedelta(days=UNUSED_DAYS - 1)
        used = EventUse.objects.filter(day__gte=since).order_by().values_list("event_name", "event_version")
        self._used = set(used.distinct())
        self._is_passed_on = ProviderRecord.objects.filter(is_enabled=True).exists()
        self._since = since
        # Nobody counted reads before; what an upgrade finds is not unread for that.
        self._is_counted = _counted_since() <= now - timedelta(days=UNUSED_DAYS)

    def read(self, event: EventDefinition, volume: EventVolumes) -> bool:
        detection = event.anomaly_detection
        is_watched = detection is not None and bool(detection.thresholds or detection.rules)
        # What came only lately had no time to be read.
        is_young = volume.first_day > self._since
        return (
            is_young
            or is_watched
            or not self._is_counted
            or self._is_passed_on
            or (event.name, event.version) in self._used
        )
