"""Access exports over HTTP: asked for, collected, downloaded, and gone."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from django.utils import timezone
from pytest_django import Settings

from studio.api.v1.access.serializers import AccessDocument
from telemetry.models import AccessExport, AccessPart
from telemetry.services.access.collecting import collect
from telemetry.services.access.requests import expire_exports
from telemetry.stores.live import live_stream
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, cost_of
from tests.telemetry.factories import ingest
from tests.telemetry.services.erasure.person import (
    PERSON,
    about,
    confirm,
    finish,
    make_shop,
    prepare,
    pseudonyms_of,
)
from tests.telemetry.services.erasure.person import enter as enter_erasure

pytestmark = pytest.mark.django_db

EXPORTS = "/api/v1/access-exports"


@pytest.fixture(autouse=True)
def servers(redis_url: str, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = redis_url
    settings.STUDIO_QUARANTINE_KEYS = ["a secret of the tests"]
    settings.STUDIO_CREDENTIAL_KEYS = ["another secret of the tests"]
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()


@pytest.fixture
def shop() -> Installation:
    prepare()
    found = make_shop("acme")
    ingest(found, about(), about(), about("somebody else"), about(properties={}))
    return found


def work() -> None:
    with tenant_context(ALL):
        exports = list(AccessExport.objects.values_list("pk", flat=True))
    for each in exports:
        while collect(each):
            pass


def ask(caller: Caller, **body: Any) -> Any:
    return caller.post(EXPORTS, {"subjects": [PERSON], **body})


def downloaded(caller: Caller, place: str) -> Any:
    answer = caller.get(f"{place}/file")
    assert answer.status_code == 200
    assert answer["Content-Disposition"].startswith('attachment; filename="access-')
    return json.loads(b"".join(answer.streaming_content))


def test_an_export_holds_what_is_stored_and_held_of_the_person_and_nothing_else(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER, shop.tenant)
    place = f"{EXPORTS}/{ask(officer, reference='DSR-7').json()['exports'][0]['id']}"
    assert officer.get(f"{place}/file").status_code == 409

    work()

    item = officer.get(place).json()
    assert (item["state"], item["events"], item["reference"]) == ("ready", 3, "DSR-7")
    document = downloaded(officer, place)
    assert msgspec.convert(document, AccessDocument).event_count == 3
    assert (document["tenant"], document["eventCount"]) == ("acme", 3)
    assert [event["place"] for event in document["events"]] == ["store", "store", "quarantine"]
    stored = document["events"][0]
    assert (stored["event"], stored["environment"], stored["properties"]) == (
        "shop.order",
        "production",
        {"orderId": "o-1"},
    )
    assert stored["context"]["userId"] == pseudonyms_of(shop.tenant)[0]
    assert document["events"][2]["sent"]["context"]["userId"] == PERSON
    assert "somebody else" not in json.dumps(document)


def test_each_download_is_counted_and_in_the_audit_trail(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    place = f"{EXPORTS}/{ask(officer).json()['exports'][0]['id']}"
    work()

    downloaded(officer, place)
    downloaded(officer, place)

    assert officer.get(place).json()["downloads"] == 2
    with tenant_context(ALL):
        actions = list(AuditEntry.objects.filter(action__startswith="access.").order_by("id"))
    assert [entry.action for entry in actions] == [
        "access.requested",
        "access.collected",
        "access.downloaded",
        "access.downloaded",
    ]
    assert PERSON not in "".join(json.dumps(entry.details) for entry in actions)


def test_what_is_kept_of_an_export_cannot_be_read_in_the_database(shop: Installation) -> None:
    ask(caller_with_role(Role.PRIVACY_OFFICER))
    work()

    with tenant_context(ALL):
        [part] = AccessPart.objects.filter(number=0)
    assert b"shop.order" not in bytes(part.sealed)


def test_an_export_is_gone_after_its_days(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    place = f"{EXPORTS}/{ask(officer).json()['exports'][0]['id']}"
    work()

    assert expire_exports(now=timezone.now() + timedelta(days=8)) == 1
    assert expire_exports(now=timezone.now() + timedelta(days=8)) == 0

    assert officer.get(f"{place}/file").status_code == 409
    assert officer.get(place).json()["state"] == "expired"
    with tenant_context(ALL):
        assert AccessPart.objects.count() == 0
        assert AccessExport.objects.get().pseudonyms == []


def test_an_erasure_takes_the_export_with_it(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    place = f"{EXPORTS}/{ask(officer).json()['exports'][0]['id']}"
    work()

    [request] = enter_erasure(shop.tenant)
    confirm(request)
    finish(request)

    assert ["exports", 0, "", 3] in request.erased
    assert officer.get(place).json()["state"] == "expired"
    with tenant_context(ALL):
        assert AccessPart.objects.count() == 0


def test_collecting_in_many_steps_collects_each_event_once(shop: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.access.collecting.STEP_SECONDS", 0.0)
    monkeypatch.setattr("telemetry.services.access.collecting.PART", 1)
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    place = f"{EXPORTS}/{ask(officer).json()['exports'][0]['id']}"

    work()

    events = downloaded(officer, place)["events"]
    assert len({event["id"] for event in events}) == len(events) == 3


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PUBLISHER])
def test_who_is_no_officer_neither_asks_nor_sees(shop: Installation, role: Role) -> None:
    place = f"{EXPORTS}/{ask(caller_with_role(Role.PRIVACY_OFFICER)).json()['exports'][0]['id']}"
    work()
    caller = caller_with_role(role, shop.tenant)

    answers = [ask(caller), caller.get(EXPORTS), caller.get(place), caller.get(f"{place}/file")]

    assert [answer.status_code for answer in answers] == [403, 403, 404, 404]


def test_anothers_export_is_not_there(shop: Installation) -> None:
    other = make_shop("globex")
    theirs = ask(caller_with_role(Role.PRIVACY_OFFICER, other.tenant)).json()["exports"][0]["id"]
    work()
    officer = caller_with_role(Role.PRIVACY_OFFICER, shop.tenant)

    answers = [officer.get(f"{EXPORTS}/{theirs}"), officer.get(f"{EXPORTS}/{theirs}/file")]

    assert [answer.status_code for answer in answers] == [404, 404]
    assert officer.get(EXPORTS).json()["total"] == 0


def test_without_a_secret_nothing_is_collected(shop: Installation, settings: Settings) -> None:
    settings.STUDIO_CREDENTIAL_KEYS = []

    answer = ask(caller_with_role(Role.PRIVACY_OFFICER))

    assert answer.status_code == 400
    assert "STUDIO_CREDENTIAL_KEYS" in answer.json()["detail"]


def test_a_long_list_costs_no_more_queries_than_a_short_one(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    ask(officer)
    short = cost_of(officer, EXPORTS)

    for _ in range(5):
        ask(officer)

    assert cost_of(officer, EXPORTS) == short
