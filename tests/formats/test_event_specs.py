"""EventSpecs from documents of their own, and from JSON Schemas."""

import json
from typing import Any

import pytest
from hypothesis import given

from telemetry.core.codec import encode_document
from telemetry.core.errors import InvalidDocument
from telemetry.core.event_specs import EventSpec, EventSpecMeta
from telemetry.core.plain import to_plain
from telemetry.core.yaml_documents import write_yaml
from telemetry.formats.event_specs import GivenMeta, read_event_spec
from tests.core import strategies

PAYLOAD = {
    "type": "object",
    "required": ["email"],
    "properties": {"email": {"type": "string"}, "address": {"type": "object"}},
}
WHOLE: dict[str, Any] = {
    "meta": {"name": "user.signed_up", "version": 2, "domain": "users", "owners": ["@team.growth"]},
    "payload": PAYLOAD,
    "pii": ["email", "address.street"],
}


def read(document: Any, **given: Any) -> EventSpec:
    return read_event_spec(json.dumps(document), given=GivenMeta(**given))


def errors_of(document: Any, **given: Any) -> list[str]:
    with pytest.raises(InvalidDocument) as caught:
        read(document, **given)
    return [error.path for error in caught.value.errors]


@pytest.mark.parametrize("notation", ["json", "yaml"])
def test_an_event_spec_is_read_as_it_is(notation: str) -> None:
    text = json.dumps(WHOLE) if notation == "json" else write_yaml(WHOLE)

    contract = read_event_spec(text)

    assert contract.identity == ("user.signed_up", 2)
    assert (contract.meta.domain, contract.meta.owners) == ("users", ("@team.growth",))
    assert to_plain(contract.payload) == PAYLOAD
    assert contract.pii == ("email", "address.street")


def test_what_is_given_fills_in_and_never_contradicts() -> None:
    bare = {**WHOLE, "meta": {"name": "user.signed_up"}}

    contract = read(bare, name="other", version=3, domain="d", pii=["email", "address"])

    assert (contract.identity, contract.meta.domain) == (("user.signed_up", 3), "d")
    assert contract.pii == ("email", "address.street", "address")


def test_a_schema_of_the_payload_becomes_a_contract_under_the_given_name() -> None:
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Signed up",
        "description": "Somebody has an account",
        "type": "object",
        "properties": {
            "email": {"type": "string", "x-pii": True},
            "address": {"type": "object", "properties": {"street": {"type": "string", "x-pii": True}, "city": {}}},
            "plan": {"type": "string"},
        },
    }

    contract = read(schema, name="user.signed_up", version=1, domain="users", pii=["plan"])

    assert contract.meta == EventSpecMeta(
        name="user.signed_up",
        version=1,
        domain="users",
        title="Signed up",
        description="Somebody has an account",
    )
    assert contract.pii == ("email", "address.street", "plan")
    assert to_plain(contract.payload) == schema


def test_a_self_describing_schema_knows_its_name_and_model() -> None:
    schema = {"self": {"vendor": "com.acme", "name": "ad_click", "version": "2-0-1"}, "properties": {}}

    assert read(schema).identity == ("ad_click", 2)
    assert read(schema, name="Ad Click", version=5).identity == ("Ad Click", 5)


def test_what_nobody_says_is_asked_for() -> None:
    assert errors_of({"type": "object"}) == ["meta.name", "meta.version"]
    assert errors_of({"payload": {}}) == ["meta"]
    assert errors_of({"meta": {}, "payload": {}}) == ["meta.name", "meta.version"]


@pytest.mark.parametrize(
    ("document", "paths"),
    [
        ([], [""]),
        ({**WHOLE, "typo": 1}, ["typo"]),
        ({**WHOLE, "payload": {"type": "string"}}, ["payload.type"]),
        ({**WHOLE, "payload": {"properties": {"email": {"type": "strin"}}}}, ["payload.properties.email.type"]),
        ({**WHOLE, "payload": True}, ["payload"]),
        ({**WHOLE, "pii": "email"}, ["pii"]),
        ({**WHOLE, "pii": ["email", "phone"]}, ["pii[1]"]),
        ({**WHOLE, "meta": {**WHOLE["meta"], "version": 0}}, ["meta.version"]),
    ],
)
def test_a_bad_document_is_refused_with_its_places(document: Any, paths: list[str]) -> None:
    assert errors_of(document) == paths


@pytest.mark.parametrize(
    ("text", "paths"),
    [
        ('{"meta": {"name": "a", "name": "b", "version": 1}, "payload": {}}', ["meta.name"]),
        ('{"meta": {"name": "a", "version": 1}, "payload": {}, "payload": {}}', ["payload"]),
        ('{"properties": {}, "properties": {}}', ["properties"]),
        ('{"properties": {"a": {}, "a": {}}}', ["properties.a"]),
    ],
)
def test_a_key_occurs_once(text: str, paths: list[str]) -> None:
    with pytest.raises(InvalidDocument) as caught:
        read_event_spec(text, given=GivenMeta("a", 1))

    assert [(error.code, error.path) for error in caught.value.errors] == [("duplicate_key", path) for path in paths]


def test_a_schema_with_a_broken_rule_is_refused_with_its_places() -> None:
    schema = {"properties": {"a": {"minLength": "x"}}, "required": "a"}

    assert errors_of(schema, name="a", version=1) == ["required", "properties.a.minLength"]


def test_places_are_not_checked_where_the_payload_is_open() -> None:
    assert read({**WHOLE, "payload": {}}).pii == ("email", "address.street")


@given(strategies.event_specs())
def test_a_contract_whose_places_are_known_is_read_back_equal(contract: EventSpec) -> None:
    open_ = EventSpec(meta=contract.meta, payload={}, pii=contract.pii)

    assert read_event_spec(encode_document(open_)) == open_
