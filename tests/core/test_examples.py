"""Example payloads, and what the run time makes of payloads."""

from typing import Any

import pytest
from hypothesis import given

from telemetry.core.enums import PrivacyLevel, UndeclaredPolicy, ViolationCode
from telemetry.core.examples import ShownValue, example_payload, preview_payload, why_hidden
from telemetry.core.spec import Sampling, TelemetryDefaults
from tests.core.builders import make_event, make_property, make_redaction
from tests.core.strategies import event_definitions


def shown(preview: Any) -> dict[str, Any]:
    return {value.name: value.after for value in preview.values if value.is_kept}


def test_an_example_has_a_likely_value_for_every_property() -> None:
    event = make_event(
        properties={
            "email": make_property(),
            "clientIp": make_property(redaction=make_redaction("generalise")),
            "userId": make_property(),
            "step": make_property(),
            "plan": make_property(allowed_values=("free", "pro")),
            "stars": make_property("number", allowed_values=(1.0, 2.0)),
            "durationMs": make_property("number"),
            "isNew": make_property("boolean"),
            "at": make_property("timestamp"),
            "details": make_property("json"),
            "contact": make_property(redaction=make_redaction("email_domain")),
        }
    )

    assert example_payload(event) == {
        "email": "ana@example.com",
        "clientIp": "203.0.113.7",
        "userId": "user-123",
        "step": "example text",
        "plan": "free",
        "stars": 1,
        "durationMs": 1234,
        "isNew": True,
        "at": "2026-01-15T09:30:00Z",
        "details": {"example": True},
        "contact": "ana@example.com",
    }


def test_a_level_or_flag_decides_what_of_a_payload_is_kept() -> None:
    event = make_event()
    payload = {"step": "verify", "durationMs": 2100, "userId": "user-123"}

    internal = preview_payload(event, payload)
    sensitive = preview_payload(make_event(privacy=PrivacyLevel.SENSITIVE), payload)

    assert shown(internal) == {"step": "verify", "durationMs": 2100, "userId": "REDACTED"}
    assert internal.values[0] == ShownValue("step", "verify", "verify", True, "", "")
    assert internal.values[2] == ShownValue("userId", "user-123", "REDACTED", True, "mask", "personal data")
    assert shown(sensitive) == {"step": "REDACTED", "durationMs": 0, "userId": "REDACTED"}


def test_each_strategy_shows_what_it_leaves() -> None:
    event = make_event(
        properties={
            "zip": make_property(redaction=make_redaction("truncate", length=2)),
            "gone": make_property(redaction=make_redaction("drop")),
            "who": make_property(redaction=make_redaction("hash")),
        }
    )

    preview = preview_payload(event, {"zip": "10115", "gone": "x", "who": "user-123"})

    kept = shown(preview)
    assert kept.pop("who").startswith("p1_")
    assert kept == {"zip": "10"}
    assert [(value.name, value.hidden_by) for value in preview.values if not value.is_kept] == [("gone", "drop")]


def test_a_payload_that_breaks_the_contract_is_refused_and_says_why() -> None:
    preview = preview_payload(make_event(), {"durationMs": "slow"})

    assert preview.is_refused
    assert preview.values == ()
    assert [(found.code, found.path) for found in preview.violations] == [
        (ViolationCode.WRONG_TYPE, "properties.durationMs"),
        (ViolationCode.MISSING_REQUIRED, "properties.step"),
    ]


@pytest.mark.parametrize(
    ("policy", "after", "hidden_by"),
    [(None, {}, "drop"), (UndeclaredPolicy.MASK, {"x": "REDACTED"}, "mask"), (UndeclaredPolicy.KEEP, {"x": "raw"}, "")],
)
def test_what_is_not_declared_is_treated_as_the_spec_says(
    policy: UndeclaredPolicy | None, after: dict[str, Any], hidden_by: str
) -> None:
    event = make_event(properties={})

    preview = preview_payload(event, {"x": "raw"}, TelemetryDefaults(undeclared_properties=policy))

    assert shown(preview) == after
    assert preview.values[0].hidden_by == hidden_by


def test_half_typed_sampling_does_not_hide_what_is_kept() -> None:
    event = make_event(sampling=Sampling(rate=0.0, conditions=("properties.nothing ==",)))

    assert shown(preview_payload(event, {"step": "verify"})) == {"step": "verify"}


@pytest.mark.parametrize(
    ("fields", "privacy", "reason"),
    [
        ({}, "internal", ""),
        ({"pii": True}, "public", "personal data"),
        ({"redact": True}, "public", "its own rule"),
        ({"redaction": make_redaction("drop")}, "public", "its own rule"),
        ({}, "pii", "level pii"),
        ({"pii": False}, "pii", ""),
        ({"pii": False}, "sensitive", "level sensitive"),
    ],
)
def test_a_hidden_value_says_which_rule_hides_it(fields: dict[str, Any], privacy: str, reason: str) -> None:
    assert why_hidden(make_property(**fields), PrivacyLevel(privacy)) == reason


@given(event_definitions())
def test_every_example_is_a_payload_that_its_event_takes(event: Any) -> None:
    preview = preview_payload(event, example_payload(event))

    assert not preview.is_refused
    assert [value.name for value in preview.values] == list(event.properties)
