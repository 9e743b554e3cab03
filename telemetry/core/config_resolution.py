"""Settling an effective config: its own leaves first, then each event, which inherits them."""

from collections.abc import Collection, Iterable, Mapping
from typing import TypeVar

from telemetry.core import defaults
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
from telemetry.core.event_resolution import EventResolution, Inherited
from telemetry.core.layers import Trace, Wish, event_reference, event_wishes
from telemetry.core.paths import key_path
from telemetry.core.redaction import required_redaction
from telemetry.core.spec import EventDefinition, PropertyDefinition, TelemetryDefaults, TelemetrySpec
from telemetry.core.tightening import join_undeclared

__all__ = ["ConfigResolution", "Layers", "declared_properties", "layers_of"]

T = TypeVar("T")

# The layers between the spec and the floor, from weak to strong.
Layers = tuple[tuple[Layer, AppBlueprint | TenantOverride], ...]


def layers_of(blueprint: AppBlueprint | None, override: TenantOverride | None) -> Layers:
    """Both layers, from weak to strong; an empty one stands for what is not there."""
    return ((Layer.BLUEPRINT, blueprint or AppBlueprint()), (Layer.TENANT, override or TenantOverride()))


class ConfigResolution:
    """Settles the config-wide leaves when built, then the events, which inherit them."""

    def __init__(
        self,
        spec: TelemetryDefaults,
        layers: Layers,
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
        self._inherited = Inherited(
            trace=trace,
            floor=floor,
            exceptions=exceptions,
            enabled=self.enabled,
            retention_days=_stated_by_spec(
                "defaultRetentionDays", spec.default_retention_days, defaults.DEFAULT_RETENTION_DAYS
            ),
            sampling_rate=self._default_rates(),
            anomaly_off=self._anomaly_off(),
        )

    def config(
        self,
        *,
        installation: InstallationIdentity,
        revision: int,
        spec: SpecReference,
        events: tuple[EffectiveEvent, ...] = (),
        missing: tuple[str, ...] = (),
    ) -> EffectiveConfig:
        """The whole, with the provenance of what has been settled so far."""
        return EffectiveConfig(
            revision=revision,
            tenant=installation.tenant,
            app=installation.app,
            environment=installation.environment,
            sampling_salt=installation.sampling_salt,
            enabled=self.enabled.value,
            spec=spec,
            undeclared_properties=self.undeclared_properties,
            context_properties=self.context_properties,
            check_interval_ms=self.check_interval_ms,
            providers=self.providers,
            quarantine_days=self.quarantine_days,
            mask_detected=self.mask_detected,
            events=events,
            missing=missing,
            provenance=self.trace.provenance,
        )

    def events(self, spec: TelemetrySpec, names: Collection[str] | None = None) -> tuple[EffectiveEvent, ...]:
        """Every event of the spec, or those of these names, in its order."""
        return tuple(
            self._settle(self._inherited, index, event)
            for index, event in enumerate(spec.events)
            if names is None or event.name in names
        )

    def event_untraced(self, definition: EventDefinition) -> EffectiveEvent:
        """One event of the spec, when nobody asks where its values come from."""
        return self._settle(self._inherited._replace(trace=Trace()), 0, definition)

    def missing(self, declared: Mapping[str, Collection[str]]) -> tuple[str, ...]:
        """Places in blueprint and override that refer to an event or property which the spec does not have.

        ``declared`` is what ``declared_properties`` says of the spec.
        """
        return tuple(_missing(declared, self.layers))

    def _settle(self, inherited: Inherited, index: int, event: EventDefinition) -> EffectiveEvent:
        wishes = tuple(event_wishes(layer, each.events, event.name, event.version) for layer, each in self.layers)
        return EventResolution(inherited, wishes, f"events[{index}]", event).settle()

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


def declared_properties(events: Iterable[EventDefinition]) -> dict[str, set[str]]:
    """The names of the properties by every reference to the events: by name, all versions together, and by version."""
    properties: dict[str, set[str]] = {}
    for event in events:
        for reference in (event.name, event_reference(event.name, event.version)):
            properties.setdefault(reference, set()).update(event.properties)
    return properties


def _missing(declared: Mapping[str, Collection[str]], layers: Layers) -> Iterable[str]:
    for layer, each in layers:
        for reference, override in each.events.items():
            path = key_path(f"{layer}.events", reference)
            if reference not in declared:
                yield path
                continue
            yield from (
                key_path(f"{path}.redaction", name) for name in override.redaction if name not in declared[reference]
            )
