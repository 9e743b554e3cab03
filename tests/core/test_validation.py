"""Rules across fields hold in every document in which their types occur."""

import pytest
from hypothesis import given

from telemetry.core.codec import convert_document, decode_spec, encode_spec
from telemetry.core.config import PrivacyFloor, SamplingBounds, TenantOverride
from telemetry.core.enums import PropertyType, ProviderType, RedactionStrategy
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.plain import to_plain
from telemetry.core.spec import (
    AnomalyDetection,
    EventDefinition,
    LintOptOut,
    PropertyDefinition,
    ProviderDefinition,
    Sampling,
    TelemetryDefaults,
    TelemetrySpec,
    Threshold,
)
from telemetry.core.validation import check_spec, validate_spec
from tests.core import strategies
from tests.core.builders import make_event, make_property, make_redaction, make_sigil_spec, make_spec


def errors_of_property(definition: PropertyDefinition) -> list[str]:
    spec = make_spec(make_event(properties={"value": definition}))
    return [str(error).removeprefix("events[0].properties.value.redaction") for error in check_spec(spec)]


def with_thresholds(*thresholds: Threshold) -> EventDefinition:
    return make_event(anomaly_detection=AnomalyDetection(thresholds=thresholds))


@given(strategies.specs())
def test_valid_specs_break_no_rule(spec: TelemetrySpec) -> None:
    validate_spec(spec)

    assert check_spec(spec) == ()


def test_an_event_name_and_version_occurs_once_in_a_spec() -> None:
    spec = make_spec(make_event(), make_event(version=2), make_event(), make_event())

    assert check_spec(spec) == (
        FieldError("duplicate_event", "events[2]", "has the name and version of events[0]"),
        FieldError("duplicate_event", "events[3]", "has the name and version of events[0]"),
    )


def test_a_threshold_has_a_bound() -> None:
    assert check_spec(make_spec(with_thresholds(Threshold(metric="durationMs")))) == (
        FieldError("missing_bound", "events[0].anomalyDetection.thresholds[0]", "must have min, max or both"),
    )


def test_the_lower_bound_is_not_above_the_upper_one() -> None:
    equal, crossed = Threshold(metric="durationMs", min=2, max=2), Threshold(metric="durationMs", min=2, max=1)

    assert check_spec(make_spec(with_thresholds(equal, crossed))) == (
        FieldError("out_of_range", "events[0].anomalyDetection.thresholds[1].min", "must not be more than max"),
    )


@pytest.mark.parametrize("type_", ["number", "json"])
def test_a_metric_may_be_a_number_or_json(type_: str) -> None:
    event = make_event(
        properties={"value": make_property(type_)},
        anomaly_detection=AnomalyDetection(thresholds=(Threshold(metric="value", max=1),)),
    )

    assert check_spec(make_spec(event)) == ()


def test_a_metric_is_a_declared_property_that_can_have_a_number() -> None:
    event = with_thresholds(Threshold(metric="duration", max=1), Threshold(metric="step", max=1))

    path = "events[0].anomalyDetection.thresholds[{}].metric"
    assert check_spec(make_spec(event)) == (
        FieldError("unknown_metric", path.format(0), "must be a declared property of the event"),
        FieldError("unknown_metric", path.format(1), "must be a property of type number, or json with a numeric value"),
    )


@pytest.mark.parametrize(
    ("type_", "values", "expected"),
    [
        ("string", ("free", "pro", ""), []),
        ("number", (1, 2.5, -3.0), []),
        ("string", ("free", 2.0), [".allowedValues[1]: must be text, as the type says"]),
        ("number", ("1", 2.0), [".allowedValues[0]: must be a number, as the type says"]),
        ("boolean", ("true",), [".allowedValues: belongs to properties of type string or number only"]),
        ("timestamp", ("2026-11-22",), [".allowedValues: belongs to properties of type string or number only"]),
        ("json", (1.0,), [".allowedValues: belongs to properties of type string or number only"]),
    ],
)
def test_allowed_values_are_of_the_propertys_type(
    type_: str, values: tuple[str | float, ...], expected: list[str]
) -> None:
    errors = errors_of_property(make_property(type_, allowed_values=values))

    assert errors == [f"events[0].properties.value{error}" for error in expected]


