"""Hypothesis strategies for valid core values and for events that fit them.

Names come from small pools as well as from all that is allowed, so that layers refer to each other's events and
properties often enough. Strategies are made once, since checking a new one costs more than drawing from it. Importing
this sets the profile of the property tests: 100 examples (or as many as ``HYPOTHESIS_MAX_EXAMPLES`` says), and no
deadline, since the machine may be shared.
"""

import os
import string
from datetime import UTC, date, datetime
from functools import cache
from typing import Any

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from telemetry.core.config import (
    AnomalyOverride,
    AppBlueprint,
    EventOverride,
    FloorException,
    InstallationIdentity,
    PrivacyFloor,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import (
    AnomalyAction,
    AnomalyMethod,
    Environment,
    FloorLimit,
    FloorStrategy,
    PrivacyLevel,
    PropertyType,
    ProviderType,
    RedactionStrategy,
    RetentionPolicy,
    Severity,
    Stability,
    Statistic,
    TimeUnit,
    UndeclaredPolicy,
)
from telemetry.core.event_specs import EventSpec, EventSpecMeta
from telemetry.core.events import Context, Envelope
from telemetry.core.lint import OPTIONAL_RULES
from telemetry.core.paths import key_path
from telemetry.core.spec import (
    AnomalyDefaults,
    AnomalyDetection,
    AnomalyRule,
    Deprecation,
    EventDefinition,
    LintOptOut,
    PropertyDefinition,
    ProviderDefinition,
    Quarantine,
    Redaction,
    Retention,
    Sampling,
    Semantics,
    TelemetryDefaults,
    TelemetryMeta,
    TelemetrySpec,
    Threshold,
)

settings.register_profile(
    "telemetry",
    max_examples=int(os.environ.get("HYPOTHESIS_MAX_EXAMPLES", "100")),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("telemetry")

_LETTERS = string.ascii_letters
_NAME = _LETTERS + string.digits + "_$"
# What other notations take for numbers, dates, truth values or their own signs.
_TRICKY = (
    *("no", "y", "On", "true", "null", "~", "NaN", ".inf", "-.INF", "1", "-0", "010", "0o10", "0x1F", "1_000", "1e5"),
    *(
        ".5",
        "5.",
        "1:30",
        "2026-01-01",
        "2026-01-01T00:00:00Z",
        "=",
        "<<",
        "*a",
        "&a",
        "!tag",
        "%a",
        "@a",
        "`a",
        "a: b",
    ),
    *("- a", "? a", "#a", "a #b", " a", "a ", "[a", "{a}", "a,b", "|", ">", "'a'", '"a"', "\\", "${KEY}", "---", "..."),
    *("a\nb", "a\n", "\na", "a\n\n b\n", "a \nb", "\ta", "\r", "a\r\nb", "\x85", "\u2028", "\ufeff", "\x01", "\x7f"),
    *("é", "\U0001f600", "\ud7ff", "\ufffe", "\U0010ffff"),
)

# Text and numbers


@cache
def texts(*, min_size: int = 0, max_size: int = 40) -> st.SearchStrategy[str]:
    """Any text that a document may hold, with a liking for what notations misread."""
    anything = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=max_size)
    return st.one_of(st.sampled_from(_TRICKY), anything).filter(lambda text: min_size <= len(text) <= max_size)


@cache
def lines() -> st.SearchStrategy[str]:
    """Text that is not blank, for titles."""
    return texts(min_size=1).filter(lambda text: not text.isspace())


def _names(first: str, rest: str, max_size: int) -> st.SearchStrategy[str]:
    return st.builds(str.__add__, st.sampled_from(first), st.text(rest, max_size=max_size))


@cache
def spec_names() -> st.SearchStrategy[str]:
    """Names of specs."""
    word = _names(string.ascii_lowercase, string.ascii_lowercase + string.digits + "_-", 8)
    return st.one_of(st.just("sigil.telemetry"), st.lists(word, min_size=1, max_size=3).map(".".join))


@cache
def event_names() -> st.SearchStrategy[str]:
    """Names of events; half of them from a small pool."""
    pool = st.sampled_from(("step", "no", "Order Completed", "$pageview", "sigil.telemetry.workflow_step"))
    return st.one_of(pool, _names(_LETTERS + "_$", _NAME + ".:/ -", 20))


@cache
def property_names() -> st.SearchStrategy[str]:
    """Names of properties; half of them from a small pool."""
    pool = st.sampled_from(("step", "durationMs", "userId", "Product Id", "session.id", "no", "y", "null", "$ip"))
    return st.one_of(pool, _names(_LETTERS + "_$", _NAME + ". -", 12))


@cache
def tags() -> st.SearchStrategy[tuple[str, ...]]:
    """Tags of a spec or event."""
    tag = st.one_of(st.sampled_from(("1", "no", "1e5", "2026-01-01")), _names(_LETTERS + string.digits, _NAME[:-1], 8))
    return st.lists(tag, max_size=3).map(tuple)


@cache
def rates() -> st.SearchStrategy[float]:
    """Ratios from 0 to 1; the ends and plain shares come often."""
    return st.one_of(st.sampled_from((0.0, 0.05, 0.5, 1.0)), st.floats(0, 1))


@cache
def versions() -> st.SearchStrategy[int]:
    """Versions, mostly small."""
    return st.one_of(st.integers(1, 3), st.integers(1, 2_147_483_647))


@cache
def days() -> st.SearchStrategy[int]:
    """Retention in days."""
    return st.one_of(st.sampled_from((7, 30, 365)), st.integers(1, 36_500))


@cache
def json_values() -> st.SearchStrategy[Any]:
    """Any JSON value that a document may hold, a few levels deep."""
    scalars = st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-9_007_199_254_740_991, 9_007_199_254_740_991),
        st.floats(allow_nan=False, allow_infinity=False),
        texts(),
    )
    return st.recursive(
        scalars,
        lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(texts(), inner, max_size=3)),
        max_leaves=8,
    )


