"""A telemetry spec and its parts, as frozen values.

The shape is the seed's; documents use camelCase keys. ``telemetry.core.codec`` reads and writes documents,
``telemetry.core.validation`` holds the rules that span more than one field.
"""

from collections.abc import Mapping
from typing import Annotated, Any

import msgspec

from telemetry.core.defaults import DEFAULT_QUARANTINE_DAYS
from telemetry.core.enums import (
    AnomalyAction,
    AnomalyMethod,
    PrivacyLevel,
    PropertyType,
    ProviderType,
    RedactionStrategy,
    RetentionPolicy,
    Stability,
    Statistic,
    TimeUnit,
    UndeclaredPolicy,
)
from telemetry.core.values import (
    EMPTY_MAPPING,
    EventName,
    EventReference,
    PositiveInt,
    PropertyName,
    Rate,
    SpecName,
    Value,
    deep_freeze,
    freeze_mappings,
)

__all__ = [
    "AnomalyDefaults",
    "AnomalyDetection",
    "AnomalyRule",
    "Deprecation",
    "EventDefinition",
    "LintOptOut",
    "PropertyDefinition",
    "ProviderDefinition",
    "Quarantine",
    "Redaction",
    "Retention",
    "Sampling",
    "Semantics",
    "TelemetryDefaults",
    "TelemetryMeta",
    "TelemetrySpec",
    "Threshold",
]

Owner = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^@[A-Za-z0-9_.\-/]+(?!\n)$", max_length=100, description="@ and a name, such as '@team.analytics'"
    ),
]
Tag = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:/-]*(?!\n)$",
        max_length=64,
        description="ASCII letters, digits and any of _ . : / -, starting with a letter or digit",
    ),
]
Line = Annotated[str, msgspec.Meta(min_length=1, max_length=200, pattern=r"\S", description="text that is not blank")]
Text = Annotated[str, msgspec.Meta(max_length=4000)]
# A century: longer than any legal duty to keep records, short enough that dates never overflow.
Days = Annotated[int, msgspec.Meta(ge=1, le=36_500)]
# Whether the calendar has the day is checked by ``telemetry.core.validation``.
Date = Annotated[
    str,
    msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}(?!\n)$", description="a date, such as 2026-11-22"),
]
Reason = Annotated[
    str, msgspec.Meta(min_length=1, max_length=1000, pattern=r"\S", description="text that is not blank")
]
RuleName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z][a-z0-9_]*(?!\n)$",
        max_length=64,
        description="the name of a lint rule, such as 'sampling_too_low'",
    ),
]
Unit = Annotated[str, msgspec.Meta(max_length=30)]
# Long conditions are slow to read and to check; attacks.md asks for a bound at save.
Condition = Annotated[str, msgspec.Meta(min_length=1, max_length=1000)]
# Bounds of lists. Each event costs a row in every config and page, each property a form row and a variable that
# conditions are checked against: these are far above what a person can govern, and keep a hostile document cheap.
MAXIMUM_EVENTS = 2_000
MAXIMUM_PROPERTIES = 500
MAXIMUM_CONTEXT_PROPERTIES = 100
MAXIMUM_PROVIDERS = 20
MAXIMUM_LABELS = 50
# Held events are raw: long enough to find out what went wrong and to mend it, and no longer than ids are remembered.
MAXIMUM_QUARANTINE_DAYS = 28
# All countries or currencies of the world fit; every value travels in every config.
MAXIMUM_ALLOWED_VALUES = 500

Owners = Annotated[tuple[Owner, ...], msgspec.Meta(max_length=MAXIMUM_LABELS)]
Tags = Annotated[tuple[Tag, ...], msgspec.Meta(max_length=MAXIMUM_LABELS)]
AllowedValue = Annotated[str, msgspec.Meta(max_length=200)] | float
AllowedValues = Annotated[tuple[AllowedValue, ...], msgspec.Meta(max_length=MAXIMUM_ALLOWED_VALUES)]

AnomalyRuleName = Annotated[
    str,
    msgspec.Meta(
        pattern=r"^[a-z][a-z0-9_]*(?!\n)$",
        max_length=64,
        description="lower-case letters, digits and _, starting with a letter, such as 'slow_steps'",
    ),
]
# Tallies are kept by the minute; nothing that takes longer than a week to notice needs a rule.
WindowMinutes = Annotated[int, msgspec.Meta(ge=1, le=10_080)]


