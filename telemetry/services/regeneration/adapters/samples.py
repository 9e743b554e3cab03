"""Signals from windows of anomaly rules in which too few events are kept to judge again."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median
from typing import Final

from telemetry.core.defaults import DEFAULT_MINIMUM_SAMPLE
from telemetry.core.proposals import Signal, SignalKind
from telemetry.models import JudgedWindow
from telemetry.selectors.traffic import event_volumes
from telemetry.services.regeneration.noticed import Noticed, SpecBook

__all__ = ["sample_signals"]

DAYS: Final = 7
MOST_WINDOWS: Final = 2_016


def sample_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each event that is sampled and watched: what a usual window receives, and what of it is kept."""
    for volume in event_volumes(now.date() - timedelta(days=DAYS - 1)):
        published = specs.of_event(volume.name, volume.version)
        if published is None or not volume.sampled_out:
            continue
        event = next(
            each for each in published.spec.events if (each.name, each.version) == (volume.name, volume.version)
        )
        detection = event.anomaly_detection
        if detection is None or not (detection.thresholds or detection.rules):
            continue
        minimum = detection.minimum_sample or DEFAULT_MINIMUM_SAMPLE
        for rule, received in _samples(volume.name, volume.version, now).items():
            usual = float(median(received))
            signal = Signal(
                kind=SignalKind.SAMPLE,
                source=f"sample:{volume.name}@{volume.version}:{rule}",
                event=volume.name,
                event_version=volume.version,
                # One rate for the event, whichever rule suffers from it.
                subject="",
                strength=float(len(received)),
                facts={
                    "windows": len(received),
                    "received": usual,
                    "kept": round(usual * volume.kept_share, 2),
                    "minimum": minimum,
                },
            )
            yield Noticed(signal, published)


def _samples(name: str, version: int, now: datetime) -> dict[str, list[int]]:
    """How many events the last windows of each rule had, empty windows left out; one query."""
    rows = JudgedWindow.objects.filter(
        event_name=name, event_version=version, start__gte=now - timedelta(days=DAYS), sample__gt=0
    )
    found: dict[str, list[int]] = {}
    for rule, sample in rows.order_by("-start").values_list("rule", "sample")[:MOST_WINDOWS]:
        found.setdefault(rule, []).append(sample)
    return found