# Parts of specs


@cache
@st.composite
def redactions(draw: st.DrawFn, type: PropertyType | None = None) -> Redaction:  # noqa: A002 - the document's key
    """A redaction that fits a property of this type; without ``type``, one whose settings fit its strategy."""
    strategies = list(RedactionStrategy)
    if type not in (None, PropertyType.STRING):
        strategies = [
            each for each in strategies if each not in (RedactionStrategy.TRUNCATE, RedactionStrategy.EMAIL_DOMAIN)
        ]
    if type in (PropertyType.BOOLEAN, PropertyType.JSON):
        strategies.remove(RedactionStrategy.GENERALISE)
    if type is PropertyType.BOOLEAN:
        strategies.remove(RedactionStrategy.HASH)
    strategy = draw(st.sampled_from(strategies))
    if strategy is RedactionStrategy.TRUNCATE:
        return Redaction(strategy=strategy, length=draw(st.integers(1, 1000)))
    if strategy is RedactionStrategy.GENERALISE:
        return draw(_generalisations(type))
    return Redaction(strategy=strategy)


@cache
@st.composite
def _generalisations(draw: st.DrawFn, type: PropertyType | None) -> Redaction:  # noqa: A002
    kind = type or draw(st.sampled_from((PropertyType.STRING, PropertyType.NUMBER, PropertyType.TIMESTAMP)))
    if kind is PropertyType.TIMESTAMP:
        return Redaction(strategy=RedactionStrategy.GENERALISE, unit=draw(st.sampled_from(TimeUnit)))
    if kind is PropertyType.NUMBER:
        width = st.one_of(
            st.sampled_from((0.1, 0.5, 10.0, 500.0)), st.floats(0, exclude_min=True, allow_infinity=False)
        )
        return Redaction(strategy=RedactionStrategy.GENERALISE, bucket=draw(width))
    return Redaction(strategy=RedactionStrategy.GENERALISE)


@cache
@st.composite
def property_definitions(draw: st.DrawFn) -> PropertyDefinition:
    """A valid property."""
    type_ = draw(st.sampled_from(PropertyType))
    return PropertyDefinition(
        type=type_,
        required=draw(st.booleans()),
        pii=draw(st.sampled_from((None, True, False))),
        redact=draw(st.booleans()),
        redaction=draw(st.none() | redactions(type_)),
        description=draw(texts()),
        allowed_values=draw(allowed_values(type_)),
        unit=draw(texts(max_size=30)) if type_ is PropertyType.NUMBER else "",
    )