class TelemetryMeta(Value, frozen=True, kw_only=True):
    """Who owns a spec and how it is identified: ``name`` and ``version`` together are unique."""

    name: SpecName
    version: PositiveInt
    title: Line
    description: Text = ""
    domain: Annotated[str, msgspec.Meta(max_length=100)] = ""
    owners: Owners = ()
    tags: Tags = ()
    stability: Stability = Stability.EXPERIMENTAL


class Semantics(Value, frozen=True, kw_only=True):
    """What an event means, in words: ``what`` happened, ``who`` did it, ``why`` it is collected."""

    what: Line
    who: Text = ""
    why: Text = ""


class Redaction(Value, frozen=True, kw_only=True):
    """How one value is hidden, with the strategy's own setting.

    ``length`` (characters kept) goes with ``truncate``; ``unit`` (for timestamps) or ``bucket`` (width of the number
    range) with ``generalise``, which cuts IP addresses to their network without a setting.
    """

    strategy: RedactionStrategy
    length: Annotated[int, msgspec.Meta(ge=1, le=1000)] | None = None
    unit: TimeUnit | None = None
    bucket: Annotated[float, msgspec.Meta(gt=0)] | None = None


class PropertyDefinition(Value, frozen=True, kw_only=True):
    """Rules of one property.

    ``pii`` has three states: true (personal data), false (declared free of personal data, which matters at privacy
    level ``pii``) and unset. ``redaction`` says how; ``pii`` or ``redact`` without it means mask. Without
    ``allowed_values``, every value of the type is allowed; ``unit`` says what a number counts.
    """

    type: PropertyType
    required: bool = False
    pii: bool | None = None
    redact: bool = False
    redaction: Redaction | None = None
    description: Text = ""
    allowed_values: AllowedValues = ()
    unit: Unit = ""


class Retention(Value, frozen=True, kw_only=True):
    """How long an event is kept, in whole days after it was received, and what happens then."""

    days: Days
    policy: RetentionPolicy = RetentionPolicy.DELETE


class Sampling(Value, frozen=True, kw_only=True):
    """Share of subjects kept (ratio 0-1) when all conditions hold; otherwise the spec's default rate applies.

    Conditions are CEL expressions over ``properties`` and ``context``.
    """

    rate: Rate
    conditions: Annotated[tuple[Condition, ...], msgspec.Meta(max_length=20)] = ()


class Threshold(Value, frozen=True, kw_only=True):
    """Bounds of one metric, a numeric property by name; at least one of ``min`` and ``max`` is set."""

    metric: PropertyName
    min: float | None = None
    max: float | None = None


class AnomalyRule(Value, frozen=True, kw_only=True):
    """A rule on one statistic of a window: of the event, or of the property that ``metric`` names.

    ``min`` and ``max`` go with the method ``limits``; ``sensitivity`` and ``minimum_effect`` with those that learn from
    history; ``value`` with the statistic ``share``. Unset, ``window_minutes`` is the spec's check interval,
    ``minimum_sample`` and ``actions`` are the event's.
    """

    name: AnomalyRuleName
    statistic: Statistic
    method: AnomalyMethod = AnomalyMethod.LIMITS
    metric: PropertyName | None = None
    value: AllowedValue | bool | None = None
    min: float | None = None
    max: float | None = None
    sensitivity: Annotated[float, msgspec.Meta(ge=0.5, le=100)] | None = None
    minimum_effect: Annotated[float, msgspec.Meta(ge=0, le=10)] | None = None
    window_minutes: WindowMinutes | None = None
    minimum_sample: PositiveInt | None = None
    actions: tuple[AnomalyAction, ...] | None = None


class AnomalyDetection(Value, frozen=True, kw_only=True):
    """Rules on an event's metrics; they judge only once ``minimum_sample`` values were seen in a window.

    ``thresholds`` judge single values, ``rules`` statistics of a whole window.
    """

    enabled: bool = True
    minimum_sample: PositiveInt | None = None
    thresholds: Annotated[tuple[Threshold, ...], msgspec.Meta(max_length=MAXIMUM_LABELS)] = ()
    rules: Annotated[tuple[AnomalyRule, ...], msgspec.Meta(max_length=MAXIMUM_LABELS)] = ()
    actions: tuple[AnomalyAction, ...] = ()


