"""The catalog over HTTP, as pages and as a file."""

import csv
import io
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection

from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import Deprecation, Semantics, TelemetryMeta, TelemetrySpec
from tenants.roles import Role
from tests.core.builders import make_event
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import make_days, make_draft, make_installation, make_large_catalog, make_published
from tests.tenants.factories import make_key, make_tenant

pytestmark = pytest.mark.django_db

EVENTS = "/api/v1/events"
FILE = "/api/v1/events.csv"


@pytest.fixture
def shop() -> None:
    events = (
        make_event("order_completed", privacy=PrivacyLevel.PII, tags=("revenue",), owners=("@team.shop",)),
        make_event("order_cancelled", semantics=Semantics(what="=1+1"), deprecation=Deprecation(reason="Old")),
        make_event("signed_up", semantics=Semantics(what="A person who may order")),
    )
    meta = TelemetryMeta(name="shop", version=1, title="Shop", owners=("@team.all",))
    make_draft(TelemetrySpec(meta=meta, events=events))


def names(caller: Caller, **query: Any) -> list[str]:
    answer = caller.get(EVENTS, query)
    assert answer.status_code == 200
    return [item["name"] for item in answer.json()["items"]]


@pytest.mark.usefixtures("shop")
def test_an_event_is_found_with_all_that_a_list_shows() -> None:
    answer = caller_with_role(Role.VIEWER).get(EVENTS, {"search": "completed"})

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["page"], shown["pageSize"], shown["total"]) == (1, 25, 1)
    [item] = shown["items"]
    findings = item.pop("findingCount")
    assert findings is None or findings >= 0
    assert item == {
        "name": "order_completed",
        "version": 1,
        "what": "Step executed",
        "spec": "shop",
        "privacy": "pii",
        "owners": ["@team.shop"],
        "tags": ["revenue"],
        "stability": "experimental",
        "isDeprecated": False,
        "replacedBy": None,
        "reviewBy": None,
        "propertyCount": 3,
        "volume7Days": 0,
        "volume30Days": 0,
        "lastReceivedAt": None,
    }


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"search": "order"}, ["order_cancelled", "order_completed", "signed_up"]),
        ({"privacy": "pii,sensitive"}, ["order_completed"]),
        ({"owner": "@team.all", "deprecated": "0"}, ["signed_up"]),
        ({"tag": "revenue,other", "spec": "shop"}, ["order_completed"]),
        ({"stability": "experimental", "deprecated": "true"}, ["order_cancelled"]),
        ({"spec": ""}, ["order_cancelled", "order_completed", "signed_up"]),
        ({"order": "-name", "pageSize": "2"}, ["signed_up", "order_completed"]),
        ({"order": "-name", "pageSize": "2", "page": "2"}, ["order_cancelled"]),
        ({"search": "nothing"}, []),
    ],
)
@pytest.mark.usefixtures("shop")
def test_the_query_narrows_down(query: dict[str, str], found: list[str]) -> None:
    assert names(caller_with_role(Role.VIEWER), **query) == found


@pytest.mark.usefixtures("shop")
def test_facets_say_how_to_narrow_down_further() -> None:
    answer = caller_with_role(Role.VIEWER).get(EVENTS, {"privacy": "pii"})

    facets = {facet["parameter"]: facet for facet in answer.json()["facets"]}
    assert facets["privacy"] == {
        "parameter": "privacy",
        "values": [
            {"value": "internal", "events": 2, "isChosen": False},
            {"value": "pii", "events": 1, "isChosen": True},
        ],
        "more": 0,
    }
    assert facets["tag"]["values"] == [{"value": "revenue", "events": 1, "isChosen": False}]
    assert list(facets) == ["privacy", "spec", "owner", "tag", "stability", "hasFindings", "deprecated"]


@pytest.mark.parametrize("address", [EVENTS, FILE])
@pytest.mark.parametrize(
    ("query", "path"),
    [
        ({"privacy": "secret"}, "privacy[0]"),
        ({"stability": "stable,solid"}, "stability[1]"),
        ({"hasFindings": "maybe"}, "hasFindings"),
        ({"order": "password"}, "order"),
        ({"search": "a" * 201}, "search"),
        ({"search": "a\x00b"}, "search"),
        ({"tag": "a\x00b"}, "tag[0]"),
        ({"tag": ",".join("a" * 51)}, "tag"),
        ({"owner__id": "1"}, "owner__id"),
    ],
)
def test_a_bad_query_is_refused(address: str, query: dict[str, str], path: str) -> None:
    answer = caller_with_role(Role.VIEWER).get(address, query)

    assert (answer.status_code, code_of(answer)) == (400, "invalid_query")
    assert [error["path"] for error in answer.json()["errors"]] == [path]