@cache
def allowed_values(type: PropertyType) -> st.SearchStrategy[tuple[str | float, ...]]:  # noqa: A002
    """The only values of a property of this type, mostly none; the pool of conditions is among them."""
    match type:
        case PropertyType.STRING:
            value = st.one_of(st.sampled_from(("a", "b", "")), texts())
        case PropertyType.NUMBER:
            value = st.one_of(st.sampled_from((0.0, 1.0, 100.0)), st.floats(allow_nan=False, allow_infinity=False))
        case _:
            return st.just(())
    return st.one_of(st.just(()), st.just(()), st.lists(value, min_size=1, max_size=3).map(tuple))


@cache
def properties(max_size: int = 4) -> st.SearchStrategy[dict[str, PropertyDefinition]]:
    """Properties by name."""
    return st.dictionaries(property_names(), property_definitions(), max_size=max_size)


@cache
@st.composite
def thresholds(draw: st.DrawFn, metrics: tuple[str, ...]) -> Threshold:
    """A threshold of one of these metrics, with at least one bound."""
    bound = st.one_of(st.integers(-1000, 1000).map(float), st.floats(allow_nan=False, allow_infinity=False))
    low, high = sorted((draw(bound), draw(bound)))
    minimum, maximum = draw(st.sampled_from(((low, high), (low, None), (None, high))))
    return Threshold(metric=draw(st.sampled_from(metrics)), min=minimum, max=maximum)


@cache
@st.composite
def anomaly_detections(draw: st.DrawFn, metrics: tuple[str, ...]) -> AnomalyDetection:
    """Anomaly rules on these metrics."""
    return AnomalyDetection(
        enabled=draw(st.booleans()),
        minimum_sample=draw(st.none() | st.integers(1, 1000)),
        thresholds=tuple(draw(st.lists(thresholds(metrics), max_size=2))) if metrics else (),
        rules=draw(anomaly_rules(metrics)),
        actions=tuple(draw(st.lists(st.sampled_from(AnomalyAction), max_size=3, unique=True))),
    )


@cache
@st.composite
def anomaly_rules(draw: st.DrawFn, metrics: tuple[str, ...]) -> tuple[AnomalyRule, ...]:
    """Rules with names of their own, on statistics of the event and of these metrics."""
    names = draw(st.lists(st.sampled_from(("busy", "slow", "quiet")), max_size=2, unique=True))
    return tuple(_anomaly_rule(draw, name, metrics) for name in names)


def _anomaly_rule(draw: st.DrawFn, name: str, metrics: tuple[str, ...]) -> AnomalyRule:
    possible = [each for each in Statistic if each.is_of_event or (metrics and each is not Statistic.SHARE)]
    statistic = draw(st.sampled_from(possible))
    methods = [each for each in AnomalyMethod if each is not AnomalyMethod.SILENCE or statistic is Statistic.COUNT]
    method = draw(st.sampled_from(methods))
    learns = method in (AnomalyMethod.SEASONAL, AnomalyMethod.LEVEL_SHIFT)
    bound = draw(st.integers(-1000, 1000).map(float))
    return AnomalyRule(
        name=name,
        statistic=statistic,
        method=method,
        metric=None if statistic.is_of_event else draw(st.sampled_from(metrics)),
        max=bound if method is AnomalyMethod.LIMITS else None,
        sensitivity=draw(st.none() | st.floats(0.5, 100)) if learns else None,
        minimum_effect=draw(st.none() | st.floats(0, 10)) if learns else None,
        window_minutes=draw(st.none() | st.integers(1, 10_080)),
        minimum_sample=draw(st.none() | st.integers(1, 1000)),
        actions=draw(st.none() | st.just((AnomalyAction.LOG,))),
    )


# One condition per type, for properties whose name is plain enough to be written in one.
_CONDITIONS = {
    PropertyType.NUMBER: "properties.{} > 100.0",
    PropertyType.STRING: 'properties.{} == "a"',
    PropertyType.BOOLEAN: "properties.{}",
}
_NAMES_IN_CONDITIONS = frozenset(("step", "durationMs", "userId"))


