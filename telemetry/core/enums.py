"""The closed sets of words that documents may use; each member's value is the word in a document."""

from enum import StrEnum
from typing import Final

__all__ = [
    "AnomalyAction",
    "AnomalyMethod",
    "ChangeClass",
    "DropReason",
    "Environment",
    "EventOutcome",
    "EventSource",
    "FloorLimit",
    "FloorStrategy",
    "Layer",
    "PrivacyLevel",
    "PropertyType",
    "ProviderType",
    "RedactionStrategy",
    "RetentionPolicy",
    "Severity",
    "Stability",
    "Statistic",
    "TimeUnit",
    "UndeclaredPolicy",
    "ViolationCode",
]


class Stability(StrEnum):
    """How settled a spec is; the same ladder as other contracts of the origin."""

    IDEA = "idea"
    IN_CREATION = "in_creation"
    EXPERIMENTAL = "experimental"
    BETA = "beta"
    STABLE = "stable"
    DEPRECATED = "deprecated"


class PrivacyLevel(StrEnum):
    """Protection class of an event, from open to closed. ``level.rank`` orders them."""

    PUBLIC = "public"
    INTERNAL = "internal"
    PII = "pii"
    SENSITIVE = "sensitive"

    @property
    def rank(self) -> int:
        """0 for ``public`` up to 3 for ``sensitive``: a higher rank protects more."""
        return _LEVELS.index(self)


# Listing an enumeration costs more than everything that is done with a level.
_LEVELS: Final = tuple(PrivacyLevel)


class PropertyType(StrEnum):
    """Type of a property. ``timestamp`` is RFC 3339 text with a zone; ``json`` is any JSON value."""

    STRING = "string"
    NUMBER = "number"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    JSON = "json"


class RedactionStrategy(StrEnum):
    """How a value is hidden."""

    MASK = "mask"
    DROP = "drop"
    NULL = "null"
    HASH = "hash"
    TRUNCATE = "truncate"
    GENERALISE = "generalise"
    EMAIL_DOMAIN = "email_domain"


class FloorStrategy(StrEnum):
    """Redactions that a privacy floor can demand of any property: those that need no setting and fit every type."""

    HASH = "hash"
    MASK = "mask"
    NULL = "null"
    DROP = "drop"


class FloorLimit(StrEnum):
    """The kinds of limits that a privacy floor has, by their place in its document."""

    MINIMUM_REDACTION = "minimumRedaction"
    MAXIMUM_RETENTION_DAYS = "maximumRetentionDays"
    FORCED_OFF = "forcedOff"
    FORCED_ON = "forcedOn"
    MINIMUM_RATE = "sampling.minimumRate"
    MAXIMUM_RATE = "sampling.maximumRate"


class TimeUnit(StrEnum):
    """The unit to which ``generalise`` cuts a timestamp."""

    DAY = "day"
    MONTH = "month"


class RetentionPolicy(StrEnum):
    """What happens when the days are over."""

    ARCHIVE = "archive"
    DELETE = "delete"


class AnomalyAction(StrEnum):
    """What to do about an anomaly."""

    ALERT = "alert"
    LOG = "log"
    TRIGGER_REGEN = "trigger_regen"


class Statistic(StrEnum):
    """What of an event's tallies an anomaly rule watches, window by window.

    ``count`` to ``unique_subjects`` are of the event as a whole, ``share`` to ``max`` of one property. Ratios are 0-1:
    ``error_ratio`` of received events that were rejected, ``violation_rate`` of those with any violation,
    ``missing_share`` of valid events without the property, ``share`` of events that have the property with one value.
    """

    COUNT = "count"
    RATE_PER_MINUTE = "rate_per_minute"
    ERROR_RATIO = "error_ratio"
    VIOLATION_RATE = "violation_rate"
    UNIQUE_SUBJECTS = "unique_subjects"
    SHARE = "share"
    MISSING_SHARE = "missing_share"
    MEAN = "mean"
    P50 = "p50"
    P95 = "p95"
    P99 = "p99"
    MIN = "min"
    MAX = "max"

    @property
    def is_of_event(self) -> bool:
        """Whether it needs no property."""
        return self in _OF_EVENT

    @property
    def is_of_numbers(self) -> bool:
        """Whether its property must be a number."""
        return not self.is_of_event and self not in (Statistic.SHARE, Statistic.MISSING_SHARE)


