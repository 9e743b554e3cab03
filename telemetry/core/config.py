"""The layers that make an effective config, and the effective config itself, as frozen values.

From weak to strong: product defaults, spec, event, blueprint (of the app), tenant (its override), floor, exception.
``telemetry.core.resolution`` merges them.
"""

from collections.abc import Mapping
from typing import Annotated, Literal

import msgspec

from telemetry.core.enums import (
    Environment,
    FloorLimit,
    FloorStrategy,
    Layer,
    PrivacyLevel,
    PropertyType,
    RetentionPolicy,
    UndeclaredPolicy,
)
from telemetry.core.spec import (
    AllowedValues,
    AnomalyDetection,
    AnomalyRule,
    Condition,
    Days,
    ProviderDefinition,
    Redaction,
    Retention,
    Tag,
    Threshold,
)
from telemetry.core.values import (
    EMPTY_MAPPING,
    EventName,
    EventReference,
    Identifier,
    PositiveInt,
    PropertyName,
    Rate,
    SpecName,
    Value,
    freeze_mappings,
)

__all__ = [
    "AnomalyOverride",
    "AppBlueprint",
    "EffectiveConfig",
    "EffectiveEvent",
    "EffectiveProperty",
    "EffectiveSampling",
    "EventOverride",
    "FloorException",
    "InstallationIdentity",
    "PrivacyFloor",
    "Provenance",
    "SamplingBounds",
    "SpecPointer",
    "SpecReference",
    "TenantOverride",
]


class SpecPointer(Value, frozen=True, kw_only=True):
    """Which spec an app or tenant obeys; without ``version``, the latest published one."""

    name: SpecName
    version: PositiveInt | None = None


class AnomalyOverride(Value, frozen=True, kw_only=True):
    """What a layer changes of an event's anomaly rules.

    Unset fields are inherited; ``thresholds`` and ``rules`` replace all of the layer below.
    """

    enabled: bool | None = None
    minimum_sample: PositiveInt | None = None
    thresholds: tuple[Threshold, ...] | None = None
    rules: tuple[AnomalyRule, ...] | None = None


class EventOverride(Value, frozen=True, kw_only=True):
    """What a layer changes of one event; unset fields are inherited.

    Privacy, redaction and retention may only be tightened; what would loosen them has no effect.
    """

    enabled: bool | None = None
    privacy: PrivacyLevel | None = None
    sampling_rate: Rate | None = None
    retention_days: Days | None = None
    retention_policy: RetentionPolicy | None = None
    redaction: Mapping[PropertyName, Redaction] = EMPTY_MAPPING
    anomaly_detection: AnomalyOverride | None = None

    def __post_init__(self) -> None:
        freeze_mappings(self, "redaction")


class AppBlueprint(Value, frozen=True, kw_only=True):
    """An app's defaults for all its tenants; holds no tenant data."""

    spec: SpecPointer | None = None
    enabled: bool | None = None
    default_sampling_rate: Rate | None = None
    undeclared_properties: UndeclaredPolicy | None = None
    events: Mapping[EventReference, EventOverride] = EMPTY_MAPPING

    def __post_init__(self) -> None:
        freeze_mappings(self, "events")


class TenantOverride(Value, frozen=True, kw_only=True):
    """What one tenant changes, for one app in one environment. Every field works alone."""

    spec: SpecPointer | None = None
    enabled: bool | None = None
    default_sampling_rate: Rate | None = None
    undeclared_properties: UndeclaredPolicy | None = None
    events: Mapping[EventReference, EventOverride] = EMPTY_MAPPING

    def __post_init__(self) -> None:
        freeze_mappings(self, "events")


class SamplingBounds(Value, frozen=True, kw_only=True):
    """Lowest and highest sampling rate that a layer may ask for (ratios 0-1)."""

    minimum_rate: Rate = 0.0
    maximum_rate: Rate = 1.0


class PrivacyFloor(Value, frozen=True, kw_only=True):
    """Limits nobody may loosen.

    ``minimum_redaction`` and ``maximum_retention_days`` go by privacy level. ``minimum_redaction`` holds for every
    property that the level (or a flag) redacts. ``forced_on`` also holds where a layer turns all telemetry off;
    ``forced_off`` wins over it. ``forbid_quarantine``: no refused event is held, whatever the spec says.
    """

    minimum_redaction: Mapping[PrivacyLevel, FloorStrategy] = EMPTY_MAPPING
    maximum_retention_days: Mapping[PrivacyLevel, Days] = EMPTY_MAPPING
    forced_off: tuple[EventReference, ...] = ()
    forced_on: tuple[EventReference, ...] = ()
    sampling: SamplingBounds | None = None
    forbid_quarantine: bool = False

    def __post_init__(self) -> None:
        freeze_mappings(self, "minimum_redaction", "maximum_retention_days")


