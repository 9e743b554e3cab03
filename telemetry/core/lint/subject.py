"""A spec with what rules ask of it again and again, worked out once."""

from collections.abc import Collection, Iterator
from datetime import date
from functools import cached_property
from typing import NamedTuple

from telemetry.core import defaults
from telemetry.core.enums import PrivacyLevel
from telemetry.core.event_specs import Departure, EventSpec, departures
from telemetry.core.lint.words import words_of
from telemetry.core.redaction import required_redaction
from telemetry.core.shapes import Path
from telemetry.core.spec import (
    AnomalyRule,
    EventDefinition,
    LintOptOut,
    PropertyDefinition,
    Redaction,
    TelemetryDefaults,
    TelemetrySpec,
    Threshold,
)

__all__ = ["EventIdentity", "LintedEvent", "LintedProperty", "LintedSpec"]

# Name and version.
EventIdentity = tuple[str, int]


class LintedProperty(NamedTuple):
    """A property at its place; ``hidden`` is the redaction that flags and privacy level demand, if they do.

    ``privacy`` is the level of the event; for a property of the context, which has many, that which demands least.
    """

    name: str
    definition: PropertyDefinition
    path: Path
    words: tuple[str, ...]
    privacy: PrivacyLevel
    hidden: Redaction | None


class LintedEvent(NamedTuple):
    """An event at its place, with the days and the rate that hold for it, be they its own or the spec's."""

    definition: EventDefinition
    path: Path
    words: tuple[str, ...]
    properties: tuple[LintedProperty, ...]
    retention_days: int
    sampling_rate: float

    @property
    def is_deprecated(self) -> bool:
        """Whether it is no longer to be sent."""
        return self.definition.deprecation is not None

    @property
    def thresholds(self) -> tuple[Threshold, ...]:
        """The bounds of its metrics, whether they are judged or not."""
        return self.definition.anomaly_detection.thresholds if self.definition.anomaly_detection else ()

    @property
    def anomaly_rules(self) -> tuple[AnomalyRule, ...]:
        """Those that it says."""
        return self.definition.anomaly_detection.rules if self.definition.anomaly_detection else ()

    @property
    def conditions(self) -> tuple[str, ...]:
        """The conditions of its sampling."""
        return self.definition.sampling.conditions if self.definition.sampling else ()

    @property
    def is_high_volume(self) -> bool:
        """Whether it is tagged as one of which a small share is enough."""
        return HIGH_VOLUME in self.definition.tags


# Source: "Keep sampling >= 0.05 except for high-volume events", the seed's best practices.
HIGH_VOLUME = "high-volume"


class LintedSpec:
    """A spec under lint, and what is known around it; see ``lint_spec`` for the meaning of each.

    For rules about opt-outs only: ``optional_rules`` are the names that opt-outs may name, ``used_opt_outs`` the paths
    of those that silence a finding.
    """

    def __init__(
        self,
        spec: TelemetrySpec,
        *,
        today: date,
        published: TelemetrySpec | None = None,
        event_specs: Collection[EventSpec] | None = None,
        history: Collection[EventIdentity] = (),
    ) -> None:
        self.spec = spec
        self.today = today.isoformat()
        self.published = published
        self.event_specs = None if event_specs is None else {each.identity: each for each in event_specs}
        self.history = frozenset(history)
        self.defaults = spec.config or TelemetryDefaults()
        self.optional_rules: frozenset[str] = frozenset()
        self.used_opt_outs: frozenset[Path] = frozenset()
        self.events = tuple(self._event(index, event) for index, event in enumerate(spec.events))
        self.context_properties = tuple(
            _property(("config", "contextProperties"), name, definition, PrivacyLevel.PUBLIC)
            for name, definition in self.defaults.context_properties.items()
        )

    def properties(self) -> Iterator[LintedProperty]:
        """Every property of the context and of all events, in document order."""
        yield from self.context_properties
        for event in self.events:
            yield from event.properties

    @cached_property
    def current_events(self) -> tuple[LintedEvent, ...]:
        """The events that are to be sent: all but the deprecated ones."""
        return tuple(event for event in self.events if not event.is_deprecated)

    @cached_property
    def departures(self) -> tuple[tuple[LintedEvent, Departure], ...]:
        """Every way in which an event that is to be sent differs from the contract of its name and version."""
        contracts = self.event_specs or {}
        known = [each for each in self.current_events if (each.definition.name, each.definition.version) in contracts]
        return tuple(
            (event, departure)
            for event in known
            for departure in departures(contracts[event.definition.name, event.definition.version], event.definition)
        )

    @cached_property
    def identities(self) -> frozenset[EventIdentity]:
        """Name and version of every event of the spec."""
        return frozenset((event.name, event.version) for event in self.spec.events)

    @property
    def default_rate(self) -> float:
        """The share of subjects (ratio 0-1) that is kept where an event says nothing, or its conditions do not hold."""
        rate = self.defaults.default_sampling_rate
        return defaults.DEFAULT_SAMPLING_RATE if rate is None else rate

    def is_in_force(self, opt_out: LintOptOut) -> bool:
        """Whether the opt-out has not ended; its last day is part of it."""
        return opt_out.until is None or self.today <= opt_out.until

    def _event(self, index: int, event: EventDefinition) -> LintedEvent:
        path = ("events", index)
        days = self.defaults.default_retention_days or defaults.DEFAULT_RETENTION_DAYS
        return LintedEvent(
            definition=event,
            path=path,
            words=words_of(event.name),
            properties=tuple(
                _property((*path, "properties"), name, definition, event.privacy)
                for name, definition in event.properties.items()
            ),
            retention_days=days if event.retention is None else event.retention.days,
            sampling_rate=self.default_rate if event.sampling is None else event.sampling.rate,
        )


def _property(place: Path, name: str, definition: PropertyDefinition, privacy: PrivacyLevel) -> LintedProperty:
    hidden = required_redaction(definition, privacy)
    return LintedProperty(name, definition, (*place, name), words_of(name), privacy, hidden)
