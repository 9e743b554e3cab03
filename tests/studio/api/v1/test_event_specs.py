"""Contracts of events over HTTP."""

import json
from typing import Any

import pytest

from telemetry.core.codec import encode_document
from telemetry.core.event_specs import EventSpec, EventSpecMeta
from telemetry.core.yaml_documents import write_yaml
from telemetry.models import EventSpecRecord
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_spec
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, make_draft

pytestmark = pytest.mark.django_db

ALL = "/api/v1/event-specs"
PAYLOAD = {"type": "object", "properties": {"step": {"type": "string"}, "email": {"type": "string"}}}


def contract(name: str = "step", version: int = 1, **payload: Any) -> dict[str, Any]:
    meta = {"name": name, "version": version, "title": "A step", "domain": "sigil"}
    return {"meta": meta, "payload": payload or PAYLOAD, "pii": ["email"]}


@pytest.fixture
def analyst() -> Caller:
    return caller_with_role(Role.ANALYST)


def address(suffix: str = "") -> str:
    return f"{ALL}/{EventSpecRecord.objects.get().pk}{suffix}"


def test_a_contract_is_imported_read_listed_and_taken_out(analyst: Caller) -> None:
    added = analyst.post(ALL, contract())
    again = analyst.send("POST", ALL, write_yaml(contract()).encode(), "application/yaml")
    read = analyst.get(address())
    listed = analyst.get(ALL).json()
    removed = analyst.post(address("/remove"), {"expectedChecksum": added.json()["checksum"]})

    outcomes = [(each.status_code, each.json()["outcome"]) for each in (added, again)]
    assert outcomes == [(201, "added"), (200, "unchanged")]
    meta = EventSpecMeta(name="step", version=1, title="A step", domain="sigil")
    assert read.content == encode_document(EventSpec(meta=meta, payload=PAYLOAD, pii=("email",)))
    assert listed["total"] == 1
    assert {**listed["items"][0], "outcome": "added"} == added.json()
    assert (removed.status_code, removed.json()) == (200, listed["items"][0])
    assert not EventSpecRecord.objects.exists()


def test_a_schema_is_imported_under_the_name_in_the_query(analyst: Caller) -> None:
    answer = analyst.post(f"{ALL}?name=Order+Placed&version=3&domain=shop&pii=email,step", PAYLOAD)

    assert answer.status_code == 201
    assert [answer.json()[key] for key in ("name", "version", "domain")] == ["Order Placed", 3, "shop"]
    assert json.loads(EventSpecRecord.objects.get().document)["pii"] == ["email", "step"]


def test_events_are_compared_with_their_contract(analyst: Caller) -> None:
    properties = {"step": make_property("number"), "email": make_property(), "more": make_property()}
    make_draft(make_spec(make_event("step", properties=properties)))
    analyst.post(ALL, contract())

    answer = analyst.get(address("/comparison")).json()

    (item,) = answer["items"]
    assert (item["spec"], item["event"]) == ("sigil.telemetry", "step@1")
    assert [(each["kind"], each["path"]) for each in item["departures"]] == [
        ("other_type", "properties.step.type"),
        ("pii_unmarked", "properties.email"),
        ("unknown_property", "properties.more"),
    ]
    assert analyst.get(ALL).json()["items"][0]["eventCount"] == 1


def test_contracts_are_found_by_text_and_domain(analyst: Caller) -> None:
    for name, domain in (("order.placed", "shop"), ("order.paid", "shop"), ("step", "sigil")):
        body = contract(name)
        body["meta"]["domain"] = domain
        analyst.post(ALL, body)

    def names(**query: str) -> list[str]:
        return [item["name"] for item in analyst.get(ALL, query).json()["items"]]

    assert names() == ["order.paid", "order.placed", "step"]
    assert names(search="PLACED") == names(search="placed", domain="shop") == ["order.placed"]
    assert names(domain="shop", pageSize="1", page="2") == ["order.placed"]
    assert names(search="sigil") == ["step"]
    assert names(domain="") == names(search="100%") == []


def test_a_bad_document_is_refused_with_its_places(analyst: Caller) -> None:
    answers = [analyst.post(ALL, body) for body in ({}, {**contract(), "pii": ["phone"]}, contract(type="string"))]

    assert [code_of(answer) for answer in answers] == ["invalid_document"] * 3
    paths = [[error["path"] for error in answer.json()["errors"]] for answer in answers]
    assert paths == [["meta.name", "meta.version"], ["pii[0]"], ["payload.type"]]
    assert not EventSpecRecord.objects.exists()


def test_a_removal_names_the_contract_that_was_seen(analyst: Caller) -> None:
    analyst.post(ALL, contract())

    answer = analyst.post(address("/remove"), {"expectedChecksum": "0" * 64})

    assert (answer.status_code, code_of(answer)) == (409, "conflict")
    assert EventSpecRecord.objects.exists()


@pytest.mark.parametrize(
    ("role", "reads", "writes"), [(None, 403, 403), (Role.VIEWER, 200, 403), (Role.ANALYST, 200, 200)]
)
def test_everybody_reads_and_who_edits_specs_writes(
    analyst: Caller, role: Role | None, reads: int, writes: int
) -> None:
    checksum = analyst.post(ALL, contract()).json()["checksum"]
    caller = caller_with_role(role)

    for path in (ALL, address(), address("/comparison")):
        assert caller.get(path).status_code == reads
    assert caller.post(ALL, contract()).status_code == writes
    assert caller.post(address("/remove"), {"expectedChecksum": checksum}).status_code == writes


def test_what_is_not_there_is_not_found(analyst: Caller) -> None:
    before = everything_stored()

    answers = [analyst.get(f"{ALL}/9"), analyst.get(f"{ALL}/9/comparison")]
    answers.append(analyst.post(f"{ALL}/9/remove", {"expectedChecksum": "0" * 64}))

    assert {code_of(answer) for answer in answers} == {"not_found"}
    assert everything_stored()["telemetry.EventSpecRecord"] == before["telemetry.EventSpecRecord"]


def test_the_list_costs_two_queries_however_many_contracts(analyst: Caller) -> None:
    analyst.post(ALL, contract())
    few = cost_of(analyst, ALL)
    for number in range(8):
        analyst.post(ALL, contract(f"other{number}"))

    assert few == cost_of(analyst, ALL) == 2