@pytest.mark.parametrize("type_", PropertyType)
def test_only_numbers_have_a_unit(type_: PropertyType) -> None:
    errors = errors_of_property(make_property(type_, unit="ms"))

    expected = "events[0].properties.value.unit: belongs to properties of type number only"
    assert errors == ([] if type_ == "number" else [expected])


def test_dates_are_days_that_the_calendar_has() -> None:
    opt_outs = tuple(LintOptOut(rule="rule", reason="why", until=day) for day in ("2028-02-29", "2026-02-29"))
    sound, broken = (
        make_event(review_by="2026-12-31"),
        make_event("broken", review_by="0000-01-01", lint_opt_outs=opt_outs),
    )

    assert check_spec(make_spec(sound, broken)) == (
        FieldError("bad_date", "events[1].reviewBy", "must be a day that the calendar has"),
        FieldError("bad_date", "events[1].lintOptOuts[1].until", "must be a day that the calendar has"),
    )


def test_the_new_parts_of_an_event_are_left_out_of_documents_that_do_not_use_them() -> None:
    document = to_plain(make_event())

    assert isinstance(document, dict)
    assert list(document) == ["name", "version", "semantics", "privacy", "properties"]
    assert document["properties"]["durationMs"] == {"type": "number"}


ANY = {*PropertyType}
FITTING = {
    RedactionStrategy.MASK: ANY,
    RedactionStrategy.DROP: ANY,
    RedactionStrategy.NULL: ANY,
    RedactionStrategy.HASH: ANY - {PropertyType.BOOLEAN},
    RedactionStrategy.TRUNCATE: {PropertyType.STRING},
    RedactionStrategy.EMAIL_DOMAIN: {PropertyType.STRING},
    RedactionStrategy.GENERALISE: {PropertyType.STRING, PropertyType.NUMBER, PropertyType.TIMESTAMP},
}


@pytest.mark.parametrize("type_", PropertyType)
@pytest.mark.parametrize("strategy", RedactionStrategy)
def test_a_strategy_hides_values_of_types_that_it_fits(strategy: RedactionStrategy, type_: PropertyType) -> None:
    settings: dict[str, object] = {"length": 3} if strategy is RedactionStrategy.TRUNCATE else {}
    if strategy is RedactionStrategy.GENERALISE:
        by_type: dict[PropertyType, dict[str, object]] = {
            PropertyType.NUMBER: {"bucket": 10.0},
            PropertyType.TIMESTAMP: {"unit": "day"},
        }
        settings = by_type.get(type_, {})

    errors = errors_of_property(make_property(type_, redaction=make_redaction(strategy, **settings)))

    if type_ in FITTING[strategy]:
        assert errors == []
    else:
        words = ", ".join(each for each in PropertyType if each in FITTING[strategy])
        assert errors == [f".strategy: can hide values of these types only: {words}"]


@pytest.mark.parametrize(
    ("type_", "strategy", "settings", "error"),
    [
        ("string", "truncate", {}, ".length: is required by the strategy truncate"),
        ("string", "mask", {"length": 3}, ".length: belongs to the strategy truncate only"),
        ("string", "hash", {"unit": "day"}, ".unit: belongs to the strategy generalise only"),
        ("number", "mask", {"bucket": 1.0}, ".bucket: belongs to the strategy generalise only"),
        ("string", "generalise", {"unit": "day"}, ".unit: belongs to properties of type timestamp only"),
        ("string", "generalise", {"bucket": 1.0}, ".bucket: belongs to properties of type number only"),
        ("number", "generalise", {}, ".bucket: is required to generalise a number"),
        ("timestamp", "generalise", {}, ".unit: is required to generalise a timestamp"),
    ],
)
def test_each_setting_belongs_to_one_strategy_and_type(
    type_: str, strategy: str, settings: dict[str, object], error: str
) -> None:
    definition = make_property(type_, redaction=make_redaction(strategy, **settings))

    assert errors_of_property(definition) == [error]


