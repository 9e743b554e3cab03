"""Why each leaf of an effective config is what it is: its story, and what it would be without the layer that set it."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final, NamedTuple

import msgspec

from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    EffectiveEvent,
    FloorException,
    InstallationIdentity,
    PrivacyFloor,
    TenantOverride,
)
from telemetry.core.enums import Layer
from telemetry.core.layers import Step, event_reference
from telemetry.core.paths import key_path
from telemetry.core.resolution import resolve_config, resolve_with_steps
from telemetry.core.spec import EventDefinition, TelemetrySpec

__all__ = ["NOTHING", "ConfigSources", "Explanation", "explain_config", "leaf_values"]


class Nothing(msgspec.Struct, frozen=True):
    """The type of ``NOTHING``."""


# Where a leaf has no other value: the layer is the only one that can say it.
NOTHING: Final = Nothing()


class ConfigSources(NamedTuple):
    """Everything that makes an effective config, as ``resolve_config`` takes it."""

    spec: TelemetrySpec
    blueprint: AppBlueprint
    override: TenantOverride
    floor: PrivacyFloor
    exceptions: tuple[FloorException, ...]


class Explanation(NamedTuple):
    """One leaf: its value, the layer that set it and where there, and the layers that were not followed.

    ``steps`` run from weak to strong; a layer may stand there and yet have changed nothing. ``without`` is what the
    leaf would be if that one layer said nothing, all else being equal, or ``NOTHING``.
    """

    path: str
    value: Any
    layer: Layer
    place: str
    limited: tuple[Layer, ...]
    steps: tuple[Step, ...]
    without: Any = NOTHING


def explain_config(
    sources: ConfigSources,
    *,
    installation: InstallationIdentity,
    revision: int = 0,
    event_names: Collection[str] | None = None,
) -> tuple[EffectiveConfig, tuple[Explanation, ...]]:
    """The effective config, and each of its leaves explained, in the order of the document.

    The config is resolved once more for each layer that set something, so that what a layer does by way of another
    leaf (a level that redacts, a switch for all events) is in ``without`` too. With ``event_names``, only the events of
    these names are resolved.
    """
    config, steps = resolve_with_steps(*sources, installation=installation, revision=revision, event_names=event_names)
    winners = {trace.layer for trace in config.provenance.values()}
    silenced = {
        layer: dict(leaf_values(resolve_config(*silence(sources), installation=installation, event_names=event_names)))
        for layer, silence in _SILENCES.items()
        if layer in winners
    }
    return config, tuple(_explanations(config, steps, silenced))


def leaf_values(config: EffectiveConfig) -> Iterator[tuple[str, Any]]:
    """Path and value of every leaf that has a provenance, in the order of the document."""
    return ((path, value) for path, value in _parts_of(config, "") if path in config.provenance)


def _explanations(
    config: EffectiveConfig, steps: Mapping[str, list[Step]], silenced: Mapping[Layer, Mapping[str, Any]]
) -> Iterator[Explanation]:
    for path, value in leaf_values(config):
        trace = config.provenance[path]
        without = silenced.get(trace.layer, {}).get(path, NOTHING)
        if trace.layer is Layer.EVENT and not path.endswith(_OPTIONAL_IN_EVENTS):
            without = NOTHING
        yield Explanation(path, value, trace.layer, trace.path, trace.limited, tuple(steps[path]), without)


# What an event may leave unsaid; the rest of a definition has no other source.
_OPTIONAL_IN_EVENTS: Final = (
    ".redaction",
    ".retention.days",
    ".retention.policy",
    ".sampling.rate",
    ".sampling.conditions",
    ".anomalyDetection.enabled",
    ".anomalyDetection.minimumSample",
    ".anomalyDetection.thresholds",
    ".anomalyDetection.rules",
    ".anomalyDetection.actions",
)


def _bare(event: EventDefinition) -> EventDefinition:
    """The event with nothing that it may leave unsaid."""
    properties = {
        name: msgspec.structs.replace(definition, pii=None, redact=False, redaction=None)
        for name, definition in event.properties.items()
    }
    return msgspec.structs.replace(event, properties=properties, retention=None, sampling=None, anomaly_detection=None)


def _without_event(sources: ConfigSources) -> ConfigSources:
    events = tuple(_bare(event) for event in sources.spec.events)
    return sources._replace(spec=msgspec.structs.replace(sources.spec, events=events))


# The sources as if one layer said nothing. Nobody can silence the product.
_SILENCES: Final[Mapping[Layer, Callable[[ConfigSources], ConfigSources]]] = {
    Layer.SPEC: lambda sources: sources._replace(spec=msgspec.structs.replace(sources.spec, config=None)),
    Layer.EVENT: _without_event,
    Layer.BLUEPRINT: lambda sources: sources._replace(blueprint=AppBlueprint()),
    Layer.TENANT: lambda sources: sources._replace(override=TenantOverride()),
    Layer.FLOOR: lambda sources: sources._replace(floor=PrivacyFloor()),
    Layer.EXCEPTION: lambda sources: sources._replace(exceptions=()),
}


def _parts_of(value: object, path: str) -> Iterator[tuple[str, Any]]:
    """Each part of the config with its path, outer parts before inner ones."""
    yield path, value
    for step, part in _parts(value, path):
        yield from _parts_of(part, step)


def _parts(value: object, path: str) -> Iterator[tuple[str, object]]:
    if isinstance(value, msgspec.Struct):
        for field in msgspec.structs.fields(value):
            if field.name != "provenance":
                yield key_path(path, field.encode_name), getattr(value, field.name)
    elif isinstance(value, Mapping):
        for key, part in value.items():
            yield key_path(path, str(key)), part
    elif isinstance(value, tuple):
        for part in value:
            if isinstance(part, EffectiveEvent):
                yield f"{path}[{event_reference(part.name, part.version)}]", part
