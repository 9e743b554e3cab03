"""Contracts of events in the browser: imported, read beside what measures them, taken out."""

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from telemetry.formats.event_specs import GivenMeta
from telemetry.models import EventSpecRecord
from telemetry.services.event_specs import import_event_spec
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_spec
from tests.studio.visitors import actions, assert_denied, assert_refused, roles_without, text_of, visitor
from tests.telemetry.factories import make_draft
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db

LIST = "/studio/event-specs/"
NEW = f"{LIST}add/"
PROPERTIES = {"step": {"type": "string", "description": "Which step."}, "email": {"type": ["string", "null"]}}
SCHEMA = {"type": "object", "required": ["step"], "properties": PROPERTIES}


def contract(name: str = "step", **meta: Any) -> str:
    meta = {"name": name, "version": 1, "domain": "sigil", **meta}
    return json.dumps({"meta": meta, "payload": SCHEMA, "pii": ["email"]})


def stored(name: str = "step", **meta: Any) -> EventSpecRecord:
    with tenant_context(ALL):
        return import_event_spec(actor=SYSTEM, document=contract(name, **meta), given=GivenMeta()).record


def page(record: EventSpecRecord, name: str = "change") -> str:
    return f"{LIST}{record.pk}/{name}/"


# Import


@pytest.mark.parametrize("way", ["file", "text"])
def test_a_contract_is_imported_and_shown(way: str) -> None:
    asked = visitor(Role.ANALYST)
    entries = {way: contract() if way == "text" else SimpleUploadedFile("step.json", contract().encode())}

    response = asked.post(NEW, entries)

    record = EventSpecRecord.objects.get()
    assert (response.status_code, response["Location"]) == (302, page(record))
    assert "The EventSpec step@1 was added." in text_of(asked.get(response["Location"]))
    assert actions() == ["event_spec.added"]


def test_a_schema_takes_its_name_from_the_form() -> None:
    asked = visitor(Role.ANALYST)

    asked.post(NEW, text=json.dumps(SCHEMA), name="Order Placed", version="2", domain="shop", pii="email\nstep")

    record = EventSpecRecord.objects.get()
    assert (str(record), record.domain) == ("Order Placed@2", "shop")
    assert json.loads(record.document)["pii"] == ["email", "step"]


def test_what_is_wrong_stands_beside_its_field() -> None:
    asked = visitor(Role.ANALYST)

    nameless = assert_refused(lambda: asked.post(NEW, text=json.dumps(SCHEMA)))
    unknown = assert_refused(lambda: asked.post(NEW, text=json.dumps(SCHEMA), name="a", version="1", pii="phone"))
    broken = assert_refused(lambda: asked.post(NEW, text='{"properties": 1}', name="a", version="1"))

    assert nameless == {"name": ["Is required"], "version": ["Is required"]}
    assert unknown == {"pii": ["The payload has no such property"]}
    assert broken == {"__all__": ["properties: must be an object: schemas by name"]}


def test_importing_again_says_what_it_did() -> None:
    stored()
    asked = visitor(Role.ANALYST)

    same = text_of(asked.get(asked.post(NEW, text=contract())["Location"]))
    other = text_of(asked.get(asked.post(NEW, text=contract(title="A step"))["Location"]))

    assert "The EventSpec step@1 says what it said before." in same
    assert "The EventSpec step@1 was replaced." in other


# One beside what measures it


def test_the_page_shows_payload_personal_data_and_departures() -> None:
    properties = {"step": make_property("number"), "email": make_property(pii=True)}
    draft = make_draft(make_spec(make_event("step", properties=properties)))
    matching = {"step": make_property(), "email": make_property(pii=True)}
    make_draft(make_spec(make_event("step", properties=matching), name="other"))

    response = visitor(Role.VIEWER, make_tenant()).get(page(stored()))

    text = text_of(response)
    assert "step is number, where the EventSpec has string" in text
    assert "The event measures what the contract says." in text
    assert "step string with every event no Which step." in text
    assert "email string no personpersonal" in text
    assert f"/studio/events/{draft.events.get().pk}/change/" in response.content.decode()


def test_a_contract_that_nobody_measures_says_so() -> None:
    record = stored()
    asked = visitor(Role.VIEWER)

    assert "nobody measures it" in text_of(asked.get(page(record)))
    assert "no event" in text_of(asked.get(LIST))


def test_the_download_is_the_stored_document() -> None:
    record = stored()

    response = visitor(Role.VIEWER).get(page(record, "json"))

    assert response.content == record.document_bytes
    assert response["Content-Disposition"] == 'attachment; filename="step-1.event-spec.json"'


def test_the_list_is_searched_and_narrowed_down() -> None:
    stored("order.placed", domain="shop", title="Placed")
    stored("step")
    asked = visitor(Role.VIEWER)

    assert "order.placed@1" in text_of(asked.get(LIST, q="placed"))
    assert "step@1" not in text_of(asked.get(LIST, q="placed"))
    assert "order.placed@1" not in text_of(asked.get(f"{LIST}?domain=sigil"))


def test_a_longer_list_takes_as_many_queries() -> None:
    stored()
    asked = visitor(Role.VIEWER)
    asked.cost_of(LIST)
    few = asked.cost_of(LIST)
    for number in range(5):
        stored(f"other{number}")

    assert asked.cost_of(LIST) == few


# The end of one


def test_a_contract_is_removed_after_somebody_was_asked() -> None:
    record = stored()
    asked = visitor(Role.ANALYST)

    question = asked.get(page(record, "remove"))
    response = asked.post(page(record, "remove"), question.context["hidden"])

    assert "Lint compares events called step@1 with no contract any more." in text_of(question)
    assert (response.status_code, response["Location"]) == (302, LIST)
    assert not EventSpecRecord.objects.exists()
    assert actions()[-1] == "event_spec.removed"


def test_a_contract_that_was_imported_anew_meanwhile_stays() -> None:
    record = stored()
    asked = visitor(Role.ANALYST)
    question = asked.get(page(record, "remove"))
    stored(title="Else")

    asked.post(page(record, "remove"), question.context["hidden"])

    assert EventSpecRecord.objects.get().title == "Else"


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_specs_only_reads(role: Role) -> None:
    record = stored()
    asked = visitor(role)

    assert {asked.get(address).status_code for address in (LIST, page(record), page(record, "json"))} == {200}
    assert_denied("spec.edit", lambda: asked.post(NEW, text=contract("other")))
    assert_denied("spec.edit", lambda: asked.post(page(record, "remove"), checksum=record.checksum))


def test_somebody_without_a_role_reads_nothing() -> None:
    record, asked = stored(), visitor()

    assert {asked.get(address).status_code for address in (LIST, page(record), page(record, "json"))} == {403}


@pytest.mark.parametrize("key", ["99", "x", "9" * 30])
def test_what_is_not_there_is_not_found(key: str) -> None:
    assert visitor(Role.VIEWER).get(f"{LIST}{key}/change/").status_code == 404
