"""The rules that span more than one field, and the reading of plain data with all rules together.

Rules that need only a value and what is below it are in one table by type, and so hold in every document in which the
type occurs. Rules of a whole spec (duplicates, conditions) follow.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import date
from itertools import islice
from typing import Any, Final, TypeVar

import msgspec

from telemetry.core.conditions import compile_condition
from telemetry.core.config import SamplingBounds
from telemetry.core.enums import AnomalyMethod, PropertyType, RedactionStrategy, Statistic
from telemetry.core.errors import FieldError, InvalidCondition, InvalidDocument
from telemetry.core.mending import FIELDS_OF_STEPS, MendingStep
from telemetry.core.plain import document_fields, to_plain
from telemetry.core.shapes import MAXIMUM_ERRORS, Path, read_shape, write_path
from telemetry.core.spec import (
    AnomalyDetection,
    AnomalyRule,
    EventDefinition,
    LintOptOut,
    PropertyDefinition,
    Redaction,
    TelemetrySpec,
    Threshold,
)
from telemetry.core.values import FrozenDict

__all__ = ["check_spec", "foreign_error", "read_value", "strategy_fits", "validate_spec"]

T = TypeVar("T")

# Types whose values each strategy can hide; a strategy that is not listed can hide any value. A pseudonym of a truth
# value hides nothing: there are only two, and whoever sees many can tell which is which.
_FITTING_TYPES: Final = {
    RedactionStrategy.TRUNCATE: (PropertyType.STRING,),
    RedactionStrategy.EMAIL_DOMAIN: (PropertyType.STRING,),
    RedactionStrategy.GENERALISE: (PropertyType.STRING, PropertyType.NUMBER, PropertyType.TIMESTAMP),
    RedactionStrategy.HASH: (PropertyType.STRING, PropertyType.NUMBER, PropertyType.TIMESTAMP, PropertyType.JSON),
}
# Anomaly rules read a number, or an object that has one under "value".
_METRIC_TYPES: Final = (PropertyType.NUMBER, PropertyType.JSON)
# The types of which a few values can be listed, with the Python type of those and their name in words.
_LISTED_TYPES: Final = {PropertyType.STRING: (str, "text"), PropertyType.NUMBER: (float, "a number")}
# Checking a condition takes 1 to 10 ms, by its length: together they must not hold up a worker for long.
_MAXIMUM_CONDITIONS: Final = 1_000
_MAXIMUM_CONDITION_TEXT: Final = 50_000


def strategy_fits(strategy: RedactionStrategy, property_type: PropertyType) -> bool:
    """Whether the strategy can hide values of the type; some need a setting besides."""
    return property_type in _FITTING_TYPES.get(strategy, tuple(PropertyType))


def check_spec(spec: TelemetrySpec) -> tuple[FieldError, ...]:
    """Every broken rule of a spec that code, not a document, has built: of single fields and across fields.

    Empty for a valid spec; at most ``MAXIMUM_ERRORS`` of each kind.
    """
    return read_value(to_plain(spec), TelemetrySpec)[1]


def validate_spec(spec: TelemetrySpec) -> None:
    """Nothing happens when the spec is valid; otherwise ``InvalidDocument`` with every broken rule."""
    errors = check_spec(spec)
    if errors:
        raise InvalidDocument(errors, what="telemetry spec")


def read_value(builtins: object, type_: type[T]) -> tuple[T | None, tuple[FieldError, ...]]:
    """The value that plain data describes and no errors, or the broken rules and perhaps a value that breaks them.

    When single fields of a spec are wrong, its other events are still checked across their fields, so that one
    reading names as much as it can.
    """
    plain, errors = read_shape(builtins, type_)
    if errors:
        partly = _errors_of_sound_events(plain, errors) if type_ is TelemetrySpec else ()
        return None, (*errors, *islice(partly, MAXIMUM_ERRORS))
    try:
        value = msgspec.convert(plain, type_)
    except msgspec.ValidationError as error:
        return None, (foreign_error(error),)
    return value, tuple(islice(_errors_across_fields(value), MAXIMUM_ERRORS))


def foreign_error(error: msgspec.ValidationError) -> FieldError:
    """The broken rule of a type that ``read_shape`` leaves to msgspec, whose own message could repeat the value."""
    place = re.search(r"`\$\.?(.*?)`\Z", str(error))
    return FieldError("wrong_type", place[1] if place else "", "does not have the expected form")


def _errors_across_fields(value: object) -> Iterator[FieldError]:
    yield from _errors_below(value, ())
    if isinstance(value, TelemetrySpec):
        context_properties = value.config.context_properties if value.config else {}
        yield from _errors_of_events(context_properties, list(enumerate(value.events)))


def _errors_of_sound_events(plain: object, errors: Sequence[FieldError]) -> Iterator[FieldError]:
    """What the events without an error of their own break across fields; nothing when that cannot be told."""
    if not isinstance(plain, dict) or not isinstance(plain.get("events"), list):
        return
    if any(error.path == "config" or error.path.startswith("config.contextProperties") for error in errors):
        return
    broken = {int(found[1]) for error in errors if (found := re.match(r"events\[(\d+)\]", error.path))}
    context = (plain.get("config") or {}).get("contextProperties", {})
    context_properties = msgspec.convert(context, dict[str, PropertyDefinition])
    events = [
        (index, msgspec.convert(event, EventDefinition))
        for index, event in enumerate(plain["events"])
        if index not in broken
    ]
    for index, event in events:
        yield from _errors_below(event, ("events", index))
    yield from _errors_of_events(context_properties, events)


# Rules of a value and what is below it; their errors have paths that start at the value


def _errors_below(value: object, path: Path) -> Iterator[FieldError]:
    """The rules of ``value`` and of every value in it, in document order."""
    rule = _RULES.get(type(value))
    if rule is not None:
        for error in rule(value):
            yield FieldError(error.code, (write_path(path) + error.path).removeprefix("."), error.message)
    for step, part in _parts(value):
        if isinstance(part, msgspec.Struct | FrozenDict | tuple):
            yield from _errors_below(part, (*path, step))


def _parts(value: object) -> Iterator[tuple[str | int, object]]:
    if isinstance(value, msgspec.Struct):
        return ((key, getattr(value, name)) for name, key, _ in document_fields(type(value)))
    if isinstance(value, FrozenDict):
        return iter(value.items())
    return iter(enumerate(value) if isinstance(value, tuple) else ())


def _check_redaction(redaction: Redaction) -> Iterator[FieldError]:
    """Each setting belongs to one strategy."""
    strategy = redaction.strategy
    if redaction.length is not None and strategy is not RedactionStrategy.TRUNCATE:
        yield FieldError("bad_redaction", ".length", "belongs to the strategy truncate only")
    if redaction.length is None and strategy is RedactionStrategy.TRUNCATE:
        yield FieldError("bad_redaction", ".length", "is required by the strategy truncate")
    for setting in ("unit", "bucket"):
        if getattr(redaction, setting) is not None and strategy is not RedactionStrategy.GENERALISE:
            yield FieldError("bad_redaction", f".{setting}", "belongs to the strategy generalise only")
    if redaction.unit is not None and redaction.bucket is not None:
        yield FieldError("bad_redaction", ".bucket", "excludes unit: a value is a timestamp or a number")


def _check_property(definition: PropertyDefinition) -> Iterator[FieldError]:
    """Redaction, allowed values and unit fit the property's type; the redaction has the setting that this takes."""
    yield from _check_allowed_values(definition)
    if definition.unit and definition.type is not PropertyType.NUMBER:
        yield FieldError("bad_unit", ".unit", "belongs to properties of type number only")
    redaction = definition.redaction
    if redaction is None:
        return
    fitting = _FITTING_TYPES.get(redaction.strategy, tuple(PropertyType))
    if definition.type not in fitting:
        words = ", ".join(fitting)
        yield FieldError("bad_redaction", ".redaction.strategy", f"can hide values of these types only: {words}")
    elif redaction.strategy is RedactionStrategy.GENERALISE:
        yield from _check_generalise(redaction, definition.type)


