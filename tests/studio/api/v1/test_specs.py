"""Specs as a list, one by one, and new ones."""

import json
from typing import Any

import pytest
from django.test import Client

from telemetry.core.codec import encode_spec, spec_to_yaml
from telemetry.models import SpecRecord
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry
from tenants.roles import Role
from tests.core.builders import make_sigil_spec, make_spec
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of, signed_in
from tests.telemetry.factories import everything_stored, make_draft, make_installation, make_published
from tests.tenants.factories import make_key, make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db

SPECS = "/api/v1/specs"


@pytest.fixture
def viewer() -> Caller:
    return caller_with_role(Role.VIEWER)


@pytest.fixture
def analyst() -> Caller:
    return caller_with_role(Role.ANALYST)


def names_of(answer: Any) -> list[str]:
    return [item["name"] for item in answer.json()["items"]]


# The list


def test_the_list_tells_the_state_of_each_draft(viewer: Caller) -> None:
    make_published()
    make_draft(make_spec(name="billing"))

    answer = viewer.get(SPECS)

    assert answer.status_code == 200
    body = answer.json()
    assert {key: body[key] for key in ("page", "pageSize", "total")} == {"page": 1, "pageSize": 25, "total": 2}
    billing, sigil = body["items"]
    assert (billing["name"], billing["publishedVersion"], billing["publishedAt"]) == ("billing", None, None)
    assert (sigil["name"], sigil["publishedVersion"], sigil["draftVersion"]) == ("sigil.telemetry", 1, 2)
    assert sigil["publishedAt"].endswith("Z")
    assert sigil["eventCount"] == 1


def test_the_list_comes_in_pages(viewer: Caller) -> None:
    for name in ("a", "b", "c"):
        make_draft(make_spec(name=name))

    first = viewer.get(SPECS, {"pageSize": 2})
    second = viewer.get(SPECS, {"pageSize": 2, "page": 2})
    beyond = viewer.get(SPECS, {"pageSize": 2, "page": 3})

    assert (names_of(first), names_of(second), names_of(beyond)) == (["a", "b"], ["c"], [])
    assert first.json()["total"] == second.json()["total"] == beyond.json()["total"] == 3


@pytest.mark.parametrize(
    ("order", "names"),
    [
        ("name", ["a", "b", "c"]),
        ("-name", ["c", "b", "a"]),
        ("updatedAt", ["b", "a", "c"]),
        ("-updatedAt", ["c", "a", "b"]),
    ],
)
def test_the_list_comes_in_the_order_that_is_asked_for(viewer: Caller, order: str, names: list[str]) -> None:
    for name in ("b", "a", "c"):
        make_draft(make_spec(name=name))

    assert names_of(viewer.get(SPECS, {"order": order})) == names


@pytest.mark.parametrize(
    ("search", "names"),
    [("TELE", ["sigil.telemetry"]), ("billing", ["billing"]), ("%", []), ("_", []), ("' OR 1=1 --", []), ("\\", [])],
)
def test_search_takes_its_text_as_it_is(viewer: Caller, search: str, names: list[str]) -> None:
    make_draft()
    make_draft(make_spec(name="billing"))
    SpecRecord.objects.filter(name="billing").update(title="Money")

    assert names_of(viewer.get(SPECS, {"search": search})) == names


def test_search_finds_titles(viewer: Caller) -> None:
    make_draft(make_spec(name="billing"))
    SpecRecord.objects.filter(name="billing").update(title="Money and more")

    assert names_of(viewer.get(SPECS, {"search": "money"})) == ["billing"]


@pytest.mark.parametrize(
    "query",
    [
        "name=a",
        "owner__password__startswith=a",
        "versions__document__contains=a",
        "order=versions__document",
        "order=draft_revision",
        "order=name,-name",
        "order=name);--",
        "pageSize=0",
        "pageSize=101",
        "page=0",
        "page=9223372036854775808",
        "cursor=abc",
        "search=%00",
        "search=" + "a" * 129,
        "format=api",
    ],
)
def test_the_list_refuses_what_it_does_not_know(viewer: Caller, query: str) -> None:
    answer = viewer.get(f"{SPECS}?{query}")

    assert answer.status_code == 400
    assert code_of(answer) == "invalid_query"
    [error] = answer.json()["errors"]
    assert error["path"] == query.partition("=")[0]


