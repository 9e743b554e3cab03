"""Merging the layers of a config into the effective config, with the provenance of every leaf."""

from collections.abc import Callable, Iterable
from typing import TypeVar

from telemetry.core import defaults
from telemetry.core.codec import checksum
from telemetry.core.config import (
    AnomalyOverride,
    AppBlueprint,
    EffectiveConfig,
    EffectiveEvent,
    EffectiveProperty,
    EffectiveSampling,
    EventOverride,
    InstallationIdentity,
    PrivacyFloor,
    SamplingBounds,
    SpecReference,
    TenantOverride,
)
from telemetry.core.enums import FloorStrategy, Layer, PrivacyLevel, RedactionStrategy
from telemetry.core.errors import FieldError
from telemetry.core.layers import EventWishes, Trace, Wish, event_reference, event_wishes
from telemetry.core.paths import key_path
from telemetry.core.redaction import required_redaction
from telemetry.core.spec import (
    AnomalyDefaults,
    AnomalyDetection,
    EventDefinition,
    PropertyDefinition,
    Redaction,
    Retention,
    TelemetryDefaults,
    TelemetrySpec,
)
from telemetry.core.tightening import join_days, join_level, join_policy, join_redaction, join_undeclared

__all__ = ["combine_floors", "find_loosening", "resolve_config"]

T = TypeVar("T")


def resolve_config(
    spec: TelemetrySpec,
    blueprint: AppBlueprint | None = None,
    override: TenantOverride | None = None,
    floor: PrivacyFloor | None = None,
    *,
    installation: InstallationIdentity,
    revision: int = 0,
) -> EffectiveConfig:
    """The config that results from all layers; equal arguments give an equal config.

    ``blueprint`` and ``override`` may be any mix of fields; what would loosen privacy or leave the floor has no effect
    and is marked in ``provenance`` (see ``find_loosening`` for the reasons). References to events or properties that
    the spec does not have are listed in ``missing``, and change nothing.
    """
    layers = _layers(blueprint, override)
    trace = Trace()
    settled = _ConfigResolution(spec.config or TelemetryDefaults(), layers, floor or PrivacyFloor(), trace)
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
        events=settled.events(spec),
        missing=tuple(_missing(spec, layers)),
        provenance=trace.provenance,
    )


def find_loosening(
    spec: TelemetrySpec,
    blueprint: AppBlueprint | None,
    override: TenantOverride,
    floor: PrivacyFloor | None,
) -> tuple[FieldError, ...]:
    """Every wish of the tenant's override that has no effect because it would loosen privacy or leave the floor.

    Codes are ``loosens`` and ``below_floor``; paths are places in the override's document, in its order of events.
    """
    trace = Trace()
    layers = _layers(blueprint, override)
    _ConfigResolution(spec.config or TelemetryDefaults(), layers, floor or PrivacyFloor(), trace).events(spec)
    found = (error for layer, error in trace.refused if layer is Layer.TENANT)
    # One wish can be refused for several event versions: say it once.
    return tuple(dict.fromkeys(found))


def combine_floors(*floors: PrivacyFloor) -> PrivacyFloor:
    """The floor that is as tight as all the given ones together; no floors give an empty one."""
    redaction: dict[PrivacyLevel, FloorStrategy] = {}
    days: dict[PrivacyLevel, int] = {}
    for floor in floors:
        for level, strategy in floor.minimum_redaction.items():
            redaction[level] = max(redaction.get(level, strategy), strategy, key=list(FloorStrategy).index)
        for level, limit in floor.maximum_retention_days.items():
            days[level] = join_days(days.get(level, limit), limit)
    bounds = [floor.sampling for floor in floors if floor.sampling is not None]
    return PrivacyFloor(
        minimum_redaction=redaction,
        maximum_retention_days=days,
        forced_off=tuple(dict.fromkeys(name for floor in floors for name in floor.forced_off)),
        forced_on=tuple(dict.fromkeys(name for floor in floors for name in floor.forced_on)),
        sampling=_combine_bounds(bounds) if bounds else None,
    )


