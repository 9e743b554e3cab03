"""A version that protects less than the one before is recognised, wherever it does."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.enums import PrivacyLevel, RetentionPolicy, UndeclaredPolicy
from telemetry.core.spec import (
    EventDefinition,
    PropertyDefinition,
    Quarantine,
    Retention,
    TelemetryDefaults,
    TelemetrySpec,
)
from telemetry.services.privacy_changes import find_loosened
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.core.strategies import specs


def event(**fields: Any) -> EventDefinition:
    return make_event("a", **{"privacy": PrivacyLevel.PII, **fields})


def loosened(before: TelemetrySpec, after: TelemetrySpec) -> list[str]:
    found = find_loosened(before, after)
    assert {error.code for error in found} <= {"loosens"}
    return [error.path for error in found]


HASHED = make_property(redaction=make_redaction("hash"))
DROPPED = make_property(redaction=make_redaction("drop"))
FREE = make_property(pii=False)
A_YEAR, A_WEEK = Retention(days=365), Retention(days=7)


@pytest.mark.parametrize(
    ("tight", "loose", "path"),
    [
        (event(), event(privacy=PrivacyLevel.PUBLIC, properties={}), 'events["a@1"].privacy'),
        (event(properties={"p": DROPPED}), event(properties={"p": HASHED}), 'events["a@1"].properties.p'),
        (event(properties={"p": HASHED}), event(properties={"p": FREE}), 'events["a@1"].properties.p'),
        (event(properties={"p": make_property()}), event(properties={"p": FREE}), 'events["a@1"].properties.p'),
        (event(retention=A_WEEK), event(retention=A_YEAR), 'events["a@1"].retention.days'),
        (event(), event(retention=A_YEAR), 'events["a@1"].retention.days'),
        (
            event(retention=A_WEEK),
            event(retention=Retention(days=7, policy=RetentionPolicy.ARCHIVE)),
            'events["a@1"].retention.policy',
        ),
    ],
)
def test_an_event_that_is_protected_less_is_named_and_the_way_back_is_free(
    tight: EventDefinition, loose: EventDefinition, path: str
) -> None:
    before, after = make_spec(tight), make_spec(loose)

    assert loosened(before, after) == [path]
    assert loosened(after, before) == []


@pytest.mark.parametrize(
    ("tight", "loose", "path"),
    [
        (
            TelemetryDefaults(undeclared_properties=UndeclaredPolicy.QUARANTINE),
            TelemetryDefaults(),
            "config.undeclaredProperties",
        ),
        (
            TelemetryDefaults(),
            TelemetryDefaults(undeclared_properties=UndeclaredPolicy.KEEP),
            "config.undeclaredProperties",
        ),
        (
            TelemetryDefaults(context_properties={"plan": DROPPED}),
            TelemetryDefaults(context_properties={"plan": make_property()}),
            "config.contextProperties.plan",
        ),
        (
            TelemetryDefaults(context_properties={"plan": make_property()}),
            TelemetryDefaults(context_properties={"plan": FREE}),
            "config.contextProperties.plan",
        ),
        (
            TelemetryDefaults(default_retention_days=7),
            TelemetryDefaults(default_retention_days=8),
            'events["a@1"].retention.days',
        ),
    ],
)
def test_defaults_that_protect_less_are_named(tight: TelemetryDefaults, loose: TelemetryDefaults, path: str) -> None:
    before, after = make_spec(event(), config=tight), make_spec(event(), config=loose)

    assert loosened(before, after) == [path]
    assert loosened(after, before) == []


def test_a_longer_retention_without_personal_data_is_no_loosening() -> None:
    plain = {"privacy": PrivacyLevel.INTERNAL, "properties": {"count": make_property("number")}}

    assert loosened(make_spec(event(**plain, retention=A_WEEK)), make_spec(event(**plain, retention=A_YEAR))) == []


def test_events_and_properties_that_come_or_go_loosen_nothing() -> None:
    before = make_spec(event(properties={"p": HASHED}), make_event("gone"))
    after = make_spec(event(properties={"q": FREE}), make_event("new", privacy=PrivacyLevel.PUBLIC))

    assert loosened(before, after) == []
    assert loosened(after, before) == []


@pytest.mark.parametrize(
    ("policy", "hidden", "level", "is_looser"),
    [
        ("keep", HASHED, "internal", True),
        ("keep", HASHED, "pii", False),
        ("keep", make_property("number", redact=True), "pii", True),
        ("keep", make_property("number", redact=True), "sensitive", False),
        ("keep", make_property(), "internal", False),
        ("mask", HASHED, "internal", False),
        ("mask", DROPPED, "internal", True),
        ("drop", HASHED, "internal", False),
        ("quarantine", HASHED, "internal", False),
    ],
)
def test_a_hidden_property_that_is_declared_no_more_is_named_where_it_would_be_passed_on(
    policy: str, hidden: PropertyDefinition, level: str, is_looser: bool
) -> None:
    config = TelemetryDefaults(undeclared_properties=UndeclaredPolicy(policy))
    before = make_spec(event(privacy=PrivacyLevel(level), properties={"p": hidden}), config=config)
    after = make_spec(event(privacy=PrivacyLevel(level), properties={}), config=config)

    assert loosened(before, after) == (['events["a@1"].properties.p'] if is_looser else [])


def test_a_hidden_property_of_the_context_that_is_declared_no_more_is_named_too() -> None:
    keep = UndeclaredPolicy.KEEP
    declared = TelemetryDefaults(undeclared_properties=keep, context_properties={"plan": HASHED})
    before = make_spec(event(), config=declared)
    after = make_spec(event(), config=TelemetryDefaults(undeclared_properties=keep))

    assert loosened(before, after) == ["config.contextProperties.plan"]


@given(specs(), st.integers(1, 5))
def test_a_spec_never_loosens_itself(spec: TelemetrySpec, version: int) -> None:
    assert find_loosened(spec, make_spec(*spec.events, version=version, config=spec.config)) == ()


@pytest.mark.parametrize(
    ("tight", "loose", "path"),
    [
        (TelemetryDefaults(), TelemetryDefaults(quarantine=Quarantine()), "config.quarantine"),
        (
            TelemetryDefaults(quarantine=Quarantine()),
            TelemetryDefaults(quarantine=Quarantine(days=8)),
            "config.quarantine",
        ),
        (TelemetryDefaults(mask_detected=True), TelemetryDefaults(mask_detected=False), "config.maskDetected"),
    ],
)
def test_holding_refused_events_and_passing_on_what_is_detected_protects_less(
    tight: TelemetryDefaults, loose: TelemetryDefaults, path: str
) -> None:
    before, after = make_spec(event(), config=tight), make_spec(event(), config=loose)

    assert loosened(before, after) == [path]
    assert loosened(after, before) == []