def test_the_list_costs_two_queries_however_many_specs(viewer: Caller) -> None:
    for number in range(20):
        make_draft(make_spec(name=f"b{number}"))

    assert cost_of(viewer, SPECS) == 2


# One


def test_one_spec_is_shown_by_name(viewer: Caller) -> None:
    make_published()

    answer = viewer.get(f"{SPECS}/sigil.telemetry")

    assert answer.status_code == 200
    assert answer.json() == viewer.get(SPECS).json()["items"][0]
    assert answer["Cache-Control"] == "private, no-cache"


@pytest.mark.parametrize("name", ["unknown", "Sigil.telemetry", "%00", "a%2Fb", "..", "%252e%252e", "a" * 129, "a b"])
def test_a_spec_that_does_not_exist_is_not_found(viewer: Caller, name: str) -> None:
    make_published()

    answer = viewer.get(f"{SPECS}/{name}")

    assert answer.status_code == 404
    assert code_of(answer) in ("unknown_spec", "unknown_address")


def test_one_spec_costs_one_query(viewer: Caller) -> None:
    make_published()

    assert cost_of(viewer, f"{SPECS}/sigil.telemetry") == 1


# A new one


def test_a_new_spec_is_a_draft(analyst: Caller) -> None:
    answer = analyst.send("POST", SPECS, encode_spec(make_sigil_spec()))

    assert answer.status_code == 201
    assert answer["Location"] == f"{SPECS}/sigil.telemetry"
    assert answer["ETag"] == '"1"'
    body = answer.json()
    assert (body["name"], body["draftVersion"], body["publishedVersion"]) == ("sigil.telemetry", 1, None)
    assert analyst.get(f"{SPECS}/sigil.telemetry/draft").content == encode_spec(make_sigil_spec())
    assert {**analyst.get(answer["Location"]).json(), "lint": body["lint"]} == body


@pytest.mark.parametrize("content_type", ["application/yaml", "application/yaml; charset=utf-8"])
def test_a_new_spec_may_be_yaml(analyst: Caller, content_type: str) -> None:
    answer = analyst.send("POST", SPECS, spec_to_yaml(make_sigil_spec()).encode(), content_type)

    assert answer.status_code == 201
    assert analyst.get(f"{SPECS}/sigil.telemetry/draft").content == encode_spec(make_sigil_spec())


def test_a_byte_order_mark_is_passed_over(analyst: Caller) -> None:
    assert analyst.send("POST", SPECS, b"\xef\xbb\xbf" + encode_spec(make_sigil_spec())).status_code == 201


def test_markup_in_texts_is_text(analyst: Caller) -> None:
    document = json.loads(encode_spec(make_sigil_spec()))
    document["meta"]["title"] = "<script>alert(1)</script> {{ 7*7 }} =cmd|' /C calc'!A0"

    answer = analyst.post(SPECS, document)

    assert answer.status_code == 201
    assert answer.json()["title"] == document["meta"]["title"]
    assert answer["X-Content-Type-Options"] == "nosniff"


def test_every_broken_rule_is_named_with_its_path(analyst: Caller) -> None:
    document = json.loads(encode_spec(make_sigil_spec()))
    document["events"][0]["sampling"] = {"rate": 7.5}
    document["events"][0]["retention"] = {"days": -1}
    document["unknown"] = 1
    before = everything_stored()

    answer = analyst.post(SPECS, document)

    assert answer.status_code == 400
    assert code_of(answer) == "invalid_document"
    found = {(error["path"], error["code"]) for error in answer.json()["errors"]}
    assert found == {
        ("events[0].sampling.rate", "out_of_range"),
        ("events[0].retention.days", "out_of_range"),
        ("unknown", "unknown_key"),
    }
    assert everything_stored() == before


def test_a_name_can_be_taken_once(analyst: Caller) -> None:
    make_draft()
    before = everything_stored()

    answer = analyst.send("POST", SPECS, encode_spec(make_sigil_spec()))

    assert answer.status_code == 409
    assert code_of(answer) == "duplicate_spec"
    assert everything_stored() == before


# Who may


def test_nobody_is_anonymous() -> None:
    for method in ("GET", "POST"):
        answer = Caller().send(method, SPECS, encode_spec(make_sigil_spec()))
        assert answer.status_code == 401
        assert answer["WWW-Authenticate"] == 'Bearer realm="telemetry-studio"'
    assert not SpecRecord.objects.exists()


