"""Merging the layers of a config into the effective config, with the provenance of every leaf."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from telemetry.core import defaults
from telemetry.core.codec import checksum
from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    EffectiveEvent,
    EffectiveProperty,
    FloorException,
    InstallationIdentity,
    PrivacyFloor,
    SpecReference,
    TenantOverride,
)
from telemetry.core.enums import Layer, PrivacyLevel
from telemetry.core.errors import FieldError
from telemetry.core.event_resolution import EventResolution, Inherited
from telemetry.core.layers import EventWishes, Step, Trace, Wish, event_reference, event_wishes
from telemetry.core.paths import key_path
from telemetry.core.redaction import required_redaction
from telemetry.core.spec import (
    EventDefinition,
    PropertyDefinition,
    TelemetryDefaults,
    TelemetrySpec,
)
from telemetry.core.tightening import join_undeclared

__all__ = ["find_loosening", "resolve_and_judge", "resolve_config", "resolve_with_steps"]

T = TypeVar("T")


# The layers between the spec and the floor, from weak to strong.
_Layers = tuple[tuple[Layer, AppBlueprint | TenantOverride], ...]


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
    layers = _layers(blueprint, override)
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
    layers = _layers(blueprint, override)
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
    layers = _layers(blueprint, override)
    config = _resolve(spec, layers, floor, exceptions, trace, installation, revision, event_names)
    return config, trace.steps


def _resolve(
    spec: TelemetrySpec,
    layers: _Layers,
    floor: PrivacyFloor | None,
    exceptions: tuple[FloorException, ...],
    trace: Trace,
    installation: InstallationIdentity,
    revision: int,
    event_names: Collection[str] | None = None,
) -> EffectiveConfig:
    settled = _ConfigResolution(spec.config or TelemetryDefaults(), layers, floor or PrivacyFloor(), exceptions, trace)
    return EffectiveConfig(
        revision=revision,
        tenant=installation.tenant,
        app=installation.app,
        environment=installation.environment,
        sampling_salt=installation.sampling_salt,
        enabled=settled.enabled.value,
        spec=SpecReference(name=spec.meta.name, version=spec.meta.version, checksum=checksum(spec)),
        undeclared_properties=settled.undeclared_properties,
        context_properties=settled.context_properties,
        check_interval_ms=settled.check_interval_ms,
        providers=settled.providers,
        quarantine_days=settled.quarantine_days,
        mask_detected=settled.mask_detected,
        events=settled.events(spec, event_names),
        missing=tuple(_missing(spec, layers)),
        provenance=trace.provenance,
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
    layers = _layers(blueprint, override)
    defaults_of_spec = spec.config or TelemetryDefaults()
    _ConfigResolution(defaults_of_spec, layers, floor or PrivacyFloor(), exceptions, trace).events(spec)
    return _refused_to_tenant(trace)


def _refused_to_tenant(trace: Trace) -> tuple[FieldError, ...]:
    # One wish can be refused for several event versions: say it once.
    return tuple(dict.fromkeys(error for layer, error in trace.refused if layer is Layer.TENANT))


def _layers(blueprint: AppBlueprint | None, override: TenantOverride | None) -> _Layers:
    return ((Layer.BLUEPRINT, blueprint or AppBlueprint()), (Layer.TENANT, override or TenantOverride()))


class _ConfigResolution:
    """Settles the config-wide leaves when built, then the events, which inherit them."""

    def __init__(
        self,
        spec: TelemetryDefaults,
        layers: _Layers,
        floor: PrivacyFloor,
        exceptions: tuple[FloorException, ...],
        trace: Trace,
    ) -> None:
        self.spec, self.layers, self.floor, self.exceptions, self.trace = spec, layers, floor, exceptions, trace
        self.enabled = self._settle_enabled()
        self.undeclared_properties = trace.tighten(
            "undeclaredProperties",
            self._stated("undeclaredProperties", spec.undeclared_properties, defaults.DEFAULT_UNDECLARED),
            [Wish(layer, "undeclaredProperties", each.undeclared_properties) for layer, each in layers],
            join_undeclared,
        )
        interval = spec.anomaly_detection.check_interval_ms if spec.anomaly_detection else None
        self.check_interval_ms = trace.given(
            "checkIntervalMs",
            self._stated(
                "checkIntervalMs",
                interval,
                defaults.DEFAULT_CHECK_INTERVAL_MS,
                key="anomalyDetection.checkIntervalMs",
            ),
        )
        self.providers = trace.given("providers", Wish(Layer.SPEC, "config.providers", spec.providers))
        self.quarantine_days = self._settle_quarantine()
        self.mask_detected = trace.given(
            "maskDetected", self._stated("maskDetected", spec.mask_detected, defaults.DEFAULT_MASK_DETECTED)
        )
        self.context_properties = {
            name: self._context_property(name, definition) for name, definition in spec.context_properties.items()
        }

    def events(self, spec: TelemetrySpec, names: Collection[str] | None = None) -> tuple[EffectiveEvent, ...]:
        """Every event of the spec, or those of these names, in its order."""
        inherited = Inherited(
            trace=self.trace,
            floor=self.floor,
            exceptions=self.exceptions,
            enabled=self.enabled,
            retention_days=_stated_by_spec(
                "defaultRetentionDays", self.spec.default_retention_days, defaults.DEFAULT_RETENTION_DAYS
            ),
            sampling_rate=self._default_rates(),
            anomaly_off=self._anomaly_off(),
        )
        return tuple(
            EventResolution(inherited, self._wishes(event), f"events[{index}]", event).settle()
            for index, event in enumerate(spec.events)
            if names is None or event.name in names
        )

    def _wishes(self, event: EventDefinition) -> tuple[EventWishes, ...]:
        return tuple(event_wishes(layer, each.events, event.name, event.version) for layer, each in self.layers)

    def _stated(self, path: str, value: T | None, default: T, *, key: str = "") -> Wish[T]:
        """What the spec says under ``key``, or under the leaf's own path, else the product's default."""
        *replaced, stated = _stated_by_spec(key or path, value, default)
        self.trace.replaced(path, replaced)
        return stated

    def _settle_enabled(self) -> Wish[bool]:
        wishes = [Wish(layer, "enabled", each.enabled) for layer, each in self.layers]
        value = self.trace.free("enabled", Wish(Layer.PRODUCT, "", defaults.DEFAULT_ENABLED), wishes)
        provenance = self.trace.provenance["enabled"]
        return Wish(provenance.layer, provenance.path, value)

    def _settle_quarantine(self) -> int:
        """Days that refused events are held; 0 unless the spec asks for it and the floor allows it."""
        asked = self.spec.quarantine
        days = self.trace.given(
            "quarantineDays",
            self._stated("quarantineDays", None if asked is None else asked.held_days, 0, key="quarantine"),
        )
        return self.trace.hold("quarantineDays", days, 0, "forbidQuarantine") if self.floor.forbid_quarantine else days

    def _default_rates(self) -> tuple[Wish[float], ...]:
        """The rate of events that name none, by layer; not a leaf of its own, but the base of each event's rates."""
        key, by_spec = "defaultSamplingRate", self.spec.default_sampling_rate
        asked = ((layer, each.default_sampling_rate) for layer, each in self.layers)
        return (
            *_stated_by_spec(key, by_spec, defaults.DEFAULT_SAMPLING_RATE),
            *(Wish(layer, key, rate) for layer, rate in asked if rate is not None),
        )

    def _anomaly_off(self) -> Wish[bool] | None:
        rules = self.spec.anomaly_detection
        is_off = rules is not None and not rules.enabled
        return Wish(Layer.SPEC, "config.anomalyDetection.enabled", False) if is_off else None

    def _context_property(self, name: str, definition: PropertyDefinition) -> EffectiveProperty:
        source = key_path("config.contextProperties", name)
        path = key_path("contextProperties", name)
        # The level of each event comes on top when the event is processed: here only what the flags ask for.
        redaction = required_redaction(definition, PrivacyLevel.PUBLIC)
        return EffectiveProperty(
            type=self.trace.given(f"{path}.type", Wish(Layer.SPEC, f"{source}.type", definition.type)),
            required=self.trace.given(f"{path}.required", Wish(Layer.SPEC, f"{source}.required", definition.required)),
            redaction=self.trace.given(f"{path}.redaction", Wish(Layer.SPEC, source, redaction)),
            allowed_values=self.trace.given(
                f"{path}.allowedValues", Wish(Layer.SPEC, f"{source}.allowedValues", definition.allowed_values)
            ),
            declared_free=self.trace.given(
                f"{path}.declaredFree", Wish(Layer.SPEC, f"{source}.pii", definition.pii is False)
            ),
        )


def _stated_by_spec(key: str, value: T | None, default: T) -> tuple[Wish[T], ...]:
    """The product's default, and the spec's if it has one."""
    product = Wish(Layer.PRODUCT, "", default)
    return (product,) if value is None else (product, Wish(Layer.SPEC, f"config.{key}", value))


def _missing(spec: TelemetrySpec, layers: _Layers) -> Iterable[str]:
    """Places in blueprint and override that refer to an event or property which the spec does not have."""
    properties: dict[str, set[str]] = {}
    for event in spec.events:
        for reference in (event.name, event_reference(event.name, event.version)):
            properties.setdefault(reference, set()).update(event.properties)
    for layer, each in layers:
        for reference, override in each.events.items():
            path = key_path(f"{layer}.events", reference)
            if reference not in properties:
                yield path
                continue
            yield from (
                key_path(f"{path}.redaction", name) for name in override.redaction if name not in properties[reference]
            )
