"""Settling one event of an effective config: every layer's wishes for it, leaf by leaf."""

from collections.abc import Callable, Iterable
from typing import NamedTuple, TypeVar

from telemetry.core import defaults
from telemetry.core.config import (
    AnomalyOverride,
    EffectiveEvent,
    EffectiveProperty,
    EffectiveSampling,
    EventOverride,
    FloorException,
    PrivacyFloor,
)
from telemetry.core.enums import FloorLimit, FloorStrategy, Layer
from telemetry.core.floor_exceptions import EventExceptions
from telemetry.core.floors import floor_redaction, floor_retention_days
from telemetry.core.layers import EventWishes, Trace, Wish, event_reference
from telemetry.core.paths import key_path
from telemetry.core.redaction import required_redaction
from telemetry.core.spec import AnomalyDetection, EventDefinition, PropertyDefinition, Redaction, Retention
from telemetry.core.tightening import join_days, join_level, join_policy, join_redaction

__all__ = ["EventResolution", "Inherited"]

T = TypeVar("T")


class Inherited(NamedTuple):
    """What holds for all events of a config, each value with the layer that set it.

    ``retention_days`` counts days, ``sampling_rate`` is a ratio 0-1: what each layer says of them, from weak to strong.
    ``anomaly_off`` is set when the spec turns all anomaly rules off.
    """

    trace: Trace
    floor: PrivacyFloor
    exceptions: tuple[FloorException, ...]
    enabled: Wish[bool]
    retention_days: tuple[Wish[int], ...]
    sampling_rate: tuple[Wish[float], ...]
    anomaly_off: Wish[bool] | None


class EventResolution:
    """Settles the leaves of one event, given what it inherits."""

    def __init__(
        self, inherited: Inherited, wishes: tuple[EventWishes, ...], source: str, event: EventDefinition
    ) -> None:
        self.inherited, self.wishes, self.source, self.event = inherited, wishes, source, event
        self.trace, self.floor = inherited.trace, inherited.floor
        self.exceptions = EventExceptions(inherited.exceptions, event.name, event.version)
        self.path = f"events[{event_reference(event.name, event.version)}]"

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
        is_all_off = value and not self.inherited.enabled.value
        if is_all_off:
            value = self.trace.given(path, self.inherited.enabled)
        if self._is_named(self.floor.forced_off):
            freed = self.exceptions.forced(FloorLimit.FORCED_OFF, value)
            value = self.trace.hold(path, value, False, "forcedOff", freed)
            if freed is None:
                return value
        if self._is_named(self.floor.forced_on):
            freed = self.exceptions.forced(FloorLimit.FORCED_ON, value)
            # Who turns all telemetry off does so for every event but those that are forced on.
            value = self.trace.hold(path, value, True, "forcedOn", freed, is_refusal=not is_all_off)
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
            allowed_values=self.trace.given(
                f"{path}.allowedValues", Wish(Layer.EVENT, f"{source}.allowedValues", definition.allowed_values)
            ),
        )

    def _redaction(self, name: str, definition: PropertyDefinition, path: str, source: str) -> Redaction | None:
        base = Wish(Layer.EVENT, source, required_redaction(definition, self.event.privacy))
        key = key_path("redaction", name)
        wishes = [wishes.ask(key, lambda override: override.redaction.get(name)) for wishes in self.wishes]
        raised = required_redaction(definition, self.privacy)
        if raised != base.value:
            level = self.trace.provenance[f"{self.path}.privacy"]
            wishes.insert(0, Wish(level.layer, level.path, raised))
        value = self.trace.tighten(path, base, wishes, join_redaction)
        minimum = floor_redaction(self.floor, self.privacy)
        if value is None or minimum is None:
            return value
        held = join_redaction(value, minimum.value)
        limit = FloorStrategy(minimum.value.strategy.value)
        return self.trace.hold(path, value, held, minimum.path, self.exceptions.redaction(value, limit, self.privacy))

    def _retention(self) -> Retention:
        own = self.event.retention
        path = f"{self.path}.retention"
        stated = self.inherited.retention_days
        policy = Wish(Layer.PRODUCT, "", defaults.DEFAULT_RETENTION_POLICY)
        if own is not None:
            stated = (*stated, Wish(Layer.EVENT, f"{self.source}.retention.days", own.days))
            self.trace.replaced(f"{path}.policy", [policy])
            policy = Wish(Layer.EVENT, f"{self.source}.retention.policy", own.policy)
        asked = [wishes.ask("retentionDays", lambda override: override.retention_days) for wishes in self.wishes]
        *replaced, base = stated
        self.trace.replaced(f"{path}.days", replaced)
        days = self.trace.tighten(f"{path}.days", base, asked, join_days)
        limit = floor_retention_days(self.floor, self.privacy)
        if limit is not None:
            freed = self.exceptions.retention_days(days, limit.value, self.privacy)
            days = self.trace.hold(f"{path}.days", days, join_days(days, limit.value), limit.path, freed)
        policies = [wishes.ask("retentionPolicy", lambda override: override.retention_policy) for wishes in self.wishes]
        return Retention(days=days, policy=self.trace.tighten(f"{path}.policy", policy, policies, join_policy))

    def _sampling(self) -> EffectiveSampling:
        own = self.event.sampling
        path = f"{self.path}.sampling"
        base, *rest = self.inherited.sampling_rate
        # Their type is that of wishes, which may ask for nothing.
        inherited: list[Wish[float | None]] = [Wish(wish.layer, wish.path, wish.value) for wish in rest]
        stated: list[Wish[float | None]] = []
        if own is not None:
            stated.append(Wish(Layer.EVENT, f"{self.source}.sampling.rate", own.rate))
        wishes = [wishes.ask("samplingRate", lambda override: override.sampling_rate) for wishes in self.wishes]
        rate = self.trace.free(f"{path}.rate", base, [*inherited, *stated, *wishes])
        otherwise = self.trace.free(f"{path}.otherwiseRate", base, inherited)
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
        lowest, highest = bounds.minimum_rate, bounds.maximum_rate
        freed = self.exceptions.minimum_rate(rate, lowest)
        rate = self.trace.hold(path, rate, max(rate, lowest), "sampling.minimumRate", freed)
        freed = self.exceptions.maximum_rate(rate, highest)
        return self.trace.hold(path, rate, min(rate, highest), "sampling.maximumRate", freed)

    def _anomaly_detection(self) -> AnomalyDetection:
        own = self.event.anomaly_detection
        rules = own or AnomalyDetection(enabled=False)
        path, source = f"{self.path}.anomalyDetection", f"{self.source}.anomalyDetection"
        layer = Layer.PRODUCT if own is None else Layer.EVENT
        enabled = Wish(layer, f"{source}.enabled" if own else "", rules.enabled)
        if self.inherited.anomaly_off is not None:
            enabled = self.inherited.anomaly_off
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
            rules=self._anomaly(
                f"{path}.rules",
                Wish(layer, f"{source}.rules" if own else "", rules.rules),
                "rules",
                lambda asked: asked.rules,
            ),
            actions=self.trace.given(f"{path}.actions", Wish(layer, f"{source}.actions" if own else "", rules.actions)),
        )

    def _anomaly(self, path: str, base: Wish[T], key: str, read: Callable[[AnomalyOverride], T | None]) -> T:
        def read_event(override: EventOverride) -> T | None:
            return read(override.anomaly_detection) if override.anomaly_detection else None

        return self.trace.free(
            path, base, [wishes.ask(f"anomalyDetection.{key}", read_event) for wishes in self.wishes]
        )
