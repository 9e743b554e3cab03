"""Contracts of events, and where telemetry departs from them."""

from typing import Any

import msgspec
import pytest
from hypothesis import given

from telemetry.core.codec import convert_document, encode_document
from telemetry.core.enums import PropertyType
from telemetry.core.errors import InvalidDocument
from telemetry.core.event_specs import DepartureKind, EventSpec, departures, payload_properties
from telemetry.core.json_types import admits
from telemetry.core.paths import key_path
from telemetry.core.plain import to_plain
from telemetry.core.spec import EventDefinition
from tests.core import strategies
from tests.core.builders import make_event, make_property
from tests.core.lint.cases import contract

K = DepartureKind


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("email", "email"),
        ("address.street", "address"),
        ("tags[0]", "tags"),
        ('["E-Mail"]', "E-Mail"),
        ('["E-Mail"].domain', "E-Mail"),
        ('["a\\"b"].c', 'a"b'),
        ('["never ends', '["never ends'),
    ],
)
def test_a_place_in_the_payload_counts_for_the_property_that_holds_it(path: str, name: str) -> None:
    assert contract(pii=(path,)).personal_properties == {name}


@given(strategies.property_names(), strategies.property_names())
def test_every_name_that_a_property_can_have_is_found_in_its_path(name: str, inner: str) -> None:
    for path in (key_path("", name), key_path(key_path("", name), inner)):
        assert contract(pii=(path,)).personal_properties == {name}


@pytest.mark.parametrize(
    ("node", "types"),
    [
        ({"type": "string"}, {"string", "timestamp"}),
        ({"type": "integer"}, {"number"}),
        ({"type": ["number", "null"]}, {"number"}),
        ({"type": "boolean"}, {"boolean"}),
        ({"type": "object"}, {"json"}),
        ({"type": ["string", "number"]}, {"string", "timestamp", "number", "json"}),
        ({"enum": ["a", "b"]}, {"string", "timestamp"}),
        ({}, set(PropertyType)),
    ],
)
def test_a_type_is_fair_when_the_contract_admits_such_values(node: dict[str, Any], types: set[str]) -> None:
    assert {type_.value for type_ in PropertyType if admits(node, type_)} == types


def test_an_event_that_measures_its_contract_departs_in_nothing() -> None:
    event = make_event(properties={"step": make_property(required=True), "userId": make_property(pii=True)})
    known = contract(
        properties={"step": {"type": "string"}, "userId": {"type": "string"}, "more": {}},
        required=["step"],
        pii=("userId",),
    )

    assert departures(known, event) == ()


def test_a_contract_that_leaves_the_payload_open_asks_for_its_personal_data_alone() -> None:
    event = make_event(properties={"email": make_property(), "other": make_property()})

    found = departures(contract(required=["email", "x"], pii=("email", "gone")), event)

    assert [(each.kind, each.name) for each in found] == [(K.PII_UNMARKED, "email")]


def test_a_message_says_what_the_contract_has() -> None:
    event = make_event(properties={"a": make_property("boolean"), "b": make_property("json")})
    known = contract(properties={"a": {"type": ["number", "null", "string"]}, "b": {"enum": ["x"]}})

    assert [each.message for each in departures(known, event)] == [
        "is boolean, where the EventSpec has number or string",
        "is json, where the EventSpec has string",
    ]


@given(strategies.event_specs(), strategies.event_definitions())
def test_every_departure_is_at_a_place_of_the_event_and_said_once(known: EventSpec, event: EventDefinition) -> None:
    found = departures(known, event)

    assert len(set(found)) == len(found)
    declared = payload_properties(known) or {}
    for each in found:
        assert each.path == () if each.kind is K.MISSING_PROPERTY else each.name in event.properties
        if each.kind in (K.MISSING_PROPERTY, K.OTHER_TYPE):
            assert each.name in declared


@given(strategies.event_specs())
def test_a_contract_is_read_back_as_it_was_written(known: EventSpec) -> None:
    assert convert_document(to_plain(known), EventSpec, what="EventSpec") == known
    assert encode_document(known) == encode_document(msgspec.convert(to_plain(known), EventSpec))


def test_bad_contracts_name_every_broken_rule() -> None:
    with pytest.raises(InvalidDocument) as caught:
        convert_document(
            {"meta": {"name": "1", "version": 0, "owner": "x"}, "payload": [], "pii": [" "]},
            EventSpec,
            what="EventSpec",
        )

    assert [error.path for error in caught.value.errors] == [
        "meta.name",
        "meta.version",
        "meta.owner",
        "payload",
        "pii[0]",
    ]
