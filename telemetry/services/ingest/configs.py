"""The effective config as ingest obeys it: compiled once per revision, and kept by the process."""

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from functools import partial
from math import inf
from threading import Lock
from typing import Final, NamedTuple
from uuid import UUID

from telemetry.core.compiled import CompiledConfig, compile_config
from telemetry.core.config import EffectiveConfig, EffectiveEvent, EffectiveProperty
from telemetry.core.enums import PrivacyLevel, RedactionStrategy
from telemetry.core.errors import Conflict
from telemetry.core.partial_redaction import generalise_number
from telemetry.core.retention import RetentionClass, retention_class
from telemetry.selectors.configs import config_freshness
from telemetry.services.configs import effective_config
from telemetry.tallies.rounding import rounded
from tenants.config_lease import PROCESS_LEASE, KnownState, boot_seconds
from tenants.models import Installation

__all__ = ["EventRules", "IngestConfig", "MetricRules", "config_at_ingest"]

# Compiled configs of 200 events take about 1 MB: as much as a worker should spend on being fast.
KEPT: Final = 64


class MetricRules(NamedTuple):
    """What tallies may keep of one numeric property.

    ``limits`` are those of the event's thresholds: the word under which values beyond one are counted, and whether a
    value is one. ``coarsen`` makes values coarse whose property is hidden in what is stored; ``None`` where they may
    be kept as they are. ``is_withheld``: nothing is kept but how many there were, and how many beyond the limits.
    """

    limits: Sequence[tuple[str, Callable[[float], bool]]]
    coarsen: Callable[[float], float] | None
    is_withheld: bool


class EventRules(NamedTuple):
    """What ingest needs of one event beyond the compiled config; ``metrics`` by property."""

    effective: EffectiveEvent
    retention_class: RetentionClass
    lifetime: timedelta
    metrics: Mapping[str, MetricRules]


class IngestConfig(NamedTuple):
    """What holds at an installation: ``effective`` is ``None`` while it has no published spec, and nothing is known."""

    revision: int
    compiled: CompiledConfig | None
    effective: EffectiveConfig | None
    events: dict[tuple[str, int], EventRules]


class _Known(NamedTuple):
    """What was read of an installation: good while ``state`` is what is known, and until ``ends_at`` (boot seconds)."""

    state: KnownState
    ends_at: float
    config: IngestConfig


class _Memory:
    """Compiled configs by installation and revision, and which one holds as long as nothing changes."""

    def __init__(self) -> None:
        self._compiled: OrderedDict[tuple[UUID, int], IngestConfig] = OrderedDict()
        self._known: dict[UUID, _Known] = {}
        self._lock = Lock()

    def at(self, installation: Installation) -> IngestConfig:
        # Before the database is asked, so that what is read then is at least as new.
        state, asked_at = PROCESS_LEASE.current(), boot_seconds()
        known = self._known.get(installation.public_id)
        if known is not None and known.state is state and asked_at < known.ends_at:
            return known.config
        revision, seconds_left = config_freshness(installation.pk)
        config = self._of(installation, revision)
        # While a change was committed between the two readings, neither is remembered.
        if state is not None and config.revision == revision:
            ends_at = inf if seconds_left is None else asked_at + seconds_left
            with self._lock:
                self._known[installation.public_id] = _Known(state, ends_at, config)
        return config

    def _of(self, installation: Installation, revision: int) -> IngestConfig:
        key = (installation.public_id, revision)
        with self._lock:
            found = self._compiled.get(key)
            if found is not None:
                self._compiled.move_to_end(key)
                return found
        made = _make(installation, revision)
        with self._lock:
            self._compiled[installation.public_id, made.revision] = made
            while len(self._compiled) > KEPT:
                (public_id, _), _ = self._compiled.popitem(last=False)
                self._known.pop(public_id, None)
        return made


_memory: Final = _Memory()


def config_at_ingest(installation: Installation) -> IngestConfig:
    """What holds at the installation now.

    No query where the process knows that nothing has changed, else one, and one more to read what has.
    """
    return _memory.at(installation)


def _make(installation: Installation, revision: int) -> IngestConfig:
    try:
        effective = effective_config(installation)
    except Conflict:
        # No spec is bound or published: every event is unknown, and is counted as such.
        return IngestConfig(revision, None, None, {})
    events = {(event.name, event.version): _rules(event) for event in effective.events}
    return IngestConfig(effective.revision, compile_config(effective), effective, events)


def _rules(event: EffectiveEvent) -> EventRules:
    days = event.retention.days
    metrics = {name: _metric_rules(event, name) for name in event.properties}
    return EventRules(event, retention_class(days), timedelta(days=days), metrics)


def _metric_rules(event: EffectiveEvent, name: str) -> MetricRules:
    limits: list[tuple[str, Callable[[float], bool]]] = []
    for threshold in event.anomaly_detection.thresholds:
        if threshold.metric == name and threshold.max is not None:
            limits.append((f">{float(threshold.max)!r}", float(threshold.max).__lt__))
        if threshold.metric == name and threshold.min is not None:
            limits.append((f"<{float(threshold.min)!r}", float(threshold.min).__gt__))
    return MetricRules(limits, _coarsening(event.properties[name]), event.privacy is PrivacyLevel.SENSITIVE)


def _coarsening(rule: EffectiveProperty) -> Callable[[float], float] | None:
    """As coarse as what is stored where that is a range, else two digits."""
    redaction = rule.redaction
    if redaction is None:
        return None
    if redaction.strategy is RedactionStrategy.GENERALISE and redaction.bucket is not None:
        return partial(_lower_end, bucket=redaction.bucket)
    return rounded


def _lower_end(value: float, bucket: float) -> float:
    lower = generalise_number(value, bucket)
    return rounded(value) if lower is None else lower
