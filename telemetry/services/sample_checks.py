"""What would become of an event under a config, if somebody sent it."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import msgspec
from django.utils import timezone

from telemetry.core.compiled import compile_config
from telemetry.core.config import EffectiveConfig, EffectiveEvent, EffectiveSampling
from telemetry.core.events import Accepted, Context, Envelope, Violation
from telemetry.core.pipeline import process_event
from telemetry.services.ingest.judging import reads_personal

__all__ = ["Sample", "SampleVerdict", "check_sample"]

# Any id will do: nothing of the event is kept.
_ID: Final = "00000000-0000-7000-8000-000000000000"
_ALWAYS: Final = EffectiveSampling(rate=1.0, otherwise_rate=1.0)


class Sample(NamedTuple):
    """An event as an app would send it; without a version, its newest one."""

    name: str
    version: int | None
    properties: Mapping[str, Any]
    metadata: Mapping[str, Any]


class SampleVerdict(NamedTuple):
    """Whether the event is valid, what is not as planned, and what would be stored of it.

    ``enabled`` and ``sampling_rate`` (0-1) are those of its kind, ``None`` if nobody knows it. ``stored`` is ``None``
    for what would be rejected; ``hidden`` are the paths of what is hidden in it or left out.
    """

    is_valid: bool
    version: int | None
    violations: tuple[Violation, ...]
    enabled: bool | None
    sampling_rate: float | None
    stored: dict[str, Any] | None
    hidden: tuple[str, ...]


def check_sample(config: EffectiveConfig, sample: Sample) -> SampleVerdict:
    """The verdict on the event, were it switched on and kept whatever is sampled.

    No pseudonym is made: who could have them made would find out whose they are. What would become one is masked.
    """
    kinds = [event for event in config.events if event.name == sample.name]
    alone = msgspec.structs.replace(config, enabled=True, events=tuple(map(_always_kept, kinds)))
    envelope = Envelope(
        id=_ID,
        name=sample.name,
        version=sample.version,
        occurred_at=timezone.now(),
        properties=dict(sample.properties),
        context=Context(metadata=dict(sample.metadata)),
    )
    outcome = process_event(envelope, compile_config(alone), key=None, recogniser=reads_personal)
    kind = _kind_of(kinds, sample.version)
    accepted = outcome if isinstance(outcome, Accepted) else None
    return SampleVerdict(
        is_valid=accepted is not None,
        version=None if kind is None else kind.version,
        violations=outcome.violations,
        enabled=None if kind is None else kind.enabled,
        sampling_rate=None if kind is None else kind.sampling.rate,
        stored=None if accepted is None else _stored(accepted),
        hidden=() if accepted is None else accepted.redacted,
    )


def _always_kept(event: EffectiveEvent) -> EffectiveEvent:
    return msgspec.structs.replace(event, enabled=True, sampling=_ALWAYS)


def _kind_of(kinds: list[EffectiveEvent], version: int | None) -> EffectiveEvent | None:
    fitting = [each for each in kinds if version in (None, each.version)]
    return max(fitting, key=lambda each: each.version, default=None)


def _stored(accepted: Accepted) -> dict[str, Any]:
    dispatch = accepted.dispatch
    return {"properties": dict(dispatch.properties), "context": dict(dispatch.context.metadata)}