@st.composite
def samplings(draw: st.DrawFn, declared: dict[str, PropertyDefinition]) -> Sampling:
    """A sampling whose conditions fit the declared properties."""
    usable = [
        _CONDITIONS[definition.type].format(name)
        for name, definition in declared.items()
        if name in _NAMES_IN_CONDITIONS and definition.type in _CONDITIONS
    ]
    conditions = draw(st.lists(st.sampled_from(usable), max_size=2)) if usable else []
    return Sampling(rate=draw(rates()), conditions=tuple(conditions))


@cache
@st.composite
def event_definitions(draw: st.DrawFn) -> EventDefinition:
    """A valid event."""
    declared = draw(properties())
    metrics = tuple(name for name, each in declared.items() if each.type in (PropertyType.NUMBER, PropertyType.JSON))
    return EventDefinition(
        name=draw(event_names()),
        version=draw(versions()),
        semantics=Semantics(what=draw(lines()), who=draw(texts()), why=draw(texts())),
        privacy=draw(st.sampled_from(PrivacyLevel)),
        properties=declared,
        retention=draw(st.none() | st.builds(Retention, days=days(), policy=st.sampled_from(RetentionPolicy))),
        sampling=draw(st.none() | samplings(declared)),
        anomaly_detection=draw(st.none() | anomaly_detections(metrics)),
        tags=draw(tags()),
        owners=draw(owners()),
        review_by=draw(st.none() | dates()),
        deprecation=draw(
            st.none() | st.builds(Deprecation, reason=lines(), replaced_by=st.none() | event_references())
        ),
        lint_opt_outs=tuple(draw(st.lists(lint_opt_outs(), max_size=2))),
    )


@cache
def owners() -> st.SearchStrategy[tuple[str, ...]]:
    """Owners of a spec or event."""
    return st.lists(st.sampled_from(("@team.analytics", "@no", "@1")), max_size=2).map(tuple)


@cache
def dates() -> st.SearchStrategy[str]:
    """Days as documents write them; many near the day on which the tests take place."""
    near = st.dates(date(2026, 11, 20), date(2026, 11, 24))
    return st.one_of(near, st.dates()).map(date.isoformat)


@cache
def lint_opt_outs() -> st.SearchStrategy[LintOptOut]:
    """Exceptions from rules, some of which nobody knows."""
    rule = st.one_of(st.sampled_from(("sampling_too_low", "no")), _names("abc", "abc_1", 8))
    return st.builds(LintOptOut, rule=rule, reason=lines(), until=st.none() | dates())


@cache
def _settings() -> st.SearchStrategy[dict[str, Any]]:
    return st.dictionaries(texts(), json_values(), max_size=3)


@cache
def defaults() -> st.SearchStrategy[TelemetryDefaults]:
    """What holds for every event of a spec."""
    return st.builds(
        TelemetryDefaults,
        default_retention_days=st.none() | days(),
        default_sampling_rate=st.none() | rates(),
        undeclared_properties=st.none() | st.sampled_from(UndeclaredPolicy),
        context_properties=properties(max_size=2),
        providers=st.lists(
            st.builds(ProviderDefinition, type=st.sampled_from(ProviderType), config=_settings()), max_size=2
        ).map(tuple),
        anomaly_detection=st.none()
        | st.builds(
            AnomalyDefaults, enabled=st.booleans(), check_interval_ms=st.none() | st.integers(1_000, 86_400_000)
        ),
        quarantine=st.none() | st.builds(Quarantine, enabled=st.booleans(), days=st.none() | st.integers(1, 28)),
        mask_detected=st.none() | st.booleans(),
    )


@cache
@st.composite
def specs(draw: st.DrawFn, max_events: int = 3) -> TelemetrySpec:
    """A valid spec."""
    meta = TelemetryMeta(
        name=draw(spec_names()),
        version=draw(versions()),
        title=draw(lines()),
        description=draw(texts()),
        domain=draw(texts()),
        owners=draw(owners()),
        tags=draw(tags()),
        stability=draw(st.sampled_from(Stability)),
    )
    events = st.lists(event_definitions(), max_size=max_events, unique_by=lambda event: (event.name, event.version))
    return TelemetrySpec(meta=meta, config=draw(st.none() | defaults()), events=tuple(draw(events)))