@pytest.mark.parametrize("pii", [None, True, False])
def test_a_property_free_of_personal_data_may_be_secret_all_the_same(pii: bool | None) -> None:
    assert errors_of_property(make_property(pii=pii, redact=True, redaction=make_redaction("mask"))) == []


def test_context_properties_obey_the_rules_of_properties() -> None:
    context = {"Client Ip": make_property("json", redaction=make_redaction("truncate", length=3))}

    assert check_spec(make_spec(config=TelemetryDefaults(context_properties=context))) == (
        FieldError(
            "bad_redaction",
            'config.contextProperties["Client Ip"].redaction.strategy',
            "can hide values of these types only: string",
        ),
    )


def test_conditions_compile_against_the_declared_types() -> None:
    conditions = ("properties.durationMs > 100.0", "properties.duration > 1.0", "properties.step", "1 +")
    spec = make_spec(make_event(), make_event("other", sampling=Sampling(rate=1, conditions=conditions)))

    errors = check_spec(spec)

    assert [(error.code, error.path) for error in errors] == [
        ("invalid_condition", f"events[1].sampling.conditions[{position}]") for position in (1, 2, 3)
    ]
    assert "(column " in errors[0].message


def test_conditions_may_read_what_the_spec_declares_of_the_context() -> None:
    sampling = Sampling(rate=1, conditions=("context.metadata.plan == 'free'", "context.channel == 'web'"))
    config = TelemetryDefaults(context_properties={"plan": make_property()})

    assert check_spec(make_spec(make_event(sampling=sampling), config=config)) == ()
    assert [error.path for error in check_spec(make_spec(make_event(sampling=sampling)))] == [
        "events[0].sampling.conditions[0]"
    ]


def test_all_conditions_of_a_spec_together_are_bounded() -> None:
    sampling = Sampling(rate=1, conditions=("true",) * 20)
    events = [make_event(version=version, sampling=sampling) for version in range(1, 60)]

    assert check_spec(make_spec(*events)) == (
        FieldError(
            "too_many",
            "events[50].sampling.conditions[0]",
            "a spec must have at most 1000 conditions of 50000 characters in all",
        ),
    )


def test_long_conditions_count_for_more() -> None:
    condition = "true" + " " * 990
    sampling = Sampling(rate=1, conditions=(condition,) * 20)

    (error,) = check_spec(make_spec(*[make_event(version=version, sampling=sampling) for version in (1, 2, 3)]))

    assert (error.code, error.path) == ("too_many", "events[2].sampling.conditions[10]")


def test_single_fields_of_a_spec_that_code_has_built_are_checked_too() -> None:
    spec = make_spec(make_event(version=0, sampling=Sampling(rate=7.5)))

    with pytest.raises(InvalidDocument) as caught:
        validate_spec(spec)

    assert [str(error) for error in caught.value.errors] == [
        "events[0].version: must be at least 1",
        "events[0].sampling.rate: must be at most 1",
    ]
    assert str(caught.value).startswith("the telemetry spec breaks 2 rules: ")


def test_settings_of_providers_are_json() -> None:
    provider = ProviderDefinition(type=ProviderType.POSTHOG, config={"key": {1: "x"}, "share": float("nan")})

    assert [str(error) for error in check_spec(make_spec(config=TelemetryDefaults(providers=(provider,))))] == [
        "config.providers[0].config.key: must have text as keys",
        "config.providers[0].config.share: must be a finite number",
    ]


