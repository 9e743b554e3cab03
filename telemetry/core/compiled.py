"""An effective config prepared for run time: all that does not depend on the single event is done once."""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import msgspec

from telemetry.core.conditions import Condition, compile_condition
from telemetry.core.config import EffectiveConfig, EffectiveEvent, EffectiveProperty
from telemetry.core.enums import PrivacyLevel, PropertyType, UndeclaredPolicy, ViolationCode
from telemetry.core.errors import FieldError, InvalidCondition, InvalidDocument
from telemetry.core.paths import key_path
from telemetry.core.payload import READERS, only_allowed
from telemetry.core.redaction import Redactor, compile_redactor, hidden_form, level_redacts
from telemetry.core.tightening import MASK

__all__ = [
    "MOST_COUNTED_VALUES",
    "CompiledConfig",
    "CompiledEvent",
    "CompiledProperty",
    "CompiledRules",
    "CompiledSampling",
    "compile_config",
]

_MEASURED_TYPES = (PropertyType.NUMBER, PropertyType.JSON)
# Values of one property that are worth a count each: what fits a legend. Longer lists are texts rather than states.
MOST_COUNTED_VALUES = 50


class CompiledProperty(msgspec.Struct, frozen=True, kw_only=True):
    """How to read one property and, unless ``redactor`` is ``None``, how to hide it.

    ``admits_null`` says whether null is a value of the property; otherwise it means that the property is absent.
    ``is_hidden`` tells values that stand for a hidden one already from those that still have to be hidden.
    ``allowed`` are all values that there may be; empty where any of the type will do.
    """

    path: str
    type: PropertyType
    required: bool
    admits_null: bool
    read: Callable[[Any], Any]
    redactor: Redactor | None
    is_hidden: Callable[[Any], bool]
    allowed: frozenset[Any]


class CompiledRules(msgspec.Struct, frozen=True, kw_only=True):
    """The rules of the values at one place (``properties``, ``context.metadata``) of an event.

    ``required`` and ``hidden`` (those with a redactor) are some of ``all``, by name. What happens to a value without a
    rule follows from policy and level; it is reported under ``undeclared_code``.
    """

    path: str
    all: Mapping[str, CompiledProperty]
    required: Mapping[str, CompiledProperty]
    hidden: Mapping[str, CompiledProperty]
    undeclared: UndeclaredPolicy
    undeclared_code: ViolationCode
    privacy: PrivacyLevel


class CompiledSampling(msgspec.Struct, frozen=True):
    """Rates (ratios 0-1) when all conditions hold, and otherwise."""

    rate: float
    otherwise_rate: float
    conditions: tuple[Condition, ...]


class CompiledEvent(msgspec.Struct, frozen=True, kw_only=True):
    """One event's rules; ``metadata`` are those of what its context may carry.

    ``measured`` names the properties whose values can be metrics, ``counted`` those with few values, of which nothing
    has to be hidden. ``names_subjects`` says whether the level admits pseudonyms of subjects in the context.
    """

    name: str
    version: int
    enabled: bool
    privacy: PrivacyLevel
    tags: tuple[str, ...]
    sampling: CompiledSampling
    properties: CompiledRules
    metadata: CompiledRules
    measured: tuple[str, ...]
    counted: tuple[str, ...]
    names_subjects: bool


class CompiledConfig:
    """What ``process_event`` obeys; immutable, and safe to share between threads.

    ``lanes`` is where ``telemetry.core.express`` keeps what it works out about this config, by pseudonym key.
    """

    __slots__ = ("_latest", "_versions", "lanes", "mask_detected", "quarantine_days", "revision", "sampling_salt")

    def __init__(self, config: EffectiveConfig, events: tuple[CompiledEvent, ...]) -> None:
        self.revision: int = config.revision
        self.sampling_salt: str = config.sampling_salt
        self.mask_detected: bool = config.mask_detected
        self.quarantine_days: int = config.quarantine_days
        self.lanes: dict[Any, Any] = {}
        self._versions = {(event.name, event.version): event for event in events}
        self._latest = {event.name: event for event in sorted(events, key=lambda event: event.version)}

    @property
    def names(self) -> Collection[str]:
        """The names of all events, each once."""
        return self._latest.keys()

    def find(self, name: str, version: int | None) -> CompiledEvent | None:
        """The event of this name and version, or of the latest version of this name; ``None`` if there is none."""
        return self._latest.get(name) if version is None else self._versions.get((name, version))


