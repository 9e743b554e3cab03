"""Replaying what came in lately under another config, event by event."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.utils import timezone

from telemetry.core.compiled import CompiledConfig, compile_config
from telemetry.core.config import EffectiveConfig, EffectiveEvent
from telemetry.core.enums import EventOutcome
from telemetry.core.errors import Conflict, UnknownEvent
from telemetry.core.events import Envelope
from telemetry.core.rehearsal import Rehearsed, rehearse
from telemetry.models import SampledEvent
from telemetry.selectors.balance import Counts, EventCounts, counts_by_event
from telemetry.selectors.metric_windows import EventKey
from telemetry.services.anomalies.backtest import backtest_event
from telemetry.services.what_if.sampling import open_sample
from tenants.models import Installation

__all__ = ["DAYS", "Change", "EventConsequence", "replay_events"]

# How far back counts and backtests look; a week has every weekday once.
DAYS: Final = 7
# Of one event at one installation, the latest.
MOST_SAMPLES: Final = 200
# Each reads the windows of a week and its history.
MOST_BACKTESTS: Final = 12
# What is counted in the balance, by what became of it; duplicates say nothing new.
OUTCOMES: Final = (EventOutcome.STORED, EventOutcome.SAMPLED_OUT, EventOutcome.DISABLED, EventOutcome.REJECTED)


class Change(NamedTuple):
    """A number as it is now, and as it would be."""

    before: int
    after: int

    @property
    def difference(self) -> int:
        """How much more there would be."""
        return self.after - self.before


class EventConsequence(NamedTuple):
    """What would become of one event at one installation, in numbers of the last ``DAYS``.

    ``kept``, ``rejected`` and ``violating`` count events, ``hidden`` values, ``incidents`` those that there would have
    been (``None`` if no anomaly rule changes). ``received`` leaves duplicates out. It was tried on ``sample`` sampled
    events; with none, it is told by rates alone. ``is_new`` and ``is_gone`` say that only one of the two
    configs has the event.
    """

    name: str
    version: int
    received: int
    kept: Change
    hidden: Change
    violating: Change
    rejected: Change
    incidents: Change | None
    sample: int
    is_new: bool = False
    is_gone: bool = False


class Averages(NamedTuple):
    """What becomes of an event of one outcome, on average: shares (0-1), and values per event."""

    kept: float
    rejected: float
    violating: float
    hidden: float


def replay_events(
    installation: Installation, before: EffectiveConfig, after: EffectiveConfig, *, now: datetime | None = None
) -> list[EventConsequence]:
    """What would become of each event that the two configs treat differently, in the order of ``after``.

    Counts are exact for what is; what would be follows from the sampled events of each outcome, or from the rates where
    there is none. Two queries, and one for each anomaly rule of events whose rules change.
    """
    now = now or timezone.now()
    pairs = list(_changed(before, after))
    if not pairs:
        return []
    counts = _counts(installation, now)
    samples = _samples(installation, {key.name for key, _, _ in pairs}, now)
    replay = _Replay(installation, compile_config(before), compile_config(after), now)
    return [replay.event(key, old, new, counts, samples) for key, old, new in pairs]


def _changed(
    before: EffectiveConfig, after: EffectiveConfig
) -> Iterator[tuple[EventKey, EffectiveEvent | None, EffectiveEvent | None]]:
    old = {EventKey(event.name, event.version): event for event in before.events}
    new = {EventKey(event.name, event.version): event for event in after.events}
    is_other = before.undeclared_properties != after.undeclared_properties
    for key in dict.fromkeys((*new, *old)):
        if is_other or old.get(key) != new.get(key):
            yield key, old.get(key), new.get(key)


def _counts(installation: Installation, now: datetime) -> dict[EventKey, Counts]:
    end = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    rows: Sequence[EventCounts] = counts_by_event(installation.pk, end - timedelta(days=DAYS), end)
    return {EventKey(row.name, row.version): row.counts for row in rows}


def _samples(
    installation: Installation, names: set[str], now: datetime
) -> Mapping[EventKey, Mapping[EventOutcome, list[Envelope]]]:
    """The latest sampled events, by event and outcome; those of no known version under version 0."""
    rows = SampledEvent.objects.filter(
        installation_id=installation.pk, event_name__in=names, expires_at__gt=now
    ).order_by("-received_at", "-id")
    found: dict[EventKey, dict[EventOutcome, list[Envelope]]] = defaultdict(lambda: defaultdict(list))
    taken: Counter[EventKey] = Counter()
    for row in rows[: MOST_SAMPLES * len(names)]:
        key = EventKey(row.event_name, row.event_version)
        if taken[key] < MOST_SAMPLES and (envelope := open_sample(row.tenant_id, bytes(row.sealed))) is not None:
            taken[key] += 1
            found[key][EventOutcome(row.outcome)].append(envelope)
    return found


class _Replay:
    """The two configs, ready to run."""

    def __init__(
        self, installation: Installation, before: CompiledConfig, after: CompiledConfig, now: datetime
    ) -> None:
        self.installation, self.before, self.after, self.now = installation, before, after, now
        self.backtests_left = MOST_BACKTESTS

    def event(
        self,
        key: EventKey,
        old: EffectiveEvent | None,
        new: EffectiveEvent | None,
        counts: Mapping[EventKey, Counts],
        samples: Mapping[EventKey, Mapping[EventOutcome, list[Envelope]]],
    ) -> EventConsequence:
        """One event; what no event is known for is tried on a new one of its name."""
        counted = counts.get(key, Counts())
        found = samples.get(key) or (samples.get(EventKey(key.name, 0)) if old is None else None) or {}
        was, would = (self._expected(counted, found, config, event) for config, event in self._sides(old, new))
        received = counted.received - counted.duplicate
        return EventConsequence(
            name=key.name,
            version=key.version,
            received=received,
            kept=_change(counted.stored, was.kept, would.kept, received),
            hidden=Change(round(was.hidden), round(would.hidden)),
            violating=_change(counted.violating, was.violating, would.violating, received),
            rejected=_change(counted.rejected, was.rejected, would.rejected, received),
            incidents=self._incidents(key, old, new),
            sample=sum(map(len, found.values())),
            is_new=old is None,
            is_gone=new is None,
        )

    def _sides(
        self, old: EffectiveEvent | None, new: EffectiveEvent | None
    ) -> tuple[tuple[CompiledConfig, EffectiveEvent | None], ...]:
        return (self.before, old), (self.after, new)

    def _expected(
        self,
        counted: Counts,
        samples: Mapping[EventOutcome, list[Envelope]],
        config: CompiledConfig,
        event: EffectiveEvent | None,
    ) -> Averages:
        """How many events of the counted ones this config would keep, refuse and so on."""
        kept = rejected = violating = hidden = 0.0
        for outcome in OUTCOMES:
            number = getattr(counted, outcome.value)
            if number:
                average = _average([rehearse(each, config) for each in samples.get(outcome, ())]) or _by_rates(
                    outcome, event
                )
                kept += number * average.kept
                rejected += number * average.rejected
                violating += number * average.violating
                hidden += number * average.hidden
        return Averages(kept, rejected, violating, hidden)

    def _incidents(self, key: EventKey, old: EffectiveEvent | None, new: EffectiveEvent | None) -> Change | None:
        if old is None or new is None or old.anomaly_detection == new.anomaly_detection or self.backtests_left <= 0:
            return None
        self.backtests_left -= 1
        try:
            before, after = (
                backtest_event(
                    installation=self.installation,
                    event=key,
                    detection=event.anomaly_detection,
                    now=self.now,
                    days=DAYS,
                )
                for event in (old, new)
            )
        except (Conflict, UnknownEvent):
            return None
        return Change(*(sum(len(each.episodes) for each in found) for found in (before, after)))


def _average(found: Sequence[Rehearsed]) -> Averages | None:
    if not found:
        return None
    return Averages(
        kept=sum(each.chance for each in found) / len(found),
        rejected=sum(each.is_refused for each in found) / len(found),
        violating=sum(each.is_violating for each in found) / len(found),
        hidden=sum(each.chance * each.hidden for each in found) / len(found),
    )


def _by_rates(outcome: EventOutcome, event: EffectiveEvent | None) -> Averages:
    """Without a sample: what was refused stays so, the rest is kept at the event's rate, as if all conditions held."""
    if event is None or outcome is EventOutcome.REJECTED:
        return Averages(kept=0.0, rejected=1.0, violating=1.0, hidden=0.0)
    hidden = sum(each.redaction is not None for each in event.properties.values())
    chance = event.sampling.rate if event.enabled else 0.0
    return Averages(kept=chance, rejected=0.0, violating=0.0, hidden=chance * hidden)


def _change(counted: int, was: float, would: float, most: int) -> Change:
    """What was counted, and that with the expected difference; the expectation's own error cancels out."""
    return Change(counted, min(most, max(0, round(counted + would - was))))
