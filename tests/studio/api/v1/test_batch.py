"""Sending batches of events: what is taken, what is refused, and that one bad event harms no other."""

import gzip
import json
from datetime import UTC, datetime
from typing import Any

import pytest
import zstandard

from telemetry.models import EventTally, StoredEvent
from telemetry.sdk.identifiers import new_event_id
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role, Scope
from tests.studio.api.calls import Caller, caller_with_role, code_of
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db

PATH = "/api/v1/events/batch"


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def app(installation: Installation) -> Caller:
    return Caller(key=make_key(installation, Scope.INGEST).text)


def event(**fields: Any) -> dict[str, Any]:
    return {
        "id": new_event_id(),
        "name": "sigil.telemetry.workflow_step",
        "version": 1,
        "occurredAt": datetime.now(UTC).isoformat(),
        "properties": {"workflow": "deploy", "step": "build", "durationMs": 120},
        **fields,
    }


def stored() -> int:
    with tenant_context(ALL):
        return StoredEvent.objects.count()


def test_stored_events_need_no_word(app: Caller) -> None:
    answer = app.post(PATH, {"events": [event(), event()], "appVersion": "1.2.3"})

    assert answer.status_code == 200
    assert answer.json() == {
        "received": 2,
        "stored": 2,
        "sampledOut": 0,
        "disabled": 0,
        "rejected": 0,
        "duplicate": 0,
        "items": [],
    }
    with tenant_context(ALL):
        assert {each.app_version for each in StoredEvent.objects.all()} == {"1.2.3"}


def test_what_was_not_stored_is_told_by_its_index(app: Caller) -> None:
    again = event()
    unknown = event(name="made_up")

    answer = app.post(PATH, {"events": [again, unknown, event(), again, 7, event(occurredAt="yesterday")]})

    assert answer.status_code == 200
    body = answer.json()
    assert (body["received"], body["stored"], body["rejected"], body["duplicate"]) == (6, 2, 3, 1)
    assert [(each["index"], each["outcome"]) for each in body["items"]] == [
        (1, "rejected"),
        (3, "duplicate"),
        (4, "rejected"),
        (5, "rejected"),
    ]
    assert body["items"][0]["violations"][0]["code"] == "unknown_event"
    assert body["items"][3]["violations"] == [
        {
            "code": "malformed",
            "path": "occurredAt",
            "message": "must be an RFC 3339 timestamp with a zone, such as 2026-11-22T10:00:00Z",
        }
    ]


@pytest.mark.parametrize(
    ("encoding", "compress"), [("gzip", gzip.compress), ("zstd", zstandard.compress), ("identity", bytes)]
)
def test_bodies_may_be_compressed(app: Caller, encoding: str, compress: Any) -> None:
    content = compress(json.dumps({"events": [event()]}).encode())

    answer = app.send("POST", PATH, content, Content_Encoding=encoding)

    assert answer.status_code == 200
    assert stored() == 1


def test_a_batch_of_which_nothing_can_be_taken_is_refused_with_the_indexes_and_counted(app: Caller) -> None:
    answer = app.post(PATH, {"events": [event(name="made_up"), {"id": "x"}]})

    assert answer.status_code == 400
    assert [(each["code"], each["path"]) for each in answer.json()["errors"]] == [
        ("unknown_event", "events[0].name"),
        ("malformed", "events[1].name"),
    ]
    with tenant_context(ALL):
        assert sum(EventTally.objects.values_list("rejected", flat=True)) == 2


def deep(depth: int) -> str:
    return "[" * depth + "]" * depth


@pytest.mark.parametrize(
    "broken",
    [
        '{"a": NaN}',
        '{"a": "\\ud800"}',
        '{"a": 1e400}',
        '{"a": 010}',
        deep(900),
        deep(2_000),
        "undefined",
        '"\\x00"',
        "",
    ],
    ids=lambda text: text[:20],
)
def test_an_item_that_is_no_json_costs_no_other(app: Caller, broken: str) -> None:
    first, last = json.dumps(event()), json.dumps(event())

    answer = app.send("POST", PATH, f'{{"events": [{first}, {broken}, {last}], "appVersion": "1"}}'.encode())

    assert answer.status_code == 200
    body = answer.json()
    assert (body["stored"], body["rejected"]) == (2, 1)
    assert [(each["index"], each["violations"][0]["code"]) for each in body["items"]] == [(1, "malformed")]
    assert stored() == 2


@pytest.mark.parametrize(
    "value",
    ['"a\\u0000b"', "9" * 400, "-" + "9" * 4_000, deep(40), json.dumps("a" * 70_000), "true", "{}"],
    ids=lambda text: text[:12],
)
def test_a_value_that_must_not_be_stored_costs_no_other_event(app: Caller, value: str) -> None:
    bad = json.dumps(event()).replace('"build"', value)

    answer = app.send("POST", PATH, f'{{"events": [{json.dumps(event())}, {bad}]}}'.encode())

    assert answer.status_code == 200
    assert answer.json()["stored"] == 1
    assert answer.json()["items"][0]["violations"][0]["path"] == "properties.step"


def test_more_than_a_thousand_events_are_refused_as_a_whole(app: Caller) -> None:
    answer = app.post(PATH, {"events": [{}] * 1_001})

    assert answer.status_code == 400
    assert answer.json()["errors"][0] == {
        "code": "too_many",
        "path": "events",
        "message": "must have at most 1000 entries",
    }