def compile_config(config: EffectiveConfig) -> CompiledConfig:
    """The config, ready to process events.

    Raises ``InvalidDocument`` for rates outside 0-1 and conditions that do not compile: a config that was resolved
    from a validated spec has none.
    """
    errors: list[FieldError] = []
    metadata = {level: _compile_metadata(config, level) for level in PrivacyLevel}
    events = tuple(
        CompiledEvent(
            name=event.name,
            version=event.version,
            enabled=event.enabled,
            privacy=event.privacy,
            tags=event.tags,
            sampling=_compile_sampling(event, config, errors),
            properties=_compile_properties(event, config.undeclared_properties),
            metadata=metadata[event.privacy],
            names_subjects=event.privacy is not PrivacyLevel.SENSITIVE,
            measured=tuple(name for name, rule in event.properties.items() if rule.type in _MEASURED_TYPES),
            counted=_counted(event),
        )
        for event in config.events
    )
    if errors:
        raise InvalidDocument(errors, what="effective config")
    return CompiledConfig(config, events)


def _counted(event: EffectiveEvent) -> tuple[str, ...]:
    """The properties whose values may be counted one by one: truths and short lists of allowed values, in the open."""
    if event.privacy is PrivacyLevel.SENSITIVE:
        return ()
    return tuple(
        name
        for name, rule in event.properties.items()
        if rule.redaction is None
        and (rule.type is PropertyType.BOOLEAN or 0 < len(rule.allowed_values) <= MOST_COUNTED_VALUES)
    )


def _compile_properties(event: EffectiveEvent, undeclared: UndeclaredPolicy) -> CompiledRules:
    # Resolution has applied the level's floor, and knows which properties are declared free of personal data.
    # ``sensitive``, which frees none, is applied once more.
    is_sensitive = event.privacy is PrivacyLevel.SENSITIVE
    rules = {
        name: _compile_property(rule, key_path("properties", name), is_sensitive)
        for name, rule in event.properties.items()
    }
    return _compile_rules("properties", rules, undeclared, ViolationCode.UNDECLARED_PROPERTY, event.privacy)


def _compile_metadata(config: EffectiveConfig, privacy: PrivacyLevel) -> CompiledRules:
    # The config knows the context's properties without any event: the level's floor is added here.
    rules = {
        name: _compile_property(rule, key_path("context.metadata", name), _hides_in_context(rule, privacy))
        for name, rule in config.context_properties.items()
    }
    return _compile_rules(
        "context.metadata", rules, config.undeclared_properties, ViolationCode.UNDECLARED_CONTEXT, privacy
    )


def _hides_in_context(rule: EffectiveProperty, privacy: PrivacyLevel) -> bool:
    is_freed = rule.declared_free and privacy is not PrivacyLevel.SENSITIVE
    return level_redacts(rule.type, privacy) and not is_freed


def _compile_rules(
    path: str,
    rules: Mapping[str, CompiledProperty],
    undeclared: UndeclaredPolicy,
    undeclared_code: ViolationCode,
    privacy: PrivacyLevel,
) -> CompiledRules:
    return CompiledRules(
        path=path,
        all=rules,
        required={name: rule for name, rule in rules.items() if rule.required},
        hidden={name: rule for name, rule in rules.items() if rule.redactor is not None},
        undeclared=undeclared,
        undeclared_code=undeclared_code,
        privacy=privacy,
    )


def _compile_property(rule: EffectiveProperty, path: str, is_hidden: bool) -> CompiledProperty:
    """``is_hidden`` masks the value even if its rule demands nothing."""
    redaction = rule.redaction or (MASK if is_hidden else None)
    read = READERS[rule.type]
    return CompiledProperty(
        path=path,
        type=rule.type,
        required=rule.required,
        admits_null=rule.type is PropertyType.JSON,
        read=only_allowed(read, rule.allowed_values) if rule.allowed_values else read,
        redactor=None if redaction is None else compile_redactor(rule.type, redaction),
        is_hidden=hidden_form(rule.type, redaction),
        allowed=frozenset(rule.allowed_values),
    )


def _compile_sampling(event: EffectiveEvent, config: EffectiveConfig, errors: list[FieldError]) -> CompiledSampling:
    """Rates and compiled conditions; what is wrong with them is added to the errors."""
    sampling = event.sampling
    path = f"events[{event.name}@{event.version}].sampling"
    for field, rate in (("rate", sampling.rate), ("otherwiseRate", sampling.otherwise_rate)):
        if not 0 <= rate <= 1:
            errors.append(FieldError("out_of_range", f"{path}.{field}", "must be a number from 0 to 1"))
    conditions: list[Condition] = []
    for index, expression in enumerate(sampling.conditions):
        try:
            conditions.append(compile_condition(expression, event.properties, config.context_properties))
        except InvalidCondition as error:
            errors.append(FieldError(error.code, f"{path}.conditions[{index}]", error.message))
    return CompiledSampling(sampling.rate, sampling.otherwise_rate, tuple(conditions))
