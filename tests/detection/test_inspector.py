"""Which properties of an event are looked at, how often, and what is told of them."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.compiled import CompiledEvent, compile_config
from telemetry.core.enums import PrivacyLevel, PropertyType
from telemetry.core.events import Envelope
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import TelemetryDefaults
from telemetry.detection.detector import Detector
from telemetry.detection.inspector import EVERY, LOOKS_PER_MINUTE, Evidence, Inspector, Look, is_safe_name
from tests.core.builders import (
    make_context,
    make_envelope,
    make_event,
    make_installation,
    make_property,
    make_redaction,
    make_spec,
)

PROPERTIES = {
    "note": make_property(),
    "cart": make_property("json"),
    "total": make_property("number"),
    "mail": make_property(pii=True, redact=True),
    "network": make_property(redaction=make_redaction("generalise")),
}


def make_rules(**event: Any) -> CompiledEvent:
    config = TelemetryDefaults(context_properties={"page": make_property()})
    spec = make_spec(make_event(**{"properties": PROPERTIES, **event}), config=config)
    rules = compile_config(resolve_config(spec, installation=make_installation())).find("step", 1)
    assert rules is not None
    return rules


def sent(properties: Mapping[str, Any], **metadata: Any) -> Envelope:
    return make_envelope(properties=dict(properties), context=make_context(metadata=metadata))


@given(st.lists(st.integers(0, 90), min_size=1, max_size=8))
def test_in_a_minute_the_first_are_due_and_then_every_twentieth(counts: list[int]) -> None:
    inspector = Inspector()

    due: list[int] = []
    for count in counts:
        places = inspector.look(1, 1).due("step", 1, count)
        due += [place in places for place in range(count)]
        assert set(places) <= set(range(count))

    assert due == [turn <= LOOKS_PER_MINUTE or turn % EVERY == 0 for turn in range(1, len(due) + 1)]


def show(look: Look, envelope: Envelope, rules: CompiledEvent) -> None:
    """As ingest does: only what is due."""
    if look.due(rules.name, rules.version, 1):
        look.at(envelope, rules, "")


def evidence_of(*envelopes: Envelope, rules: CompiledEvent | None = None) -> list[tuple[str, Detector, int, int]]:
    look = Inspector().look(1, 0)
    for envelope in envelopes:
        look.at(envelope, rules or make_rules(), "2.4.0")
    return [(one.path, one.detector, one.found, one.checked) for one in look.evidence()]


def test_declared_text_that_nothing_hides_is_looked_at() -> None:
    found = evidence_of(sent({"note": "alice@example.com"}), sent({"note": "ring twice"}), sent({"total": 3}))

    assert found == [("properties.note", Detector.EMAIL, 1, 2)]


def test_what_a_rule_hides_is_not_looked_at() -> None:
    assert evidence_of(sent({"mail": "alice@example.com", "network": "91.34.77.120"})) == []


def test_a_level_that_hides_text_leaves_nothing_to_look_at() -> None:
    rules = make_rules(privacy=PrivacyLevel.PII)

    assert evidence_of(sent({"note": "alice@example.com"}), rules=rules) == []


def test_undeclared_values_are_looked_at_wherever_they_stand() -> None:
    found = evidence_of(sent({"extra": {"to": ["alice@example.com"]}, "card": 4111111111111111}, origin="91.34.77.120"))

    assert found == [
        ("context.metadata.origin", Detector.IP_ADDRESS, 1, 1),
        ("properties.card", Detector.PAYMENT_CARD, 1, 1),
        ("properties.extra", Detector.EMAIL, 1, 1),
    ]


def test_an_undeclared_name_that_reads_personal_is_evidence_of_its_own() -> None:
    found = evidence_of(sent({"lastName": "Smith", "isEmail": True, "colour": "red", "password": "x"}))

    assert found == [
        ("properties.lastName", Detector.PERSONAL_NAME, 1, 1),
        ("properties.password", Detector.PERSONAL_NAME, 1, 1),
    ]


def test_a_name_that_is_data_is_never_told() -> None:
    found = evidence_of(sent({"alice@example.com": True, "opened:+4930901820": 1, "step": "x"}))

    assert found == [
        ("properties[?]", Detector.EMAIL, 1, 2),
        ("properties[?]", Detector.PHONE, 1, 2),
    ]


def test_latitude_and_longitude_as_numbers_are_found_by_their_names() -> None:
    rules = make_rules(properties={"lat": make_property("number"), "lng": make_property("number")})
    hidden = make_rules(properties={"lat": make_property("number", redact=True), "lng": make_property("number")})
    place = sent({"lat": 52.52, "lng": 13.405})

    assert evidence_of(place, rules=rules) == [
        ("properties.lat", Detector.COORDINATES, 1, 1),
        ("properties.lng", Detector.COORDINATES, 1, 1),
    ]
    assert evidence_of(place, rules=hidden) == []
    assert evidence_of(sent({"lat": 12, "lng": 13}), rules=rules) == []


def test_evidence_names_the_event_and_the_apps_that_sent_it() -> None:
    look = Inspector().look(1, 0)
    for version in ("2.4.0", "2.3.9", "2.4.0", ""):
        look.at(sent({"note": "alice@example.com"}), make_rules(), version)

    assert look.evidence() == (
        Evidence(
            event_name="step",
            event_version=1,
            path="properties.note",
            detector=Detector.EMAIL,
            is_declared=True,
            value_type=PropertyType.STRING,
            found=4,
            checked=4,
            app_versions=("2.3.9", "2.4.0"),
        ),
    )
    assert look.evidence() == ()


def test_a_property_is_looked_at_so_many_times_in_a_minute() -> None:
    inspector = Inspector(looks_per_minute=3)
    envelope, rules = sent({"note": "alice@example.com"}), make_rules()

    def found_in(minute: int, *, installation: int = 1) -> list[int]:
        look = inspector.look(installation, minute)
        for _ in range(5):
            show(look, envelope, rules)
        return [one.found for one in look.evidence()]

    assert found_in(0) == [3]
    assert found_in(0) == []
    assert found_in(0, installation=2) == [3]
    assert found_in(1) == [3]


def test_a_rare_property_of_a_frequent_event_is_found_in_time() -> None:
    inspector = Inspector(looks_per_minute=3)
    look, rules = inspector.look(1, 0), make_rules()
    for _ in range(100):
        show(look, sent({"note": "x"}), rules)
    for _ in range(40):
        show(look, sent({"note": "x", "extra": "alice@example.com"}), rules)

    assert [(one.path, one.found) for one in look.evidence()] == [("properties.extra", 2)]


def test_looks_without_a_find_count_for_the_next_evidence() -> None:
    inspector, rules = Inspector(), make_rules()
    quiet = inspector.look(1, 0)
    for _ in range(9):
        quiet.at(sent({"note": "ring twice"}), rules, "")
    assert quiet.evidence() == ()

    look = inspector.look(1, 0)
    look.at(sent({"note": "alice@example.com"}), rules, "")

    assert [(one.found, one.checked) for one in look.evidence()] == [(1, 10)]


def test_names_that_clients_make_up_do_not_fill_the_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.detection.inspector.MOST_PROPERTIES", 10)
    inspector, rules = Inspector(), make_rules()

    for number in range(100):
        inspector.look(1, 0).at(sent({f"made_up_{number}": "x"}), rules, "")

    assert len(inspector._counts) <= 10


@pytest.mark.parametrize(
    ("name", "is_safe"),
    [
        ("colour", True),
        ("$current_url", True),
        ("utm.source", True),
        ("alice@example.com", False),
        ("order 4711", False),
        ("account.4915112345678", False),
        ("seen-91.34.77.120", False),
        ("tgs_x", True),
        ("n" * 129, False),
        ("", False),
    ],
)
def test_a_name_is_safe_when_it_reads_like_one(name: str, *, is_safe: bool) -> None:
    assert is_safe_name(name) is is_safe


def test_evidence_says_which_type_to_declare() -> None:
    look = Inspector().look(1, 0)
    look.at(sent({"a": "alice@example.com", "b": 4111111111111111, "c": ["alice@example.com"]}), make_rules(), "")

    assert [(one.path, one.value_type) for one in look.evidence()] == [
        ("properties.a", PropertyType.STRING),
        ("properties.b", PropertyType.NUMBER),
        ("properties.c", PropertyType.JSON),
    ]