def _check_allowed_values(definition: PropertyDefinition) -> Iterator[FieldError]:
    if not definition.allowed_values:
        return
    if definition.type not in _LISTED_TYPES:
        yield FieldError("bad_allowed_value", ".allowedValues", "belongs to properties of type string or number only")
        return
    kind, words = _LISTED_TYPES[definition.type]
    for index, value in enumerate(definition.allowed_values):
        if type(value) is not kind:
            yield FieldError("bad_allowed_value", f".allowedValues[{index}]", f"must be {words}, as the type says")


def _check_generalise(redaction: Redaction, type_: PropertyType) -> Iterator[FieldError]:
    for setting, owner in (("unit", PropertyType.TIMESTAMP), ("bucket", PropertyType.NUMBER)):
        is_set = getattr(redaction, setting) is not None
        if is_set and type_ is not owner:
            yield FieldError("bad_redaction", f".redaction.{setting}", f"belongs to properties of type {owner} only")
        if not is_set and type_ is owner:
            yield FieldError("bad_redaction", f".redaction.{setting}", f"is required to generalise a {owner}")


def _check_threshold(threshold: Threshold) -> Iterator[FieldError]:
    if threshold.min is None and threshold.max is None:
        yield FieldError("missing_bound", "", "must have min, max or both")
    elif threshold.min is not None and threshold.max is not None and threshold.min > threshold.max:
        yield FieldError("out_of_range", ".min", "must not be more than max")