def _combine_bounds(bounds: Iterable[SamplingBounds]) -> SamplingBounds:
    """The common range; where ranges do not meet, the lower maximum wins, because it collects less."""
    maximum = min(bound.maximum_rate for bound in bounds)
    return SamplingBounds(minimum_rate=min(maximum, max(b.minimum_rate for b in bounds)), maximum_rate=maximum)


# The layers between the spec and the floor, from weak to strong.
_Layers = tuple[tuple[Layer, AppBlueprint | TenantOverride], ...]


def _layers(blueprint: AppBlueprint | None, override: TenantOverride | None) -> _Layers:
    return ((Layer.BLUEPRINT, blueprint or AppBlueprint()), (Layer.TENANT, override or TenantOverride()))


class _ConfigResolution:
    """Settles the config-wide leaves when built, then the events, which inherit them."""

    def __init__(self, spec: TelemetryDefaults, layers: _Layers, floor: PrivacyFloor, trace: Trace) -> None:
        self.spec, self.layers, self.floor, self.trace = spec, layers, floor, trace
        self.enabled = self._settle_enabled()
        self.undeclared_properties = trace.tighten(
            "undeclaredProperties",
            _spec_or_product("undeclaredProperties", spec.undeclared_properties, defaults.DEFAULT_UNDECLARED),
            [Wish(layer, "undeclaredProperties", each.undeclared_properties) for layer, each in layers],
            join_undeclared,
        )
        self.default_rate = self._settle_default_rate()
        self.anomaly_defaults = spec.anomaly_detection or AnomalyDefaults()
        interval = self.anomaly_defaults.check_interval_ms
        self.check_interval_ms = trace.given(
            "checkIntervalMs",
            _spec_or_product("anomalyDetection.checkIntervalMs", interval, defaults.DEFAULT_CHECK_INTERVAL_MS),
        )
        self.providers = trace.given("providers", Wish(Layer.SPEC, "config.providers", spec.providers))
        self.context_properties = {
            name: self._context_property(name, definition) for name, definition in spec.context_properties.items()
        }

    def events(self, spec: TelemetrySpec) -> tuple[EffectiveEvent, ...]:
        """Every event of the spec, in its order."""
        return tuple(_EventResolution(self, index, event).settle() for index, event in enumerate(spec.events))

    def _settle_enabled(self) -> Wish[bool]:
        wishes = [Wish(layer, "enabled", each.enabled) for layer, each in self.layers]
        value = self.trace.free("enabled", Wish(Layer.PRODUCT, "", defaults.DEFAULT_ENABLED), wishes)
        provenance = self.trace.provenance["enabled"]
        return Wish(provenance.layer, provenance.path, value)

    def _settle_default_rate(self) -> Wish[float]:
        """The rate of events that name none; not a leaf of its own, but the base of each event's rates."""
        rate = _spec_or_product("defaultSamplingRate", self.spec.default_sampling_rate, defaults.DEFAULT_SAMPLING_RATE)
        for layer, each in self.layers:
            if each.default_sampling_rate is not None:
                rate = Wish(layer, "defaultSamplingRate", each.default_sampling_rate)
        return rate

    def _context_property(self, name: str, definition: PropertyDefinition) -> EffectiveProperty:
        source = key_path("config.contextProperties", name)
        path = key_path("contextProperties", name)
        # The level of each event comes on top when the event is processed: here only what the flags ask for.
        redaction = required_redaction(definition, PrivacyLevel.PUBLIC)
        return EffectiveProperty(
            type=self.trace.given(f"{path}.type", Wish(Layer.SPEC, f"{source}.type", definition.type)),
            required=self.trace.given(f"{path}.required", Wish(Layer.SPEC, f"{source}.required", definition.required)),
            redaction=self.trace.given(f"{path}.redaction", Wish(Layer.SPEC, source, redaction)),
        )


