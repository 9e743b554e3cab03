"""Where rules about personal data, days and secrets begin and end to apply; that they do is shown by their pages."""

from typing import Any

import pytest

from telemetry.core.enums import PrivacyLevel, ProviderType, RetentionPolicy, UndeclaredPolicy
from telemetry.core.lint import lint_spec
from telemetry.core.spec import (
    ProviderDefinition,
    Retention,
    TelemetryDefaults,
    TelemetrySpec,
)
from tests.core.builders import make_event, make_meta, make_property, make_redaction
from tests.core.lint.cases import TODAY, places, with_property

# Privacy


@pytest.mark.parametrize(
    ("fields", "privacy", "is_found"),
    [
        ({}, "internal", True),
        ({}, "public", True),
        ({}, "pii", False),
        ({"redact": True}, "internal", False),
        ({"redaction": make_redaction("hash")}, "internal", False),
        ({"pii": True}, "internal", False),
        ({"pii": False}, "internal", False),
    ],
)
def test_a_personal_name_asks_for_a_mark_only_where_the_value_passes(
    fields: dict[str, Any], privacy: str, is_found: bool
) -> None:
    event = with_property("email", make_property(**fields), privacy=PrivacyLevel(privacy))

    assert places("personal_name_unmarked", event) == ["events[0].properties.email"] * is_found


def test_properties_of_the_context_follow_the_same_rules() -> None:
    config = TelemetryDefaults(
        context_properties={
            "email": make_property(),
            "userId": make_property(),
            "password": make_property(),
            "phone": make_property(pii=True),
            "delay": make_property("number"),
        }
    )

    found = {
        rule: places(rule, config=config)
        for rule in (
            "personal_name_unmarked",
            "raw_identifier",
            "secret_collected",
            "pii_without_redact",
            "unit_missing",
        )
    }

    assert found == {
        "personal_name_unmarked": ["config.contextProperties.email"],
        "raw_identifier": ["config.contextProperties.userId"],
        "secret_collected": ["config.contextProperties.password"],
        "pii_without_redact": ["config.contextProperties.phone.pii"],
        "unit_missing": ["config.contextProperties.delay"],
    }


@pytest.mark.parametrize(
    ("strategy", "is_found"),
    [("mask", False), ("null", False), ("drop", False), ("hash", True), ("email_domain", True)],
)
def test_a_secret_is_hidden_as_a_whole_or_reported(strategy: str, is_found: bool) -> None:
    event = with_property("password", make_property(redaction=make_redaction(strategy)))

    assert places("secret_collected", event) == ["events[0].properties.password"] * is_found


@pytest.mark.parametrize(
    ("fields", "is_found"),
    [
        ({}, True),
        ({"pii": False}, True),
        ({"pii": False, "description": "Number of the company, as printed on its invoices."}, False),
        ({"redaction": make_redaction("hash")}, False),
        ({"pii": True, "redact": True}, False),
    ],
)
def test_an_identifier_is_hidden_or_explained(fields: dict[str, Any], is_found: bool) -> None:
    assert places("raw_identifier", with_property("userId", make_property(**fields))) == (
        ["events[0].properties.userId"] * is_found
    )


def test_keeping_undeclared_properties_matters_only_beside_personal_data() -> None:
    keep = TelemetryDefaults(undeclared_properties=UndeclaredPolicy.KEEP)
    plain, personal = make_event("a"), make_event("b", privacy=PrivacyLevel.SENSITIVE)

    assert places("undeclared_kept_beside_personal_data", plain, config=keep) == []
    assert places("undeclared_kept_beside_personal_data", plain, personal, config=keep) == [
        "config.undeclaredProperties"
    ]


def test_a_level_is_above_its_content_only_when_every_property_is_declared_free() -> None:
    free, unset = make_property(pii=False), make_property()
    events = [
        make_event(name, privacy=PrivacyLevel.PII, properties=properties)
        for name, properties in (("a", {"x": free}), ("b", {"x": free, "y": unset}), ("c", {}))
    ]

    assert places("level_above_content", *events) == ["events[0].privacy"]


# Retention