class FloorException(Value, frozen=True, kw_only=True):
    """One limit of the floor that does not hold for a while at an installation, or only in a looser form.

    ``level`` is that of the events to which it applies, for the two limits that go by level: an event that protects
    more stays bound. ``events`` narrows it to these; empty means all of that level. At most one of ``redaction``,
    ``retention_days`` and ``sampling_rate`` says what holds instead of the limit; without it nothing does. ``number``
    tells exceptions apart, 0 until it is stored.
    """

    limit: FloorLimit
    level: PrivacyLevel | None = None
    events: tuple[EventReference, ...] = ()
    redaction: FloorStrategy | None = None
    retention_days: Days | None = None
    sampling_rate: Rate | None = None
    number: Annotated[int, msgspec.Meta(ge=0)] = 0


class InstallationIdentity(Value, frozen=True, kw_only=True):
    """Whose config this is. ``sampling_salt`` is one per tenant, so that nested rates keep nested sets of subjects."""

    tenant: Identifier
    app: Identifier
    environment: Environment
    sampling_salt: str


class SpecReference(Value, frozen=True, kw_only=True):
    """The exact spec version behind a config; ``checksum`` is the SHA-256 of its canonical form, in hex."""

    name: SpecName
    version: PositiveInt
    checksum: str


class Provenance(Value, frozen=True, kw_only=True):
    """Which layer set a value.

    ``path`` is the place in that layer's document, empty for product defaults and level floors; that of an exception
    begins with ``exceptions`` and its number.
    ``limited`` lists the layers whose wish was refused because a stronger layer or a privacy rule held it.
    """

    layer: Layer
    path: str = ""
    limited: tuple[Layer, ...] = ()


class EffectiveProperty(Value, frozen=True, kw_only=True):
    """Type, allowed values and final redaction of a property.

    ``redaction`` unset means that the value is passed on as it is; without ``allowed_values``, every value of the type
    is allowed. ``declared_free`` frees a property of the context, whose level is that of the event it comes with, from
    what level ``pii`` hides; in properties of an event, ``redaction`` has the answer already.
    """

    type: PropertyType
    required: bool = False
    redaction: Redaction | None = None
    allowed_values: AllowedValues = ()
    declared_free: bool = False


class EffectiveSampling(Value, frozen=True, kw_only=True):
    """Share kept when all conditions hold, and otherwise (ratios 0-1)."""

    rate: Rate
    otherwise_rate: Rate
    conditions: tuple[Condition, ...] = ()


class EffectiveEvent(Value, frozen=True, kw_only=True, omit_defaults=False):
    """All that holds for one event, nothing left to inherit.

    ``enabled`` is the whole answer for this event: the config-wide toggle is already counted in.
    """

    name: EventName
    version: PositiveInt
    enabled: bool
    privacy: PrivacyLevel
    properties: Mapping[PropertyName, EffectiveProperty]
    retention: Retention
    sampling: EffectiveSampling
    anomaly_detection: AnomalyDetection
    tags: tuple[Tag, ...]

    def __post_init__(self) -> None:
        freeze_mappings(self, "properties")


class EffectiveConfig(Value, frozen=True, kw_only=True, omit_defaults=False):
    """The merged answer for one installation: what apps fetch, and what tracker, ingest and jobs obey.

    ``revision`` grows with every change that can alter the answer. ``missing`` names references of blueprint
    or override that the spec does not have. ``provenance`` maps the path of each leaf (such as
    ``events[sigil.telemetry.workflow_step@1].sampling.rate``) to the layer that set it; documents leave it out unless
    an explanation was asked for. ``quarantine_days`` is how long refused events are held, 0 when they are not;
    ``mask_detected`` says whether the studio masks what its detectors take for personal data.
    """

    revision: int
    tenant: Identifier
    app: Identifier
    environment: Environment
    sampling_salt: str
    enabled: bool
    spec: SpecReference
    undeclared_properties: UndeclaredPolicy
    context_properties: Mapping[PropertyName, EffectiveProperty]
    check_interval_ms: int
    providers: tuple[ProviderDefinition, ...]
    events: tuple[EffectiveEvent, ...]
    quarantine_days: int = 0
    mask_detected: bool = False
    format: Literal[1] = 1
    missing: tuple[str, ...] = ()
    provenance: Mapping[str, Provenance] = EMPTY_MAPPING

    def __post_init__(self) -> None:
        freeze_mappings(self, "context_properties", "provenance")
