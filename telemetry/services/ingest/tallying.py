"""The tallies of one batch: rows for ``EventTally``, counted and sketched from what the pipeline made of each event."""

from collections import Counter
from collections.abc import Iterable, Sequence, Set
from datetime import datetime, timedelta
from typing import Final

from telemetry.core.anomaly.rules import counted_value
from telemetry.core.enums import EventOutcome
from telemetry.core.observation import Observation
from telemetry.models.event_tally import TallyCounts
from telemetry.services.ingest.configs import IngestConfig, MetricRules
from telemetry.services.ingest.processed import DUPLICATE, Contract, ProcessedBatch, ProcessedEvent
from telemetry.stores.tallies import TallyRow
from telemetry.tallies.detail import NumberTally, TallyDetail, encode_detail
from telemetry.tallies.sketches import digest_of, sketch_subjects

__all__ = ["tally_batch"]

# What no event of the config could be found for: one bucket, however many names clients make up.
NOBODY: Final[Contract] = ("", 0)


def tally_batch(batch: ProcessedBatch, *, maximum_age: timedelta) -> list[TallyRow]:
    """The rows that account for every event of the batch; not saved yet."""
    oldest = batch.received_at - maximum_age
    return [
        _row(batch, contract or NOBODY, minute, events)
        for contract, group in batch.groups.items()
        for minute, events in _by_minute(group, oldest, batch.received_at)
    ]


def minute_of(instant: datetime) -> datetime:
    """The beginning of the instant's minute."""
    return instant.replace(second=0, microsecond=0)


def _by_minute(
    events: Sequence[ProcessedEvent], oldest: datetime, received_at: datetime
) -> Iterable[tuple[datetime, Sequence[ProcessedEvent]]]:
    """The events by the minute in which they happened; what happened too long ago counts when it came."""
    instants = [event.occurred_at for event in events]
    first = minute_of(min(instants))
    if first == minute_of(max(instants)) and first >= oldest:
        return [(first, events)]
    minutes: dict[datetime, list[ProcessedEvent]] = {}
    for event, instant in zip(events, instants, strict=True):
        minutes.setdefault(minute_of(instant if instant >= oldest else received_at), []).append(event)
    return minutes.items()


def _row(batch: ProcessedBatch, contract: Contract, minute: datetime, events: Sequence[ProcessedEvent]) -> TallyRow:
    name, version = contract
    words = Counter([event.word for event in events])
    fresh = events
    if words[DUPLICATE]:
        fresh = [event for event in events if event.word is not DUPLICATE]
    return TallyRow(
        tenant_id=batch.installation.tenant_id,
        installation_id=batch.installation.pk,
        name=name,
        version=version,
        minute=minute,
        received_minute=minute_of(batch.received_at),
        last_received_at=batch.received_at,
        is_merged=False,
        detail=_detail(batch.config, name, version, fresh),
        counts=TallyCounts(
            received=len(events),
            stored=words[EventOutcome.STORED],
            sampled_out=words[EventOutcome.SAMPLED_OUT],
            disabled=words[EventOutcome.DISABLED],
            rejected=words[EventOutcome.REJECTED],
            duplicate=words[EventOutcome.DUPLICATE],
            violating=sum([1 for event in fresh if event.outcome.violations]),
            skewed=sum([1 for event in fresh if event.is_skewed]),
        ),
    )


def _detail(config: IngestConfig, name: str, version: int, events: Iterable[ProcessedEvent]) -> bytes | None:
    """What was in the events; ``None`` when nothing could be looked into."""
    rules = config.events.get((name, version))
    compiled = None if config.compiled is None else config.compiled.find(name, version)
    if rules is None or compiled is None:
        return None
    observed = [event.observation for event in events if event.observation is not None]
    detail = TallyDetail(
        valid=len(observed),
        values=_values(compiled.counted, observed),
        missing=_missing(compiled.properties.all.keys(), observed),
        subjects=sketch_subjects({each.subject for each in observed if each.subject is not None}),
    )
    for metric, numbers in _numbers(observed).items():
        detail.numbers[metric] = _number(numbers, rules.metrics[metric])
    return encode_detail(detail)


def _missing(declared: Set[str], observed: Sequence[Observation]) -> dict[str, int]:
    """How many had which declared property not; most have all of them."""
    missing: Counter[str] = Counter()
    incomplete = [each.present for each in observed if len(each.present) < len(declared)]
    for present, count in Counter(incomplete).items():
        for absent in declared - set(present):
            missing[absent] += count
    return dict(missing)


def _numbers(observed: Sequence[Observation]) -> dict[str, list[float]]:
    """By property, all its numbers; a column at a time, as most events have the same."""
    alike: dict[tuple[str, ...], list[tuple[float, ...]]] = {}
    for each in observed:
        alike.setdefault(each.measured, []).append(each.numbers)
    found: dict[str, list[float]] = {}
    for names, rows in alike.items():
        for name, column in zip(names, zip(*rows, strict=True), strict=True):
            found.setdefault(name, []).extend(column)
    return found


def _values(names: Sequence[str], observed: Sequence[Observation]) -> dict[str, dict[str, int]]:
    """How often each value of each counted property occurred; absent ones are among the missing."""
    counted: dict[str, dict[str, int]] = {}
    columns = zip(*[each.values for each in observed], strict=True)
    for name, column in zip(names, columns, strict=False):
        counts = Counter(column)
        counts.pop(None, None)
        if counts:
            counted[name] = {counted_value(value): count for value, count in counts.items()}
    return counted


def _number(values: Sequence[float], rules: MetricRules) -> NumberTally:
    beyond = {word: sum(map(is_beyond, values)) for word, is_beyond in rules.limits}
    if rules.is_withheld:
        return NumberTally(len(values), 0.0, 0.0, 0.0, b"", beyond)
    shown = values if rules.coarsen is None else list(map(rules.coarsen, values))
    return NumberTally(len(shown), sum(shown), min(shown), max(shown), digest_of(shown), beyond)
