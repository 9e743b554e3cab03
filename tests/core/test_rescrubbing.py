"""Hiding after the fact: as if the rules of today had held when the event came in."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.compiled import CompiledConfig, compile_config
from telemetry.core.config import AppBlueprint
from telemetry.core.enums import PrivacyLevel, PropertyType
from telemetry.core.events import PseudonymKey
from telemetry.core.pseudonyms import pseudonymiser_for
from telemetry.core.redaction import DROPPED, compile_redactor
from telemetry.core.rescrubbing import hides_more, rules_for, scrub
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import PropertyDefinition
from tests.core.builders import make_event, make_installation, make_property, make_redaction, make_spec
from tests.core.strategies import property_values, redactions

NAMES = pseudonymiser_for(PseudonymKey(epoch=3, secret=b"0123456789abcdef0123456789abcdef"))
CONTEXT = {"channel": "web", "userId": "p1_AAAAAAAAAAAAAAAAAAAAAA", "sessionId": "p1_BBBBBBBBBBBBBBBBBBBBBB"}


def compiled(privacy: str = "internal", version: int = 1, **properties: PropertyDefinition) -> CompiledConfig:
    spec = make_spec(make_event(version=version, privacy=PrivacyLevel(privacy), properties=properties))
    return compile_config(resolve_config(spec, AppBlueprint(), installation=make_installation(), revision=1))


def scrubbed(config: CompiledConfig, properties: dict[str, Any], privacy: str = "internal") -> Any:
    rules = rules_for(config, "step", 1)
    assert rules is not None
    return scrub(properties, CONTEXT, PrivacyLevel(privacy), rules, NAMES)


def test_a_property_that_became_personal_is_hidden_and_the_others_stay() -> None:
    config = compiled(email=make_property(pii=True), step=make_property())

    found = scrubbed(config, {"email": "ada@example.com", "step": "build", "unknown": 1})

    assert found.properties == {"email": "REDACTED", "step": "build", "unknown": 1}
    assert found.context == CONTEXT
    assert found.paths == ("properties.email",)


def test_what_is_hidden_already_stays_as_it_is() -> None:
    config = compiled(
        mail=make_property(redaction=make_redaction("hash")),
        host=make_property(redaction=make_redaction("email_domain")),
    )

    first = scrubbed(config, {"mail": "ada@example.com", "host": "ada@example.com"})

    assert first.properties["host"] == "example.com"
    assert first.properties["mail"].startswith("p3_")
    assert scrubbed(config, first.properties) is None


def test_a_dropped_property_is_gone_and_null_stays_null() -> None:
    config = compiled(mail=make_property(redaction=make_redaction("drop")), note=make_property(redact=True))

    assert scrubbed(config, {"mail": "ada@example.com"}).properties == {}
    assert scrubbed(config, {"note": None}) is None
    assert scrubbed(config, {}) is None


def test_a_level_that_became_sensitive_takes_everything_and_the_subjects() -> None:
    config = compiled("sensitive", step=make_property(), size=make_property("number"))

    found = scrubbed(config, {"step": "build", "size": 12})

    assert found.properties == {"step": "REDACTED", "size": 0}
    assert found.context == {"channel": "web"}
    assert found.privacy is PrivacyLevel.SENSITIVE
    assert found.paths == ("context.sessionId", "context.userId", "properties.size", "properties.step")


def test_a_level_is_raised_and_never_lowered() -> None:
    config = compiled("pii", size=make_property("number"))

    assert scrubbed(config, {"size": 1}).privacy is PrivacyLevel.PII
    assert scrubbed(config, {"size": 1}, "pii") is None
    assert scrubbed(config, {"size": 1}, "sensitive") is None


def test_a_version_that_is_gone_follows_the_latest_one() -> None:
    config = compiled(version=2, email=make_property(pii=True))

    assert scrubbed(config, {"email": "ada@example.com"}).properties == {"email": "REDACTED"}


@given(st.data(), st.sampled_from(PropertyType))
def test_it_is_what_would_have_been_stored_and_doing_it_twice_changes_nothing(
    data: st.DataObject, kind: PropertyType
) -> None:
    redaction = data.draw(redactions(kind))
    value = data.draw(property_values(kind))
    config = compiled(it=make_property(kind.value, redaction=redaction))
    rules = rules_for(config, "step", 1)
    assert rules is not None

    found = scrub({"it": value}, {}, PrivacyLevel.INTERNAL, rules, NAMES)

    hidden = compile_redactor(kind, redaction)(value, NAMES)
    expected = {} if hidden is DROPPED else {"it": hidden}
    if not rules.properties.all["it"].is_hidden(value):
        assert ({"it": value} if found is None else found.properties) == expected
    if found is not None:
        assert scrub(found.properties, found.context, found.privacy, rules, NAMES) is None


@pytest.mark.parametrize(
    ("before", "after", "more"),
    [
        (compiled(a=make_property()), compiled(a=make_property()), False),
        (compiled(a=make_property()), compiled(a=make_property(pii=True)), True),
        (compiled(a=make_property(pii=True)), compiled(a=make_property()), False),
        (compiled(a=make_property("number")), compiled("pii", a=make_property("number")), True),
        (compiled(a=make_property()), compiled(a=make_property(), b=make_property(pii=True)), True),
        (None, compiled(a=make_property()), True),
    ],
)
def test_only_rules_that_hide_more_ask_for_it(before: CompiledConfig | None, after: CompiledConfig, more: bool) -> None:
    assert hides_more(before, after, "step", 1) is more
    assert hides_more(before, after, "other", 1) is False
