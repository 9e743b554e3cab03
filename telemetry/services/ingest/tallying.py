"""The tallies of one batch: rows for ``EventTally``, counted and sketched from what the pipeline made of each event."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from telemetry.core.anomaly.rules import counted_value
from telemetry.core.enums import EventOutcome
from telemetry.core.events import Accepted, Dropped, Rejected
from telemetry.models import EventTally
from telemetry.services.ingest.configs import IngestConfig, MetricRules
from telemetry.services.ingest.observation import Observation
from telemetry.services.ingest.processed import ProcessedBatch, ProcessedEvent
from telemetry.tallies.detail import NumberTally, TallyDetail, encode_detail
from telemetry.tallies.sketches import digest_of, sketch_subjects

__all__ = ["tally_batch"]

# What no event of the config could be found for: one bucket, however many names clients make up.
NOBODY: Final = ("", 0)


class Key(NamedTuple):
    """What one row is about."""

    name: str
    version: int
    minute: datetime


def tally_batch(batch: ProcessedBatch, *, maximum_age: timedelta) -> list[EventTally]:
    """The rows that account for every event of the batch; not saved yet."""
    groups: dict[Key, list[ProcessedEvent]] = {}
    received_minute = minute_of(batch.received_at)
    oldest = batch.received_at - maximum_age
    for event in batch.events:
        name, version = _subject_of(event)
        # What happened too long ago for anybody to look again counts when it came.
        minute = minute_of(event.occurred_at) if event.occurred_at >= oldest else received_minute
        groups.setdefault(Key(name, version, minute), []).append(event)
    return [_row(batch, received_minute, key, events) for key, events in groups.items()]


def minute_of(instant: datetime) -> datetime:
    """The beginning of the instant's minute."""
    return instant.replace(second=0, microsecond=0)


def _subject_of(event: ProcessedEvent) -> tuple[str, int]:
    match event.outcome:
        case Accepted(dispatch=dispatch):
            return dispatch.name, dispatch.version
        case Dropped(name=name, version=version):
            return name, version
        case Rejected(name=str(name), version=int(version)):
            return name, version
        case _:
            return NOBODY


def _row(batch: ProcessedBatch, received_minute: datetime, key: Key, events: Sequence[ProcessedEvent]) -> EventTally:
    words = Counter(event.word for event in events)
    fresh = [event for event in events if event.word is not EventOutcome.DUPLICATE]
    return EventTally(
        tenant_id=batch.installation.tenant_id,
        installation_id=batch.installation.pk,
        name=key.name,
        version=key.version,
        minute=key.minute,
        received_minute=received_minute,
        last_received_at=batch.received_at,
        received=len(events),
        stored=words[EventOutcome.STORED],
        sampled_out=words[EventOutcome.SAMPLED_OUT],
        disabled=words[EventOutcome.DISABLED],
        rejected=words[EventOutcome.REJECTED],
        duplicate=words[EventOutcome.DUPLICATE],
        violating=sum(bool(event.outcome.violations) for event in fresh),
        skewed=sum(event.is_skewed for event in fresh),
        detail=_detail(batch.config, key, fresh),
    )


def _detail(config: IngestConfig, key: Key, events: Iterable[ProcessedEvent]) -> bytes | None:
    """What was in the events; ``None`` when nothing could be looked into."""
    rules = config.events.get((key.name, key.version))
    compiled = None if config.compiled is None else config.compiled.find(key.name, key.version)
    if rules is None or compiled is None:
        return None
    observed = [event.observation for event in events if event.observation is not None]
    missing: Counter[str] = Counter()
    for present, count in Counter(each.present for each in observed).items():
        for name in compiled.properties.all.keys() - set(present):
            missing[name] += count
    detail = TallyDetail(
        valid=len(observed),
        values=_values(compiled.counted, observed),
        missing=dict(missing),
        subjects=sketch_subjects({each.subject for each in observed if each.subject is not None}),
    )
    for name in compiled.measured:
        values = [each.metrics[name] for each in observed if name in each.metrics]
        if values:
            detail.numbers[name] = _number(values, rules.metrics[name])
    return encode_detail(detail)


def _values(names: Sequence[str], observed: Sequence[Observation]) -> dict[str, dict[str, int]]:
    """How often each value of each counted property occurred; absent ones are among the missing."""
    counted: dict[str, dict[str, int]] = {}
    for place, name in enumerate(names):
        counts = Counter(each.values[place] for each in observed)
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