@pytest.mark.usefixtures("shop")
def test_the_file_has_the_same_events_and_no_formula() -> None:
    answer = caller_with_role(Role.VIEWER).get(FILE, {"search": "order_", "order": "name"})

    assert answer.status_code == 200
    assert answer["Content-Type"] == "text/csv; charset=utf-8; header=present"
    assert answer["Content-Disposition"] == 'attachment; filename="events.csv"'
    assert answer["Cache-Control"] == "private, no-cache"
    rows = list(csv.reader(io.StringIO(answer.getvalue().decode(), newline="")))
    assert [row[:3] for row in rows] == [
        ["event", "version", "what"],
        ["order_cancelled", "1", "'=1+1"],
        ["order_completed", "1", "Step executed"],
    ]


@pytest.mark.parametrize("accepted", ["text/csv", "*/*", "text/*;q=0.5"])
def test_the_file_is_csv_whatever_else_is_accepted(accepted: str) -> None:
    assert caller_with_role(Role.VIEWER).get(FILE, Accept=accepted).status_code == 200


def test_who_accepts_no_csv_gets_none() -> None:
    answer = caller_with_role(Role.VIEWER).get(FILE, Accept="application/json")

    assert (answer.status_code, code_of(answer)) == (406, "not_acceptable")


@pytest.mark.parametrize("address", [EVENTS, FILE])
@pytest.mark.usefixtures("shop")
def test_everybody_with_a_role_reads_and_nobody_else(address: str) -> None:
    member = caller_with_role(Role.VIEWER, make_tenant())
    nobody = caller_with_role(None)

    assert member.get(address).status_code == 200
    assert (nobody.get(address).status_code, Caller().get(address).status_code) == (403, 401)


def test_the_key_of_an_app_does_not_open_the_catalog() -> None:
    make_published()
    app = Caller(key=make_key(make_installation()).text)

    assert [app.get(address).status_code for address in (EVENTS, FILE)] == [403, 403]


def test_more_events_cost_no_more_queries() -> None:
    viewer = caller_with_role(Role.VIEWER)
    make_draft(TelemetrySpec(meta=TelemetryMeta(name="a", version=1, title="A"), events=(make_event("one"),)))
    before = cost_of(viewer, EVENTS)
    make_large_catalog()

    assert before == cost_of(viewer, EVENTS) == cost_of(viewer, f"{EVENTS}?order=volume&search=thing") == 3


def test_an_event_says_how_much_of_it_came_and_when_last() -> None:
    event = make_event("one")
    make_draft(TelemetrySpec(meta=TelemetryMeta(name="a", version=1, title="A"), events=(event, make_event("two"))))
    make_days(make_installation(), [40, *[0] * 8, 2, 1], name="one")

    first, second = caller_with_role(Role.VIEWER).get(EVENTS, {"order": "volume"}).json()["items"]

    assert [first[key] for key in ("name", "volume7Days", "volume30Days")] == ["one", 3, 43]
    assert first["lastReceivedAt"].startswith(f"{datetime.now(UTC):%Y-%m-%d}")
    assert [second[key] for key in ("name", "volume7Days", "volume30Days", "lastReceivedAt")] == ["two", 0, 0, None]


@pytest.mark.django_db(transaction=True)
def test_the_file_is_read_after_the_requests_transaction_in_portions() -> None:
    events = tuple(make_event(f"event_{number}", properties={}) for number in range(1_100))
    make_draft(TelemetrySpec(meta=TelemetryMeta(name="b", version=1, title="B"), events=events))

    answer = caller_with_role(Role.VIEWER).get(FILE)

    assert answer.streaming
    portions: Iterator[bytes] = answer.streaming_content
    assert [portion.count(b"\r\n") for portion in portions] == [1, 500, 500, 100]
    assert not connection.in_atomic_block
