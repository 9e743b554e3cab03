"""The effective config as ingest obeys it: compiled once per revision, and kept by the process."""

from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import timedelta
from threading import Lock
from typing import Final, NamedTuple
from uuid import UUID

from telemetry.core.compiled import CompiledConfig, compile_config
from telemetry.core.config import EffectiveConfig, EffectiveEvent
from telemetry.core.errors import Conflict
from telemetry.core.retention import RetentionClass, retention_class
from telemetry.core.spec import Threshold
from telemetry.selectors.configs import config_revision
from telemetry.services.configs import effective_config
from tenants.models import Installation

__all__ = ["EventRules", "IngestConfig", "config_at_ingest"]

# Compiled configs of 200 events take about 1 MB: as much as a worker should spend on being fast.
KEPT: Final = 64


# The word under which values beyond a limit are counted, and whether a value is one.
Limit = tuple[str, Callable[[float], bool]]


class EventRules(NamedTuple):
    """What ingest needs of one event beyond the compiled config; ``limits`` are those of its thresholds, by metric."""

    effective: EffectiveEvent
    retention_class: RetentionClass
    lifetime: timedelta
    limits: Mapping[str, Sequence[Limit]]


class IngestConfig(NamedTuple):
    """What holds at an installation: ``effective`` is ``None`` while it has no published spec, and nothing is known."""

    revision: int
    compiled: CompiledConfig | None
    effective: EffectiveConfig | None
    events: dict[tuple[str, int], EventRules]


_kept: OrderedDict[tuple[UUID, int], IngestConfig] = OrderedDict()
_lock = Lock()


def config_at_ingest(installation: Installation) -> IngestConfig:
    """What holds at the installation now; one query, and one more when it has changed since this process last asked."""
    revision = config_revision(installation.pk)
    key = (installation.public_id, revision)
    with _lock:
        found = _kept.get(key)
        if found is not None:
            _kept.move_to_end(key)
            return found
    made = _make(installation, revision)
    with _lock:
        _kept[installation.public_id, made.revision] = made
        while len(_kept) > KEPT:
            _kept.popitem(last=False)
    return made


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
    limits: dict[str, list[Limit]] = {}
    for threshold in event.anomaly_detection.thresholds:
        limits.setdefault(threshold.metric, []).extend(_limits(threshold))
    return EventRules(event, retention_class(days), timedelta(days=days), limits)


def _limits(threshold: Threshold) -> Iterator[Limit]:
    if threshold.max is not None:
        yield f">{float(threshold.max)!r}", float(threshold.max).__lt__
    if threshold.min is not None:
        yield f"<{float(threshold.min)!r}", float(threshold.min).__gt__