@cache
def publishable_specs() -> st.SearchStrategy[TelemetrySpec]:
    """A valid spec in which lint finds no error."""
    return specs().map(without_lint_errors)


def without_lint_errors(spec: TelemetrySpec) -> TelemetrySpec:
    """The spec, its events opting out of every rule that is an error, and no error in what all events share."""
    errors = [rule for rule in OPTIONAL_RULES.values() if rule.severity is Severity.ERROR]
    opt_outs = tuple(LintOptOut(rule=rule.name, reason="Made up by a test") for rule in errors)
    events = tuple(replace(event, lint_opt_outs=opt_outs) for event in spec.events)
    config = spec.config
    if config is not None:
        declared = config.context_properties.items()
        harmless = {name: replace(each, redaction=None, redact=True) for name, each in declared}
        providers = tuple(replace(provider, config={}) for provider in config.providers)
        config = replace(config, context_properties=harmless, providers=providers)
    return replace(spec, events=events, config=config)


@cache
def event_specs() -> st.SearchStrategy[EventSpec]:
    """Contracts of events, many of which are those of the events of a spec."""
    types = st.sampled_from(("string", "number", "integer", "boolean", "object", "array", "null"))
    kinds = types | st.lists(types, min_size=1, max_size=2, unique=True)
    nodes: st.SearchStrategy[Any] = st.booleans() | st.just({}) | st.fixed_dictionaries({"type": kinds})
    payload = st.fixed_dictionaries(
        {},
        optional={
            "type": st.just("object"),
            "properties": st.dictionaries(property_names(), nodes, max_size=4),
            "required": st.lists(property_names(), max_size=2),
        },
    )
    meta = st.builds(EventSpecMeta, name=event_names(), version=versions())
    return st.builds(EventSpec, meta=meta, payload=payload, pii=st.lists(payload_paths(), max_size=3).map(tuple))


@cache
def payload_paths() -> st.SearchStrategy[str]:
    """Places in a payload."""
    first = property_names().map(lambda name: key_path("", name))
    return first | st.builds(key_path, first, property_names())


# Layers


@cache
def event_references() -> st.SearchStrategy[str]:
    """Events by name, or by name and version."""
    return st.one_of(event_names(), st.builds("{}@{}".format, event_names(), versions()))


@cache
def event_overrides() -> st.SearchStrategy[EventOverride]:
    """Any mix of changes to one event."""
    metrics = ("durationMs", "step")
    anomaly = st.builds(
        AnomalyOverride,
        enabled=st.none() | st.booleans(),
        minimum_sample=st.none() | st.integers(1, 1000),
        thresholds=st.none() | st.lists(thresholds(metrics), max_size=2).map(tuple),
        rules=st.none() | anomaly_rules(metrics),
    )
    return st.builds(
        EventOverride,
        enabled=st.none() | st.booleans(),
        privacy=st.none() | st.sampled_from(PrivacyLevel),
        sampling_rate=st.none() | rates(),
        retention_days=st.none() | days(),
        retention_policy=st.none() | st.sampled_from(RetentionPolicy),
        redaction=st.dictionaries(property_names(), redactions(), max_size=2),
        anomaly_detection=st.none() | anomaly,
    )


def _layer_fields() -> dict[str, st.SearchStrategy[Any]]:
    return {
        "spec": st.none() | st.builds(SpecPointer, name=spec_names(), version=st.none() | versions()),
        "enabled": st.none() | st.booleans(),
        "default_sampling_rate": st.none() | rates(),
        "undeclared_properties": st.none() | st.sampled_from(UndeclaredPolicy),
        "events": st.dictionaries(event_references(), event_overrides(), max_size=3),
    }


@cache
def blueprints() -> st.SearchStrategy[AppBlueprint]:
    """An app's defaults."""
    return st.builds(AppBlueprint, **_layer_fields())


@cache
def overrides() -> st.SearchStrategy[TenantOverride]:
    """A tenant's changes."""
    return st.builds(TenantOverride, **_layer_fields())