def test_a_viewer_reads_and_a_denied_write_leaves_only_a_trace(viewer: Caller) -> None:
    before = everything_stored()

    answer = viewer.send("POST", SPECS, encode_spec(make_sigil_spec()), X_Request_ID="request-7")

    assert answer.status_code == 403
    assert code_of(answer) == "not_allowed"
    after = everything_stored()
    [entry] = [row for row in after["tenants.AuditEntry"] if row not in before["tenants.AuditEntry"]]
    assert (entry["action"], entry["target_id"], entry["request_id"]) == ("access.denied", "spec.edit", "request-7")
    del before["tenants.AuditEntry"], after["tenants.AuditEntry"]
    assert after == before


def test_denied_reading_leaves_no_trace() -> None:
    nobody = caller_with_role(None)
    before = everything_stored()

    assert nobody.get(SPECS).status_code == 403
    assert everything_stored()["tenants.AuditEntry"] == before["tenants.AuditEntry"]


def test_a_role_in_one_tenant_is_enough_to_read_and_not_to_write() -> None:
    make_published()
    local = caller_with_role(Role.ADMIN, make_tenant())

    assert names_of(local.get(SPECS)) == ["sigil.telemetry"]
    assert local.send("POST", SPECS, encode_spec(make_spec(name="other"))).status_code == 403


def test_the_key_of_an_app_manages_nothing() -> None:
    make_published()
    app = Caller(key=make_key(make_installation()).text)

    assert app.get(SPECS).status_code == 403
    assert app.send("POST", SPECS, encode_spec(make_spec(name="other"))).status_code == 403


# In a browser


def test_a_person_who_is_signed_in_reads_and_writes() -> None:
    user = make_user()
    make_membership(user, Role.ANALYST)
    browser = signed_in(user)

    created = browser.send("POST", SPECS, encode_spec(make_sigil_spec()))

    assert created.status_code == 201
    assert names_of(browser.get(SPECS)) == ["sigil.telemetry"]


def test_a_write_in_a_session_needs_the_token_against_foreign_sites() -> None:
    user = make_user(is_superuser=True)
    browser = signed_in(user, enforce_csrf_checks=True)
    before = everything_stored()

    answer = browser.send("POST", SPECS, encode_spec(make_sigil_spec()))

    assert answer.status_code == 403
    assert code_of(answer) == "cross_site_request"
    assert everything_stored() == before


def test_with_the_token_the_write_goes_through() -> None:
    browser = signed_in(make_user(is_superuser=True), enforce_csrf_checks=True)
    token = "t" * 32
    browser.client.cookies["csrftoken"] = token

    answer = browser.send("POST", SPECS, encode_spec(make_sigil_spec()), X_CSRFToken=token)

    assert answer.status_code == 201


def test_a_write_denied_to_a_person_who_is_signed_in_leaves_a_trace() -> None:
    user = make_user()
    make_membership(user, Role.VIEWER)

    answer = signed_in(user).send("POST", SPECS, encode_spec(make_sigil_spec()))

    assert answer.status_code == 403
    with tenant_context(ALL):
        entry = AuditEntry.objects.get(action="access.denied")
    assert (entry.actor_id, entry.target_label) == (str(user.pk), "spec.edit")


@pytest.mark.parametrize(
    "content_type", ["application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/plain"]
)
def test_a_form_of_a_foreign_site_is_refused(content_type: str) -> None:
    browser = signed_in(make_user(is_superuser=True), enforce_csrf_checks=True)

    answer = browser.send("POST", SPECS, encode_spec(make_sigil_spec()), content_type)

    assert answer.status_code in (400, 403)
    assert not SpecRecord.objects.exists()


def test_a_session_that_ended_is_nobody() -> None:
    client = Client()
    client.force_login(make_user(is_superuser=True))
    client.logout()

    assert Caller(client=client).get(SPECS).status_code == 401


def test_an_inactive_person_is_nobody() -> None:
    user = make_user(is_superuser=True)
    browser = signed_in(user)
    user.is_active = False
    user.save()

    assert browser.get(SPECS).status_code == 401
    assert not AuditEntry.objects.filter(action="access.denied").exists()