@pytest.mark.parametrize(
    ("content", "headers", "status"),
    [
        (gzip.compress(b" " * 20_000_000), {"Content-Encoding": "gzip"}, 413),
        (zstandard.compress(b" " * 20_000_000), {"Content-Encoding": "zstd"}, 413),
        (b'{"events": ["' + b"a" * 5_300_000 + b'"]}', {}, 413),
        (b'{"events": [' + b"[]," * 200_000 + b"0]}", {}, 413),
        (gzip.compress(b'{"events": []}')[:-4], {"Content-Encoding": "gzip"}, 400),
        (b'{"events": []}', {"Content-Encoding": "gzip"}, 400),
        (b'{"events": []}', {"Content-Encoding": "zstd"}, 400),
        (b'{"events": []}', {"Content-Encoding": "br"}, 415),
        (b'{"events": []}', {"Content-Encoding": "gzip, gzip"}, 415),
        (b" ", {}, 400),
        (b"[]", {}, 400),
        (b"{}", {}, 400),
        (b'{"events": {}}', {}, 400),
        (b'{"events": [}', {}, 400),
        (b'{"events": ["]}', {}, 400),
        (b'{"events": [[]}', {}, 400),
        (b"[" * 100_000, {}, 400),
        (b'{"events": [], "sentAt": "now"}', {}, 400),
        ('{"events": []}'.encode("utf-16"), {}, 400),
    ],
    # Not by content: compressed bodies carry the time.
    ids=[f"lie {number}" for number in range(19)],
)
def test_a_body_that_lies_is_refused_as_a_whole(
    app: Caller, content: bytes, headers: dict[str, str], status: int
) -> None:
    answer = app.send("POST", PATH, content, **{name.replace("-", "_"): value for name, value in headers.items()})

    assert answer.status_code == status
    assert code_of(answer)
    assert stored() == 0


@pytest.mark.parametrize("content_type", ["text/plain", "application/json; charset=latin-1", "", "multipart/form-data"])
def test_another_content_type_is_refused(app: Caller, content_type: str) -> None:
    answer = app.send("POST", PATH, b'{"events": []}', content_type=content_type)

    assert answer.status_code == 415


def test_an_empty_batch_is_taken(app: Caller) -> None:
    answer = app.post(PATH, {"events": []})

    assert answer.status_code == 200
    assert answer.json()["received"] == 0


def test_a_key_without_the_scope_sends_nothing(installation: Installation) -> None:
    reader = Caller(key=make_key(installation, Scope.CONFIG_READ).text)

    assert reader.post(PATH, {"events": [event()]}).status_code == 403
    assert stored() == 0


def test_people_send_nothing(installation: Installation) -> None:
    assert caller_with_role(Role.ADMIN).post(PATH, {"events": [event()]}).status_code == 403


def test_nobody_sends_nothing(installation: Installation) -> None:
    assert Caller().post(PATH, {"events": [event()]}).status_code == 401
    assert stored() == 0


# Reports of trackers


def report(**fields: Any) -> dict[str, Any]:
    """An event that a tracker of ours judged and kept."""
    return {**event(), "outcome": "accepted", "configRevision": 1, "inclusionProbability": 0.5, **fields}


def test_reports_are_counted_by_what_the_tracker_made_of_them(app: Caller, installation: Installation) -> None:
    kept = report(context={"userId": "p1_AAAAAAAAAAAAAAAAAAAAAA"})
    sampled_out = report(outcome="sampled_out", properties={"durationMs": 7.0}, present=["workflow", "durationMs"])
    wrong = {"code": "wrong_type", "path": "properties.step", "message": "x"}
    rejected = report(outcome="rejected", violations=[wrong])

    answer = app.post(
        PATH, {"events": [event()], "reports": [kept, sampled_out, rejected, report(outcome="disabled"), kept]}
    )

    assert answer.status_code == 200
    body = answer.json()
    counts = {name: body[name] for name in ("received", "stored", "sampledOut", "disabled", "rejected", "duplicate")}
    assert counts == {"received": 6, "stored": 2, "sampledOut": 1, "disabled": 1, "rejected": 1, "duplicate": 1}
    assert [(each["index"], each["outcome"]) for each in body["items"]] == [
        (2, "sampled_out"),
        (3, "rejected"),
        (4, "disabled"),
        (5, "duplicate"),
    ]
    with tenant_context(ALL):
        stored = StoredEvent.objects.get(id=kept["id"])
        tally = EventTally.objects.filter(name="sigil.telemetry.workflow_step")
        received = sum(each.received for each in tally)
    assert (stored.source, stored.inclusion_probability) == ("internal", 0.5)
    assert stored.context == {"userId": "p1_AAAAAAAAAAAAAAAAAAAAAA"}
    assert received == 6


def test_reports_alone_are_no_bad_request_though_all_were_rejected(app: Caller) -> None:
    answer = app.post(PATH, {"events": [], "reports": [report(outcome="rejected"), report(name="made_up")]})

    assert answer.status_code == 200
    assert answer.json()["rejected"] == 2


def test_reports_count_towards_the_limit_of_a_batch(app: Caller) -> None:
    answer = app.post(PATH, {"events": [event()], "reports": [report()] * 1000})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["code"] == "too_many"


def test_a_report_that_is_none_is_refused_as_a_whole(app: Caller) -> None:
    answer = app.post(PATH, {"events": [event()], "reports": [{"outcome": "kept"}]})

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "reports[0].outcome"
    assert stored() == 0