@cache
def floors() -> st.SearchStrategy[PrivacyFloor]:
    """Limits nobody may loosen."""
    bounds = st.tuples(rates(), rates()).map(sorted)
    references = st.lists(event_references(), max_size=2, unique=True).map(tuple)
    return st.builds(
        PrivacyFloor,
        minimum_redaction=st.dictionaries(st.sampled_from(PrivacyLevel), st.sampled_from(FloorStrategy)),
        maximum_retention_days=st.dictionaries(st.sampled_from(PrivacyLevel), days()),
        forced_off=references,
        forced_on=references,
        sampling=st.none() | bounds.map(lambda pair: SamplingBounds(minimum_rate=pair[0], maximum_rate=pair[1])),
        forbid_quarantine=st.booleans(),
    )


@cache
@st.composite
def floor_exceptions(draw: st.DrawFn) -> FloorException:
    """A valid exception from a floor."""
    limit = draw(st.sampled_from(FloorLimit))
    by_level = limit in (FloorLimit.MINIMUM_REDACTION, FloorLimit.MAXIMUM_RETENTION_DAYS)
    is_forced = limit in (FloorLimit.FORCED_OFF, FloorLimit.FORCED_ON)
    is_rate = limit in (FloorLimit.MINIMUM_RATE, FloorLimit.MAXIMUM_RATE)
    instead = draw(st.booleans())
    return FloorException(
        limit=limit,
        level=draw(st.sampled_from(PrivacyLevel)) if by_level else None,
        events=tuple(draw(st.lists(event_references(), min_size=int(is_forced), max_size=2, unique=True))),
        redaction=draw(st.sampled_from(FloorStrategy)) if instead and limit is FloorLimit.MINIMUM_REDACTION else None,
        retention_days=draw(days()) if instead and limit is FloorLimit.MAXIMUM_RETENTION_DAYS else None,
        sampling_rate=draw(rates()) if instead and is_rate else None,
        number=draw(st.integers(1, 9)),
    )


@cache
def installations() -> st.SearchStrategy[InstallationIdentity]:
    """Whose config it is."""
    return st.builds(
        InstallationIdentity,
        tenant=st.sampled_from(("acme", "globex")),
        app=st.sampled_from(("sigil", "1")),
        environment=st.sampled_from(Environment),
        sampling_salt=texts(min_size=1),
    )


# Events


@cache
def property_values(type: PropertyType) -> st.SearchStrategy[Any]:  # noqa: A002 - the document's key
    """Values that a property of this type may have."""
    match type:
        case PropertyType.STRING:
            return texts()
        case PropertyType.NUMBER:
            return st.one_of(st.integers(-(2**53), 2**53), st.floats(allow_nan=False, allow_infinity=False))
        case PropertyType.BOOLEAN:
            return st.booleans()
        case PropertyType.TIMESTAMP:
            return instants().map(datetime.isoformat)
        case PropertyType.JSON:
            return json_values()


@cache
def instants() -> st.SearchStrategy[datetime]:
    """Instants in UTC within the years that any clock shows."""
    return st.datetimes(datetime(1970, 1, 2), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - see timezones


@st.composite
def properties_for(draw: st.DrawFn, event: EventDefinition) -> dict[str, Any]:
    """Properties as the event declares them: all required ones and some of the others."""
    return {
        name: draw(
            st.sampled_from(definition.allowed_values)
            if definition.allowed_values
            else property_values(definition.type)
        )
        for name, definition in event.properties.items()
        if definition.required or draw(st.booleans())
    }


@cache
def contexts() -> st.SearchStrategy[Context]:
    """Who and through what; subject ids are there or not."""
    some = st.none() | texts(min_size=1)
    return st.builds(
        Context, user_id=some, session_id=some, device_id=some, actor=some, channel=some, organization_id=some
    )


@st.composite
def envelopes_for(draw: st.DrawFn, event: EventDefinition) -> Envelope:
    """A valid envelope of the event."""
    return Envelope(
        id=str(draw(st.uuids())),
        name=event.name,
        version=draw(st.sampled_from((None, event.version))),
        occurred_at=draw(instants()),
        properties=draw(properties_for(event)),
        context=draw(contexts()),
    )