class Deprecation(Value, frozen=True, kw_only=True):
    """Why an event is no longer to be sent, and which one is sent instead; it is still taken and treated as before."""

    reason: Reason
    replaced_by: EventReference | None = None


class LintOptOut(Value, frozen=True, kw_only=True):
    """One lint rule that does not hold for an event: why, and through which day; without ``until``, for good."""

    rule: RuleName
    reason: Reason
    until: Date | None = None


class EventDefinition(Value, frozen=True, kw_only=True):
    """Rules of one event; ``name`` and ``version`` together are unique in a spec.

    ``owners`` unset means those of the spec. From the day after ``review_by`` on, somebody should look at it again.
    """

    name: EventName
    version: PositiveInt
    semantics: Semantics
    privacy: PrivacyLevel
    properties: Annotated[Mapping[PropertyName, PropertyDefinition], msgspec.Meta(max_length=MAXIMUM_PROPERTIES)] = (
        EMPTY_MAPPING
    )
    retention: Retention | None = None
    sampling: Sampling | None = None
    anomaly_detection: AnomalyDetection | None = None
    tags: Tags = ()
    owners: Owners = ()
    review_by: Date | None = None
    deprecation: Deprecation | None = None
    lint_opt_outs: Annotated[tuple[LintOptOut, ...], msgspec.Meta(max_length=MAXIMUM_LABELS)] = ()

    def __post_init__(self) -> None:
        freeze_mappings(self, "properties")


class ProviderDefinition(Value, frozen=True, kw_only=True):
    """A place where events go. ``config`` values may be references to the app's environment: ``${POSTHOG_KEY}``."""

    type: ProviderType
    config: Mapping[str, Any] = EMPTY_MAPPING

    def __post_init__(self) -> None:
        msgspec.structs.force_setattr(self, "config", deep_freeze(self.config))


class AnomalyDefaults(Value, frozen=True, kw_only=True):
    """Anomaly settings of a whole spec; ``check_interval_ms`` is the width of a window in milliseconds."""

    enabled: bool = True
    check_interval_ms: Annotated[int, msgspec.Meta(ge=1_000, le=86_400_000)] | None = None


class Quarantine(Value, frozen=True, kw_only=True):
    """Whether refused events are held for a person to look at, encrypted and whole, and for how many whole days.

    Events at level ``sensitive`` are never held.
    """

    enabled: bool = True
    days: Annotated[int, msgspec.Meta(ge=1, le=MAXIMUM_QUARANTINE_DAYS)] | None = None

    @property
    def held_days(self) -> int:
        """How long refused events are held, 0 when they are not."""
        if not self.enabled:
            return 0
        return DEFAULT_QUARANTINE_DAYS if self.days is None else self.days


class TelemetryDefaults(Value, frozen=True, kw_only=True):
    """What holds for every event of a spec that does not say otherwise (the document's ``config``).

    ``context_properties`` declares the keys that ``context.metadata`` may carry, under the same rules as properties.
    ``mask_detected`` masks values that pass unhidden, but that a detector of the studio takes for personal data.
    """

    default_retention_days: Days | None = None
    default_sampling_rate: Rate | None = None
    undeclared_properties: UndeclaredPolicy | None = None
    context_properties: Annotated[
        Mapping[PropertyName, PropertyDefinition], msgspec.Meta(max_length=MAXIMUM_CONTEXT_PROPERTIES)
    ] = EMPTY_MAPPING
    providers: Annotated[tuple[ProviderDefinition, ...], msgspec.Meta(max_length=MAXIMUM_PROVIDERS)] = ()
    anomaly_detection: AnomalyDefaults | None = None
    quarantine: Quarantine | None = None
    mask_detected: bool | None = None

    def __post_init__(self) -> None:
        freeze_mappings(self, "context_properties")


class TelemetrySpec(Value, frozen=True, kw_only=True):
    """A versioned plan of an area's events: the contract that everything else obeys."""

    meta: TelemetryMeta
    config: TelemetryDefaults | None = None
    events: Annotated[tuple[EventDefinition, ...], msgspec.Meta(max_length=MAXIMUM_EVENTS)] = ()