@pytest.mark.parametrize(
    ("privacy", "days", "is_found"),
    [
        ("pii", 365, False),
        ("pii", 366, True),
        ("sensitive", 90, False),
        ("sensitive", 91, True),
        ("internal", 730, False),
    ],
)
def test_the_level_limits_the_days(privacy: str, days: int, is_found: bool) -> None:
    own = make_event("own", privacy=PrivacyLevel(privacy), retention=Retention(days=days))
    inherited = make_event("inherited", privacy=PrivacyLevel(privacy))

    assert places("retention_too_long", own) == ["events[0].retention.days"] * is_found
    assert places("retention_too_long", inherited, config=TelemetryDefaults(default_retention_days=days)) == (
        ["events[0].privacy"] * is_found
    )


def test_an_archive_matters_for_personal_data_only() -> None:
    archived = Retention(days=30, policy=RetentionPolicy.ARCHIVE)
    events = [make_event(level.value, privacy=level, retention=archived) for level in PrivacyLevel]

    assert places("personal_data_archived", *events) == [f"events[{index}].retention.policy" for index in (2, 3)]


def test_days_are_stated_by_the_event_or_by_the_spec() -> None:
    event = make_event(privacy=PrivacyLevel.PII)

    assert places("retention_not_stated", event) == ["events[0].privacy"]
    assert places("retention_not_stated", event, config=TelemetryDefaults(default_retention_days=30)) == []


# Providers


@pytest.mark.parametrize(
    ("settings", "rule", "path"),
    [
        ({"projectApiKey": "canary"}, "provider_secret", ".projectApiKey"),
        ({"key": "canary"}, "provider_secret", ".key"),
        ({"headers": {"Authorization": "Bearer canary"}}, "provider_secret", ".headers.Authorization"),
        ({"tokens": ["${A}", "canary"]}, "provider_secret", ".tokens[1]"),
        ({"endpoint": "https://user:canary@example.com/x"}, "provider_secret", ".endpoint"),
        ({"write_key": "$CANARY"}, "provider_reference", ".write_key"),
        ({"region": "{{ canary }}"}, "provider_reference", ".region"),
        ({"region": "${canary here}"}, "provider_reference", ".region"),
        ({"region": "process.env.CANARY"}, "provider_reference", ".region"),
    ],
)
def test_secrets_and_foreign_references_are_named_by_place_and_never_shown(
    settings: dict[str, Any], rule: str, path: str
) -> None:
    config = TelemetryDefaults(providers=(ProviderDefinition(type=ProviderType.POSTHOG, config=settings),))
    spec = TelemetrySpec(meta=make_meta(), config=config)

    found = [each for each in lint_spec(spec, today=TODAY) if each.rule.startswith("provider_")]

    assert [(each.rule, each.path) for each in found] == [(rule, f"config.providers[0].config{path}")]
    assert "canary" not in f"{found[0].message}{found[0].hint}".lower()


@pytest.mark.parametrize(
    "settings",
    [
        {"projectApiKey": "${POSTHOG_KEY}"},
        {"authorization": "Bearer ${TOKEN}"},
        {"dsn": "https://${USER}:${PASSWORD}@example.com"},
        {"endpoint": "https://example.com/x?y=z", "region": "eu", "flushSize": 20, "enabled": True, "empty": None},
        {"keyPrefix": "app", "tokenType": "bearer", "monkey": "banana", "apiKey": " "},
        {"price": "5 $", "path": "50%"},
    ],
)
def test_plain_settings_are_no_secrets(settings: dict[str, Any]) -> None:
    config = TelemetryDefaults(providers=(ProviderDefinition(type=ProviderType.POSTHOG, config=settings),))

    assert places("provider_secret", config=config) == []
    assert places("provider_reference", config=config) == []


def test_the_same_place_twice_is_reported_and_another_setting_is_another_place() -> None:
    config = TelemetryDefaults(
        providers=tuple(
            ProviderDefinition(type=ProviderType.INTERNAL, config={"queue": queue}) for queue in ("a", "b", "a")
        )
    )

    assert places("provider_repeated", config=config) == ["config.providers[2]"]
