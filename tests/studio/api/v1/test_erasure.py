"""Erasure requests over HTTP: entered, counted, confirmed, and seen by nobody whom they do not concern."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from pytest_django import Settings

from telemetry.models import ErasureRequest, StoredEvent
from telemetry.services.holds import place_hold
from telemetry.stores.live import connect, live_stream
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of, signed_in
from tests.telemetry.factories import everything_stored, ingest, make_provider
from tests.telemetry.services.erasure.person import PERSON, about, finish, make_shop, prepare, pseudonyms_of
from tests.tenants.factories import make_membership, make_user

pytestmark = pytest.mark.django_db

ERASURES = "/api/v1/erasure-requests"


@pytest.fixture(autouse=True)
def servers(redis_url: str, settings: Settings) -> Iterator[None]:
    settings.REDIS_URL = redis_url
    live_stream.cache_clear()
    yield
    live_stream.cache_clear()
    with connect(redis_url) as client:
        client.flushdb()


@pytest.fixture
def shop() -> Installation:
    prepare()
    found = make_shop("acme")
    ingest(found, about(), about(), about("somebody else"))
    return found


def work() -> None:
    with tenant_context(ALL):
        requests = list(ErasureRequest.objects.all())
    for request in requests:
        finish(request)
        # What was confirmed by the first round waits until every process knows of it.
        finish(request, after=timedelta(seconds=15))


def enter(caller: Caller, **body: Any) -> Any:
    return caller.post(ERASURES, {"subjects": [PERSON], **body})


def test_a_person_is_counted_confirmed_and_gone(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER, shop.tenant)

    entered = enter(officer, reference="DSR-2041")
    assert entered.status_code == 201
    [item] = entered.json()["requests"]
    assert (item["tenant"], item["state"], item["reference"], item["keys"]) == ("acme", "counting", "DSR-2041", 1)
    place = f"{ERASURES}/{item['id']}"

    work()
    counted = officer.get(place).json()
    assert counted["state"] == "ready"
    where = {"installation": str(shop.public_id), "event": "shop.order"}
    assert counted["found"] == [{"place": "store", **where, "rows": 2}, {"place": "tallies", **where, "rows": 1}]

    confirmed = officer.post(f"{place}/confirm", {})
    assert (confirmed.status_code, confirmed.json()["state"]) == (200, "erasing")
    work()
    done = officer.get(place).json()
    assert (done["state"], done["erased"], done["left"], done["receipt"]) == ("done", counted["found"], [], 1)
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 1


def test_no_answer_names_the_person(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER, shop.tenant)

    answers = [enter(officer), officer.get(ERASURES)]
    work()
    answers.append(officer.get(ERASURES))

    texts = "".join(answer.content.decode() for answer in answers)
    assert not any(name in texts for name in (PERSON, *pseudonyms_of(shop.tenant)))


@pytest.mark.parametrize(
    ("subjects", "code"),
    [
        ([], "empty"),
        ([""], "empty"),
        (["   "], "empty"),
        (["%"], "empty"),
        (["*"], "empty"),
        (["???"], "empty"),
        (["_"], "empty"),
        (["user%"], "wildcard"),
        (["user*"], "wildcard"),
        (["*@example.com"], "wildcard"),
        (["a\nb"], "bad_character"),
        (["a\u0000b"], "bad_character"),
        (["x" * 513], "too_long"),
        (["p1_" + "x" * 22], "pseudonym"),
        (["a"] * 21, "too_long"),
    ],
)
def test_what_is_no_id_is_refused_and_not_repeated(shop: Installation, subjects: list[str], code: str) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER, shop.tenant)
    officer.get(ERASURES)
    before = everything_stored()

    answer = enter(officer, subjects=subjects)

    assert answer.status_code == 400
    assert code in [error["code"] for error in answer.json()["errors"]]
    assert everything_stored() == before


def test_an_id_with_an_encoded_character_is_an_id(shop: Installation) -> None:
    assert enter(caller_with_role(Role.PRIVACY_OFFICER), subjects=["user%40example.com"]).status_code == 201


@pytest.mark.parametrize("reference", [f"for {PERSON}", PERSON, "Jane Doe", "<b>"])
def test_a_reference_is_no_place_for_a_name(shop: Installation, reference: str) -> None:
    answer = enter(caller_with_role(Role.PRIVACY_OFFICER), reference=reference)

    assert answer.status_code == 400
    assert [error["path"] for error in answer.json()["errors"]] == ["reference"]
    assert PERSON not in answer.content.decode()


def test_a_request_reaches_the_tenants_of_the_officer_and_no_others(shop: Installation) -> None:
    other = make_shop("globex")
    ingest(other, about())
    officer = caller_with_role(Role.PRIVACY_OFFICER, shop.tenant)

    mine = enter(officer)
    theirs = enter(officer, tenants=["globex"])
    unknown = enter(officer, tenants=["nobody"])

    assert [item["tenant"] for item in mine.json()["requests"]] == ["acme"]
    assert (theirs.status_code, unknown.status_code) == (400, 400)
    assert theirs.json() == {**unknown.json(), "requestId": theirs.json().get("requestId")} or (
        theirs.json()["errors"] == unknown.json()["errors"]
    )
    with tenant_context(ALL):
        assert ErasureRequest.objects.filter(tenant=other.tenant).count() == 0


def test_anothers_request_is_not_there(shop: Installation) -> None:
    other = make_shop("globex")
    theirs = enter(caller_with_role(Role.PRIVACY_OFFICER, other.tenant)).json()["requests"][0]["id"]
    officer = caller_with_role(Role.PRIVACY_OFFICER, shop.tenant)
    work()
    before = everything_stored()["telemetry.ErasureRequest"]

    answers = [
        officer.get(f"{ERASURES}/{theirs}"),
        *(officer.post(f"{ERASURES}/{theirs}/{deed}", {}) for deed in ("confirm", "cancel", "retry-providers")),
    ]

    assert [answer.status_code for answer in answers] == [404] * 4
    assert officer.get(ERASURES).json()["total"] == 0
    assert everything_stored()["telemetry.ErasureRequest"] == before


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PUBLISHER])
def test_who_is_no_officer_neither_enters_nor_sees(shop: Installation, role: Role) -> None:
    work()
    caller = caller_with_role(role, shop.tenant)

    assert (enter(caller).status_code, caller.get(ERASURES).status_code) == (403, 403)


def test_an_analyst_at_one_tenant_who_is_officer_at_another_searches_there_alone(shop: Installation) -> None:
    make_shop("globex")
    officer = caller_with_role(Role.PRIVACY_OFFICER, shop.tenant)

    assert enter(officer, tenants=["acme", "globex"]).status_code == 400


def test_it_cannot_be_confirmed_twice_or_before_it_is_counted(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    place = f"{ERASURES}/{enter(officer).json()['requests'][0]['id']}"

    early = officer.post(f"{place}/confirm", {})
    work()
    first, second = officer.post(f"{place}/confirm", {}), officer.post(f"{place}/confirm", {})

    assert [each.status_code for each in (early, first, second)] == [409, 200, 409]
    assert code_of(early) == "conflict"


def test_a_hold_is_told_and_stops_it(shop: Installation) -> None:
    with tenant_context(ALL):
        place_hold(actor=SYSTEM, tenant=shop.tenant, reason="Case 12")
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    place = f"{ERASURES}/{enter(officer, isConfirmed=True).json()['requests'][0]['id']}"
    work()

    refused = officer.post(f"{place}/confirm", {})

    assert refused.status_code == 409
    assert "legal hold" in refused.json()["detail"]
    assert "legal hold" in officer.get(place).json()["heldBy"]
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 3


def test_what_is_confirmed_ahead_needs_no_second_call(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    place = f"{ERASURES}/{enter(officer, isConfirmed=True).json()['requests'][0]['id']}"

    work()

    assert officer.get(place).json()["state"] == "done"


def test_another_studio_names_the_person_by_its_own_pseudonyms(shop: Installation) -> None:
    theirs = pseudonyms_of(shop.tenant)
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    body = {"subjects": [], "pseudonyms": theirs, "isConfirmed": True}
    place = f"{ERASURES}/{enter(officer, **body).json()['requests'][0]['id']}"

    work()

    assert officer.get(place).json()["erased"][0]["rows"] == 2
    assert enter(officer, subjects=[], pseudonyms=["no pseudonym"]).status_code == 400


def test_a_request_that_is_let_go_erases_nothing(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    place = f"{ERASURES}/{enter(officer).json()['requests'][0]['id']}"

    answer = officer.post(f"{place}/cancel", {})
    work()

    assert (answer.status_code, officer.get(place).json()["state"]) == (200, "cancelled")
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 3


def test_the_list_is_narrowed_down_by_tenant_case_and_state(shop: Installation) -> None:
    make_shop("globex")
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    case = enter(officer).json()["case"]
    enter(officer, tenants=["acme"])

    totals = [
        officer.get(ERASURES, query).json()["total"]
        for query in ({}, {"case": case}, {"tenant": "globex"}, {"state": "counting"}, {"state": "done"})
    ]

    assert totals == [3, 2, 1, 3, 0]


def test_a_long_list_costs_no_more_queries_than_a_short_one(shop: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    enter(officer)
    work()
    short = cost_of(officer, ERASURES)

    for _ in range(5):
        enter(officer)
    work()

    assert cost_of(officer, ERASURES) == short


def test_how_a_provider_is_told_takes_a_login_and_a_kind_that_needs_it(shop: Installation) -> None:
    hook = make_provider(shop)
    user = make_user()
    make_membership(user, Role.ADMIN, shop.tenant)
    admin = signed_in(user)
    place = f"/api/v1/providers/{hook.public_id}/erasure-access"

    assert admin.put(place, {"settings": {}, "credential": "x"}).status_code == 409
    assert caller_with_role(Role.ADMIN, shop.tenant).put(place, {"credential": "x"}).status_code == 403
    assert caller_with_role(Role.ADMIN, make_shop("globex").tenant).put(place, {"credential": "x"}).status_code == 404
