"""Signals from sampling conditions: how often they held, and what lint says of them without any event."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from telemetry.core import defaults
from telemetry.core.lint import Finding, lint_spec
from telemetry.core.proposals import Signal, SignalKind
from telemetry.core.spec import EventDefinition, Sampling, TelemetrySpec
from telemetry.selectors.stored_facts import kept_by_probability
from telemetry.selectors.traffic import EventVolumes, event_volumes
from telemetry.services.regeneration.noticed import Noticed, PublishedSpec, SpecBook

__all__ = ["condition_signals", "lint_signals"]

DAYS: Final = 7
# What lint is certain of, and the share of events for which the conditions hold then.
CERTAIN: Final = {"condition_never_true": 0.0, "condition_always_true": 1.0}
# Rates are written as people write them; stored as doubles they are the same numbers.
SAME: Final = 1e-9


def condition_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each event whose conditions held for all or for none of what came since it was published."""
    volumes: dict[tuple[str, int], EventVolumes] | None = None
    for published, event, sampling in _conditional(specs):
        first = max(published.version.published_at, now - timedelta(days=DAYS))
        if volumes is None:
            volumes = {(each.name, each.version): each for each in event_volumes(now.date() - timedelta(days=DAYS))}
        volume = volumes.get((event.name, event.version))
        share = None if volume is None else _holding_share(published.spec, event, sampling, first)
        if share is None or volume is None:
            continue
        signal = Signal(
            kind=SignalKind.CONDITION,
            source=f"conditions:{event.name}@{event.version}",
            event=event.name,
            event_version=event.version,
            strength=float(volume.sampled),
            facts={"events": volume.sampled, "holding_share": share, "conditions": len(sampling.conditions)},
        )
        yield Noticed(signal, published)


def lint_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each published event of whose conditions lint is certain."""
    for published in {each.version.pk: each for each, _, _ in _conditional(specs)}.values():
        for finding in lint_spec(published.spec, today=now.date()):
            if finding.rule in CERTAIN and finding.event_index is not None:
                yield Noticed(_certain(published, finding, finding.event_index), published)


def _conditional(specs: SpecBook) -> Iterator[tuple[PublishedSpec, EventDefinition, Sampling]]:
    for published in specs.everything():
        for event in published.spec.events:
            if event.sampling is not None and event.sampling.conditions:
                yield published, event, event.sampling


def _certain(published: PublishedSpec, finding: Finding, index: int) -> Signal:
    event = published.spec.events[index]
    return Signal(
        kind=SignalKind.CONDITION,
        source=f"lint:{finding.rule}:{event.name}@{event.version}",
        event=event.name,
        event_version=event.version,
        strength=1.0,
        facts={"events": 0, "holding_share": CERTAIN[finding.rule], "is_certain": True},
    )


def _holding_share(spec: TelemetrySpec, event: EventDefinition, sampling: Sampling, since: datetime) -> float | None:
    """1 or 0 where all or none of what is stored was kept by the event's own rate; ``None`` in between, or unknown.

    What a rate of 0 leaves out is not stored, and what both rates keep alike tells nothing.
    """
    otherwise = default_rate(spec)
    if abs(sampling.rate - otherwise) < SAME or sampling.rate == 0 or otherwise == 0:
        return None
    kept = kept_by_probability(event.name, event.version, since)
    own = sum(count for rate, count in kept.items() if abs(rate - sampling.rate) < SAME)
    rest = sum(count for rate, count in kept.items() if abs(rate - otherwise) < SAME)
    # A tenant with rates of its own tells nothing about the spec's.
    if own + rest != sum(kept.values()) or not kept:
        return None
    return 1.0 if not rest else 0.0 if not own else None


def default_rate(spec: TelemetrySpec) -> float:
    """The rate of events that do not say their own."""
    own = None if spec.config is None else spec.config.default_sampling_rate
    return defaults.DEFAULT_SAMPLING_RATE if own is None else own
