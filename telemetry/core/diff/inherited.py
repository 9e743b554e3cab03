"""What events take from the defaults of their spec: the values by which a change is judged."""

from typing import NamedTuple

from telemetry.core import defaults
from telemetry.core.enums import PrivacyLevel, RetentionPolicy, UndeclaredPolicy
from telemetry.core.spec import EventDefinition, Retention, Sampling, TelemetryDefaults, TelemetrySpec

__all__ = ["Inherited", "holds_personal_data", "inherited_from"]

# Levels whose events hold personal data, flagged or not.
_PERSONAL = (PrivacyLevel.PII, PrivacyLevel.SENSITIVE)


class Inherited(NamedTuple):
    """Days, sampling rate (ratio 0-1) and policies that hold where an event, or the spec, says nothing.

    ``quarantine_days`` is 0 when refused events are not held.
    """

    days: int
    rate: float
    undeclared: UndeclaredPolicy
    quarantine_days: int
    mask_detected: bool

    def days_of(self, own: Retention | None) -> int:
        """How long an event with this retention of its own is kept."""
        return self.days if own is None else own.days

    def rate_of(self, own: Sampling | None) -> float:
        """The rate of an event with this sampling of its own, when all of its conditions hold."""
        return self.rate if own is None else own.rate

    def policy_of(self, own: Retention | None) -> RetentionPolicy:
        """What happens to an event with this retention of its own when the days are over."""
        return defaults.DEFAULT_RETENTION_POLICY if own is None else own.policy


def inherited_from(spec: TelemetrySpec) -> Inherited:
    """The spec's defaults, completed by those of the product."""
    said = spec.config or TelemetryDefaults()
    days, rate, undeclared = said.default_retention_days, said.default_sampling_rate, said.undeclared_properties
    return Inherited(
        days=defaults.DEFAULT_RETENTION_DAYS if days is None else days,
        rate=defaults.DEFAULT_SAMPLING_RATE if rate is None else rate,
        undeclared=defaults.DEFAULT_UNDECLARED if undeclared is None else undeclared,
        quarantine_days=0 if said.quarantine is None else said.quarantine.held_days,
        mask_detected=defaults.DEFAULT_MASK_DETECTED if said.mask_detected is None else said.mask_detected,
    )


def holds_personal_data(event: EventDefinition) -> bool:
    """Whether the event is about people: by its level, or because a property is flagged."""
    return event.privacy in _PERSONAL or any(definition.pii for definition in event.properties.values())