class _EventResolution:
    """Settles the leaves of one event."""

    def __init__(self, config: _ConfigResolution, index: int, event: EventDefinition) -> None:
        self.config, self.event, self.trace, self.floor = config, event, config.trace, config.floor
        self.path = f"events[{event_reference(event.name, event.version)}]"
        self.source = f"events[{index}]"
        self.wishes: tuple[EventWishes, ...] = tuple(
            event_wishes(layer, each.events, event.name, event.version) for layer, each in config.layers
        )

    def settle(self) -> EffectiveEvent:
        """The event with nothing left to inherit; the privacy level comes first because other leaves depend on it."""
        event = self.event
        self.privacy = self.trace.tighten(
            f"{self.path}.privacy",
            Wish(Layer.EVENT, f"{self.source}.privacy", event.privacy),
            [wishes.ask("privacy", lambda override: override.privacy) for wishes in self.wishes],
            join_level,
        )
        return EffectiveEvent(
            name=event.name,
            version=event.version,
            enabled=self._enabled(),
            privacy=self.privacy,
            properties={name: self._property(name, definition) for name, definition in event.properties.items()},
            retention=self._retention(),
            sampling=self._sampling(),
            anomaly_detection=self._anomaly_detection(),
            tags=self.trace.given(f"{self.path}.tags", Wish(Layer.EVENT, f"{self.source}.tags", event.tags)),
        )

    def _enabled(self) -> bool:
        path = f"{self.path}.enabled"
        wishes = [wishes.ask("enabled", lambda override: override.enabled) for wishes in self.wishes]
        value = self.trace.free(path, Wish(Layer.PRODUCT, "", defaults.DEFAULT_ENABLED), wishes)
        if value and not self.config.enabled.value:
            value = self.trace.given(path, self.config.enabled)
        if self._is_named(self.floor.forced_off):
            return self.trace.hold(path, value, False, "forcedOff")
        if self._is_named(self.floor.forced_on):
            return self.trace.hold(path, value, True, "forcedOn")
        return value

    def _is_named(self, references: Iterable[str]) -> bool:
        names = (self.event.name, event_reference(self.event.name, self.event.version))
        return any(reference in names for reference in references)

    def _property(self, name: str, definition: PropertyDefinition) -> EffectiveProperty:
        path = key_path(f"{self.path}.properties", name)
        source = key_path(f"{self.source}.properties", name)
        return EffectiveProperty(
            type=self.trace.given(f"{path}.type", Wish(Layer.EVENT, f"{source}.type", definition.type)),
            required=self.trace.given(f"{path}.required", Wish(Layer.EVENT, f"{source}.required", definition.required)),
            redaction=self._redaction(name, definition, f"{path}.redaction", source),
        )

    def _redaction(self, name: str, definition: PropertyDefinition, path: str, source: str) -> Redaction | None:
        base = Wish(Layer.EVENT, source, required_redaction(definition, self.event.privacy))
        raised = required_redaction(definition, self.privacy)
        if raised != base.value:
            level = self.trace.provenance[f"{self.path}.privacy"]
            base = Wish(level.layer, level.path, raised)
        key = key_path("redaction", name)
        wishes = [wishes.ask(key, lambda override: override.redaction.get(name)) for wishes in self.wishes]
        value = self.trace.tighten(path, base, wishes, join_redaction)
        minimum = self.floor.minimum_redaction.get(self.privacy)
        if value is None or minimum is None:
            return value
        held = join_redaction(value, Redaction(strategy=RedactionStrategy(minimum.value)))
        return self.trace.hold(path, value, held, f"minimumRedaction.{self.privacy}")

    def _retention(self) -> Retention:
        own = self.event.retention
        path = f"{self.path}.retention"
        base = _spec_or_product(
            "defaultRetentionDays", self.config.spec.default_retention_days, defaults.DEFAULT_RETENTION_DAYS
        )
        policy = Wish(Layer.PRODUCT, "", defaults.DEFAULT_RETENTION_POLICY)
        if own is not None:
            base = Wish(Layer.EVENT, f"{self.source}.retention.days", own.days)
            policy = Wish(Layer.EVENT, f"{self.source}.retention.policy", own.policy)
        asked = [wishes.ask("retentionDays", lambda override: override.retention_days) for wishes in self.wishes]
        days = self.trace.tighten(f"{path}.days", base, asked, join_days)
        limit = self.floor.maximum_retention_days.get(self.privacy, days)
        held = self.trace.hold(f"{path}.days", days, join_days(days, limit), f"maximumRetentionDays.{self.privacy}")
        policies = [wishes.ask("retentionPolicy", lambda override: override.retention_policy) for wishes in self.wishes]
        return Retention(days=held, policy=self.trace.tighten(f"{path}.policy", policy, policies, join_policy))

    def _sampling(self) -> EffectiveSampling:
        own = self.event.sampling
        path = f"{self.path}.sampling"
        inherited = self.config.default_rate
        base = inherited if own is None else Wish(Layer.EVENT, f"{self.source}.sampling.rate", own.rate)
        wishes = [wishes.ask("samplingRate", lambda override: override.sampling_rate) for wishes in self.wishes]
        rate = self.trace.free(f"{path}.rate", base, wishes)
        otherwise = self.trace.given(f"{path}.otherwiseRate", inherited)
        conditions = Wish(Layer.EVENT, f"{self.source}.sampling.conditions", own.conditions if own else ())
        return EffectiveSampling(
            rate=self._within_bounds(f"{path}.rate", rate),
            otherwise_rate=self._within_bounds(f"{path}.otherwiseRate", otherwise),
            conditions=self.trace.given(f"{path}.conditions", conditions),
        )

    def _within_bounds(self, path: str, rate: float) -> float:
        bounds = self.floor.sampling
        if bounds is None:
            return rate
        rate = self.trace.hold(path, rate, max(rate, bounds.minimum_rate), "sampling.minimumRate")
        return self.trace.hold(path, rate, min(rate, bounds.maximum_rate), "sampling.maximumRate")

    def _anomaly_detection(self) -> AnomalyDetection:
        own = self.event.anomaly_detection
        rules = own or AnomalyDetection(enabled=False)
        path, source = f"{self.path}.anomalyDetection", f"{self.source}.anomalyDetection"
        layer = Layer.PRODUCT if own is None else Layer.EVENT
        enabled = Wish(layer, f"{source}.enabled" if own else "", rules.enabled)
        if not self.config.anomaly_defaults.enabled:
            enabled = Wish(Layer.SPEC, "config.anomalyDetection.enabled", False)
        sample = Wish(Layer.PRODUCT, "", defaults.DEFAULT_MINIMUM_SAMPLE)
        if rules.minimum_sample is not None:
            sample = Wish(Layer.EVENT, f"{source}.minimumSample", rules.minimum_sample)
        return AnomalyDetection(
            enabled=self._anomaly(f"{path}.enabled", enabled, "enabled", lambda asked: asked.enabled),
            minimum_sample=self._anomaly(
                f"{path}.minimumSample", sample, "minimumSample", lambda asked: asked.minimum_sample
            ),
            thresholds=self._anomaly(
                f"{path}.thresholds",
                Wish(layer, f"{source}.thresholds" if own else "", rules.thresholds),
                "thresholds",
                lambda asked: asked.thresholds,
            ),
            actions=self.trace.given(f"{path}.actions", Wish(layer, f"{source}.actions" if own else "", rules.actions)),
        )

    def _anomaly(self, path: str, base: Wish[T], key: str, read: Callable[[AnomalyOverride], T | None]) -> T:
        def read_event(override: EventOverride) -> T | None:
            return read(override.anomaly_detection) if override.anomaly_detection else None

        return self.trace.free(
            path, base, [wishes.ask(f"anomalyDetection.{key}", read_event) for wishes in self.wishes]
        )


def _spec_or_product(key: str, value: T | None, default: T) -> Wish[T]:
    return Wish(Layer.PRODUCT, "", default) if value is None else Wish(Layer.SPEC, f"config.{key}", value)


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