def _check_anomaly_rule(rule: AnomalyRule) -> Iterator[FieldError]:
    """Which settings go with which statistic and method."""
    if rule.method is AnomalyMethod.LIMITS:
        yield from _check_threshold(Threshold(metric="limits", min=rule.min, max=rule.max))
    yield from _check_settings(
        {"min": rule.min, "max": rule.max}, rule.method is AnomalyMethod.LIMITS, "the method limits", is_required=False
    )
    learned = {"sensitivity": rule.sensitivity, "minimumEffect": rule.minimum_effect}
    learns = rule.method in (AnomalyMethod.SEASONAL, AnomalyMethod.LEVEL_SHIFT)
    if rule.method in (AnomalyMethod.SILENCE, AnomalyMethod.SURPRISE):
        learns = rule.minimum_effect is None
    yield from _check_settings(learned, learns, "methods that learn from history", is_required=False)
    yield from _check_settings(
        {"metric": rule.metric}, not rule.statistic.is_of_event, "statistics of a property", is_required=True
    )
    yield from _check_settings(
        {"value": rule.value}, rule.statistic is Statistic.SHARE, "the statistic share", is_required=True
    )
    if rule.method is AnomalyMethod.SILENCE and rule.statistic is not Statistic.COUNT:
        yield FieldError("bad_rule", ".statistic", "must be count for the method silence")


def _check_settings(
    settings: Mapping[str, object], belongs: bool, owner: str, *, is_required: bool
) -> Iterator[FieldError]:
    for name, setting in settings.items():
        if setting is not None and not belongs:
            yield FieldError("bad_rule", f".{name}", f"belongs to {owner} only")
        if setting is None and belongs and is_required:
            yield FieldError("bad_rule", f".{name}", f"is required for {owner}")


def _check_anomaly_detection(detection: AnomalyDetection) -> Iterator[FieldError]:
    """Names of rules are unique: incidents are told apart by them."""
    first_at: dict[str, int] = {}
    for index, rule in enumerate(detection.rules):
        first = first_at.setdefault(rule.name, index)
        if first != index:
            yield FieldError("duplicate_rule", f".rules[{index}].name", f"is the name of rules[{first}]")


def _check_bounds(bounds: SamplingBounds) -> Iterator[FieldError]:
    if bounds.minimum_rate > bounds.maximum_rate:
        yield FieldError("out_of_range", ".minimumRate", "must not be more than maximumRate")


def _check_event(event: EventDefinition) -> Iterator[FieldError]:
    """Each threshold's metric is a property that can have a number; dates are in the calendar."""
    yield from _check_date(".reviewBy", event.review_by)
    thresholds = event.anomaly_detection.thresholds if event.anomaly_detection else ()
    for index, threshold in enumerate(thresholds):
        declared = event.properties.get(threshold.metric)
        place = f".anomalyDetection.thresholds[{index}].metric"
        if declared is None:
            yield FieldError("unknown_metric", place, "must be a declared property of the event")
        elif declared.type not in _METRIC_TYPES:
            yield FieldError("unknown_metric", place, "must be a property of type number, or json with a numeric value")
    for index, rule in enumerate(event.anomaly_detection.rules if event.anomaly_detection else ()):
        yield from _check_rule_of_event(event, rule, f".anomalyDetection.rules[{index}]")