def test_sound_events_are_checked_across_their_fields_even_when_others_are_broken() -> None:
    document = to_plain(
        make_spec(
            make_event("broken"),
            with_thresholds(Threshold(metric="none", max=1)),
            make_event(sampling=Sampling(rate=1, conditions=("context.metadata.plan == 1.0",))),
            config=TelemetryDefaults(context_properties={"plan": make_property()}),
        )
    )
    assert isinstance(document, dict)
    document["meta"]["title"] = ""
    document["events"][0]["version"] = 0

    with pytest.raises(InvalidDocument) as caught:
        convert_document(document, TelemetrySpec, what="telemetry spec")

    assert [(error.code, error.path) for error in caught.value.errors] == [
        ("bad_length", "meta.title"),
        ("out_of_range", "events[0].version"),
        ("unknown_metric", "events[1].anomalyDetection.thresholds[0].metric"),
        ("duplicate_event", "events[2]"),
        ("invalid_condition", "events[2].sampling.conditions[0]"),
    ]


@pytest.mark.parametrize(
    "broken", [{"config": []}, {"config": {"contextProperties": {"plan": {"type": "text"}}}}, {"events": {}}]
)
def test_what_cannot_be_told_is_not_reported(broken: dict[str, object]) -> None:
    # Whether the condition is sound depends on the declarations that are broken.
    sampling = Sampling(rate=1, conditions=("context.metadata.plan == 'free'",))
    document = to_plain(make_spec(make_event(sampling=sampling)))
    assert isinstance(document, dict)

    with pytest.raises(InvalidDocument) as caught:
        convert_document(document | broken, TelemetrySpec, what="telemetry spec")

    assert len(caught.value.errors) == 1
    assert caught.value.errors[0].code != "invalid_condition"


def test_a_document_that_breaks_a_rule_across_fields_is_refused() -> None:
    spec = make_spec(with_thresholds(Threshold(metric="durationMs")))

    with pytest.raises(InvalidDocument, match=r"thresholds\[0\]: must have min, max or both"):
        decode_spec(encode_spec(spec))


def test_the_rules_hold_in_overrides_and_floors() -> None:
    override = {
        "events": {
            "step": {
                "redaction": {"userId": {"strategy": "truncate"}},
                "anomalyDetection": {"thresholds": [{"metric": "durationMs", "min": 2, "max": 1}]},
            }
        }
    }
    with pytest.raises(InvalidDocument) as caught:
        convert_document(override, TenantOverride, what="override")
    assert [error.path for error in caught.value.errors] == [
        "events.step.redaction.userId.length",
        "events.step.anomalyDetection.thresholds[0].min",
    ]

    with pytest.raises(InvalidDocument) as caught:
        convert_document({"sampling": {"minimumRate": 0.5, "maximumRate": 0.1}}, PrivacyFloor, what="floor")
    assert caught.value.errors == (
        FieldError("out_of_range", "sampling.minimumRate", "must not be more than maximumRate"),
    )
    with pytest.raises(InvalidDocument) as caught:
        convert_document({"minimumRate": 0.5, "maximumRate": 0.1}, SamplingBounds, what="bounds")
    assert [error.path for error in caught.value.errors] == ["minimumRate"]
    assert SamplingBounds(minimum_rate=0.5, maximum_rate=0.5) == convert_document(
        {"minimumRate": 0.5, "maximumRate": 0.5}, SamplingBounds, what="bounds"
    )


def test_a_redaction_is_of_one_kind_even_where_the_type_is_not_known() -> None:
    redaction = {"strategy": "generalise", "unit": "day", "bucket": 1}

    with pytest.raises(InvalidDocument) as caught:
        convert_document({"events": {"step": {"redaction": {"at": redaction}}}}, TenantOverride, what="override")

    assert caught.value.errors == (
        FieldError(
            "bad_redaction", "events.step.redaction.at.bucket", "excludes unit: a value is a timestamp or a number"
        ),
    )


def test_the_seeds_example_is_valid() -> None:
    assert check_spec(make_sigil_spec()) == ()