_OF_EVENT = frozenset(
    {
        Statistic.COUNT,
        Statistic.RATE_PER_MINUTE,
        Statistic.ERROR_RATIO,
        Statistic.VIOLATION_RATE,
        Statistic.UNIQUE_SUBJECTS,
    }
)


class AnomalyMethod(StrEnum):
    """How an anomaly rule tells what is normal: set bounds, or the metric's own history."""

    LIMITS = "limits"
    SEASONAL = "seasonal"
    LEVEL_SHIFT = "level_shift"
    SILENCE = "silence"
    SURPRISE = "surprise"


class ProviderType(StrEnum):
    """Kinds of places where events can go."""

    POSTHOG = "posthog"
    SEGMENT = "segment"
    OPENTELEMETRY = "opentelemetry"
    INTERNAL = "internal"


class UndeclaredPolicy(StrEnum):
    """What happens to properties that the event does not declare. All but ``keep`` report a violation too.

    ``drop`` leaves the property out, ``mask`` keeps its name with a masked value, ``keep`` passes it on, and
    ``quarantine`` rejects the whole event so that a person can look at it.
    """

    DROP = "drop"
    KEEP = "keep"
    MASK = "mask"
    QUARANTINE = "quarantine"


class Environment(StrEnum):
    """Where an installation runs."""

    DEVELOPMENT = "development"
    STAGING = "staging"
    PRODUCTION = "production"


class Layer(StrEnum):
    """Where a value of the effective config comes from, from the weakest layer to the one that has the last word.

    ``exception`` is the floor's own: what a live exception frees from it.
    """

    PRODUCT = "product"
    SPEC = "spec"
    EVENT = "event"
    BLUEPRINT = "blueprint"
    TENANT = "tenant"
    FLOOR = "floor"
    EXCEPTION = "exception"


class ChangeClass(StrEnum):
    """How much a change of a spec means for apps, readers and privacy."""

    SAFE = "safe"
    RISKY = "risky"
    BREAKING = "breaking"

    @property
    def rank(self) -> int:
        """0 for ``safe`` up to 2 for ``breaking``."""
        return tuple(ChangeClass).index(self)


class Severity(StrEnum):
    """How much a finding matters: an error blocks publishing, a warning asks for a decision, info is advice."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"


class DropReason(StrEnum):
    """Why a valid event was not kept."""

    DISABLED = "disabled"
    SAMPLED_OUT = "sampled_out"


class EventSource(StrEnum):
    """Through which entry an event came in."""

    BATCH = "batch"
    POSTHOG = "posthog"
    SEGMENT = "segment"
    OTLP = "otlp"
    INTERNAL = "internal"


class EventOutcome(StrEnum):
    """What became of one received event; every received event has exactly one."""

    STORED = "stored"
    SAMPLED_OUT = "sampled_out"
    DISABLED = "disabled"
    REJECTED = "rejected"
    DUPLICATE = "duplicate"


class ViolationCode(StrEnum):
    """How an event is not as planned.

    ``malformed`` is what no envelope could be made of; ``outside_window`` an id that was made too long ago, or in the
    future, to tell whether it was received before; ``detected_personal_data`` a value that was masked for what it reads
    like.
    """

    UNKNOWN_EVENT = "unknown_event"
    MISSING_REQUIRED = "missing_required"
    WRONG_TYPE = "wrong_type"
    NOT_ALLOWED_VALUE = "not_allowed_value"
    UNDECLARED_PROPERTY = "undeclared_property"
    UNDECLARED_CONTEXT = "undeclared_context"
    UNSAFE_VALUE = "unsafe_value"
    MALFORMED = "malformed"
    OUTSIDE_WINDOW = "outside_window"
    DETECTED_PERSONAL_DATA = "detected_personal_data"