def _check_rule_of_event(event: EventDefinition, rule: AnomalyRule, place: str) -> Iterator[FieldError]:
    """The rule's property is declared, and has what the statistic reads."""
    declared = None if rule.metric is None else event.properties.get(rule.metric)
    if rule.metric is None:
        return
    if declared is None:
        yield FieldError("unknown_metric", f"{place}.metric", "must be a declared property of the event")
    elif rule.statistic.is_of_numbers and declared.type not in _METRIC_TYPES:
        message = "must be a property of type number, or json with a numeric value"
        yield FieldError("unknown_metric", f"{place}.metric", message)
    elif rule.statistic is Statistic.SHARE and rule.value is not None and not _is_counted(declared, rule.value):
        message = "must be one of the property's allowed values, or true or false for a boolean"
        yield FieldError("unknown_value", f"{place}.value", message)


def _is_counted(declared: PropertyDefinition, value: object) -> bool:
    """Whether tallies count this value by itself."""
    if declared.type is PropertyType.BOOLEAN:
        return isinstance(value, bool)
    return not isinstance(value, bool) and value in declared.allowed_values


def _check_mending_step(step: MendingStep) -> Iterator[FieldError]:
    """Each kind of step has its own fields, and no others."""
    needed = FIELDS_OF_STEPS[step.step]
    for field in ("property", "to", "type"):
        is_set = getattr(step, field) is not None
        if is_set and field not in needed:
            yield FieldError("bad_step", f".{field}", f"does not belong to the step {step.step}")
        elif not is_set and field in needed:
            yield FieldError("bad_step", f".{field}", f"is required by the step {step.step}")


def _check_opt_out(opt_out: LintOptOut) -> Iterator[FieldError]:
    yield from _check_date(".until", opt_out.until)


def _check_date(place: str, text: str | None) -> Iterator[FieldError]:
    try:
        if text is not None:
            date.fromisoformat(text)
    except ValueError:
        yield FieldError("bad_date", place, "must be a day that the calendar has")


_RULES: Final[dict[type, Callable[[Any], Iterable[FieldError]]]] = {
    AnomalyDetection: _check_anomaly_detection,
    AnomalyRule: _check_anomaly_rule,
    EventDefinition: _check_event,
    LintOptOut: _check_opt_out,
    MendingStep: _check_mending_step,
    PropertyDefinition: _check_property,
    Redaction: _check_redaction,
    SamplingBounds: _check_bounds,
    Threshold: _check_threshold,
}


# Rules of a whole spec


def _errors_of_events(
    context_properties: Mapping[str, PropertyDefinition], events: Sequence[tuple[int, EventDefinition]]
) -> Iterator[FieldError]:
    """Rules across events, which come with their position in the document."""
    yield from _find_duplicates(events)
    yield from _check_conditions(events, context_properties)


def _find_duplicates(events: Sequence[tuple[int, EventDefinition]]) -> Iterator[FieldError]:
    first_at: dict[tuple[str, int], int] = {}
    for index, event in events:
        first = first_at.setdefault((event.name, event.version), index)
        if first != index:
            yield FieldError("duplicate_event", f"events[{index}]", f"has the name and version of events[{first}]")


def _check_conditions(
    events: Sequence[tuple[int, EventDefinition]], context_properties: Mapping[str, PropertyDefinition]
) -> Iterator[FieldError]:
    count = characters = 0
    for index, event in events:
        for position, condition in enumerate(event.sampling.conditions if event.sampling else ()):
            place = f"events[{index}].sampling.conditions[{position}]"
            count, characters = count + 1, characters + len(condition)
            if count > _MAXIMUM_CONDITIONS or characters > _MAXIMUM_CONDITION_TEXT:
                limit = f"{_MAXIMUM_CONDITIONS} conditions of {_MAXIMUM_CONDITION_TEXT} characters"
                yield FieldError("too_many", place, f"a spec must have at most {limit} in all")
                return
            try:
                compile_condition(condition, event.properties, context_properties)
            except InvalidCondition as error:
                column = f" (column {error.column})" if error.column is not None else ""
                yield FieldError(error.code, place, f"{error.message}{column}")
