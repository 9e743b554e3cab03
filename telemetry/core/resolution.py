"""Merging the layers of a config into the effective config, with the provenance of every leaf."""

from collections.abc import Collection, Mapping

from telemetry.core.codec import checksum
from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    FloorException,
    InstallationIdentity,
    PrivacyFloor,
    SpecReference,
    TenantOverride,
)
from telemetry.core.config_resolution import ConfigResolution, Layers, declared_properties, layers_of
from telemetry.core.enums import Layer
from telemetry.core.errors import FieldError
from telemetry.core.layers import Step, Trace
from telemetry.core.spec import TelemetryDefaults, TelemetrySpec

__all__ = ["find_loosening", "resolve_and_judge", "resolve_config", "resolve_with_steps"]


def resolve_config(
    spec: TelemetrySpec,
    blueprint: AppBlueprint | None = None,
    override: TenantOverride | None = None,
    floor: PrivacyFloor | None = None,
    exceptions: tuple[FloorException, ...] = (),
    *,
    installation: InstallationIdentity,
    revision: int = 0,
    event_names: Collection[str] | None = None,
) -> EffectiveConfig:
    """The config that results from all layers; equal arguments give an equal config.

    ``blueprint`` and ``override`` may be any mix of fields; what would loosen privacy or leave the floor has no effect
    and is marked in ``provenance`` (see ``find_loosening`` for the reasons). ``exceptions`` are those from the floor
    that are live at the installation. References to events or properties that the spec does not have are listed in
    ``missing``, and change nothing. With ``event_names``, only the events of these names are resolved.
    """
    layers = layers_of(blueprint, override)
    return _resolve(spec, layers, floor, exceptions, Trace(), installation, revision, event_names)


def resolve_and_judge(
    spec: TelemetrySpec,
    blueprint: AppBlueprint | None = None,
    override: TenantOverride | None = None,
    floor: PrivacyFloor | None = None,
    exceptions: tuple[FloorException, ...] = (),
    *,
    installation: InstallationIdentity,
    revision: int = 0,
) -> tuple[EffectiveConfig, tuple[FieldError, ...]]:
    """What ``resolve_config`` and ``find_loosening`` say about the same layers, worked out once."""
    trace = Trace()
    layers = layers_of(blueprint, override)
    config = _resolve(spec, layers, floor, exceptions, trace, installation, revision)
    return config, _refused_to_tenant(trace)


def resolve_with_steps(
    spec: TelemetrySpec,
    blueprint: AppBlueprint | None = None,
    override: TenantOverride | None = None,
    floor: PrivacyFloor | None = None,
    exceptions: tuple[FloorException, ...] = (),
    *,
    installation: InstallationIdentity,
    revision: int = 0,
    event_names: Collection[str] | None = None,
) -> tuple[EffectiveConfig, Mapping[str, list[Step]]]:
    """What ``resolve_config`` says, and how each leaf came about: by path, from weak to strong."""
    trace = Trace(with_steps=True)
    layers = layers_of(blueprint, override)
    config = _resolve(spec, layers, floor, exceptions, trace, installation, revision, event_names)
    return config, trace.steps


def _resolve(
    spec: TelemetrySpec,
    layers: Layers,
    floor: PrivacyFloor | None,
    exceptions: tuple[FloorException, ...],
    trace: Trace,
    installation: InstallationIdentity,
    revision: int,
    event_names: Collection[str] | None = None,
) -> EffectiveConfig:
    settled = ConfigResolution(spec.config or TelemetryDefaults(), layers, floor or PrivacyFloor(), exceptions, trace)
    events = settled.events(spec, event_names)
    return settled.config(
        installation=installation,
        revision=revision,
        spec=SpecReference(name=spec.meta.name, version=spec.meta.version, checksum=checksum(spec)),
        events=events,
        missing=settled.missing(declared_properties(spec.events)),
    )


def find_loosening(
    spec: TelemetrySpec,
    blueprint: AppBlueprint | None,
    override: TenantOverride,
    floor: PrivacyFloor | None,
    exceptions: tuple[FloorException, ...] = (),
) -> tuple[FieldError, ...]:
    """Every wish of the tenant's override that has no effect because it would loosen privacy or leave the floor.

    Codes are ``loosens`` and ``below_floor``; paths are places in the override's document, in its order of events.
    """
    trace = Trace()
    layers = layers_of(blueprint, override)
    defaults_of_spec = spec.config or TelemetryDefaults()
    ConfigResolution(defaults_of_spec, layers, floor or PrivacyFloor(), exceptions, trace).events(spec)
    return _refused_to_tenant(trace)


def _refused_to_tenant(trace: Trace) -> tuple[FieldError, ...]:
    # One wish can be refused for several event versions: say it once.
    return tuple(dict.fromkeys(error for layer, error in trace.refused if layer is Layer.TENANT))
