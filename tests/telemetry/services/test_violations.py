"""Violations of batches are counted in their groups, exactly, and without any value."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from telemetry.core.events import Context, Envelope
from telemetry.core.spec import TelemetryDefaults
from telemetry.models import EventTally, ViolationDay, ViolationRecord, ViolationState
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.violation_states import decide_violation
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
GOOD = {"workflow": "deploy", "step": "build"}


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def with_version(incoming: Incoming, app_version: str | None) -> Incoming:
    return Incoming(envelope=incoming.envelope, source=incoming.source, app_version=app_version)


def send(
    installation: Installation, *properties: dict[str, Any], app_version: str | None = None, **fields: Any
) -> None:
    events = [with_version(make_incoming(properties=each), app_version) for each in properties]
    ingest(installation, *events, **fields)


def groups() -> dict[tuple[str, str, str, str], int]:
    with tenant_context(ALL):
        rows = ViolationRecord.objects.order_by("event_name", "path")
        return {(row.event_name, row.path, row.code, row.app_version): row.count for row in rows}


def the_group() -> ViolationRecord:
    with tenant_context(ALL):
        return ViolationRecord.objects.select_related("installation").get()


def test_violations_are_grouped_by_event_place_kind_and_version(installation: Installation) -> None:
    send(installation, {**GOOD, "extra": 1}, {**GOOD, "extra": 2, "durationMs": "slow"}, app_version="2.4.0")
    send(installation, {**GOOD, "extra": 3}, app_version="2.5.0")
    send(installation, {"step": "build"}, GOOD)

    assert groups() == {
        (STEP, "properties.durationMs", "wrong_type", "2.4.0"): 1,
        (STEP, "properties.extra", "undeclared_property", "2.4.0"): 2,
        (STEP, "properties.extra", "undeclared_property", "2.5.0"): 1,
        (STEP, "properties.workflow", "missing_required", ""): 1,
    }


def test_a_group_knows_when_it_came_first_and_last_and_how_often_by_day(installation: Installation) -> None:
    now = datetime.now(UTC)
    for days in (1, 0, 2):
        send(installation, {**GOOD, "extra": 1}, {**GOOD, "extra": 1}, received_at=now + timedelta(days=days))

    row = the_group()
    assert (row.count, row.first_seen_at, row.last_seen_at) == (6, now, now + timedelta(days=2))
    with tenant_context(ALL):
        counted = list(ViolationDay.objects.order_by("day").values_list("day", "count"))
    assert counted == [((now + timedelta(days=days)).date(), 2) for days in (0, 1, 2)]


def test_the_sample_is_an_outline_without_values(installation: Installation) -> None:
    properties = {"step": "CANARY", "extra": "CANARY", "mail.CANARY@example.com": "CANARY", "durationMs": 7}
    context = Context(user_id="CANARY", metadata={"origin": "CANARY"})

    ingest(installation, make_incoming(properties=properties, context=context))

    with tenant_context(ALL):
        rows = list(ViolationRecord.objects.all().values())
    assert "CANARY" not in json.dumps(rows, default=str)
    row = next(row for row in rows if row["path"] == "properties.workflow")
    assert row["sample"]["properties"]["names"]["step"] == {"type": "string", "size": 6, "declared": True}
    assert row["sample"]["properties"]["names"]["extra"] == {"type": "string", "size": 6, "declared": False}
    assert row["sample"]["properties"]["unnamed"] == 1


def test_names_that_may_be_data_are_not_kept(installation: Installation) -> None:
    unknown = make_incoming(name="opened.by.4915112345678")
    address = make_incoming(name="bob@example.com")

    ingest(installation, unknown, address, make_incoming(properties={**GOOD, "seen-91.34.77.120": 1, "a b": 2}))

    assert groups() == {
        ("", "name", "unknown_event", ""): 2,
        (STEP, "properties[?]", "undeclared_property", ""): 1,
    }


def test_a_version_that_is_none_is_not_kept(installation: Installation) -> None:
    send(installation, {"step": "x"}, app_version="alice@example.com")

    assert [key[3] for key in groups()] == [""]


def test_duplicates_do_not_count_again(installation: Installation) -> None:
    twice = make_incoming(properties={**GOOD, "extra": 1})

    ingest(installation, twice, twice)
    ingest(installation, twice)

    assert list(groups().values()) == [1]


def test_the_counts_agree_with_the_tallies(installation: Installation) -> None:
    refused = [make_incoming(properties={"step": "x"}) for _ in range(3)]
    unknown = [make_incoming(name="made_up"), Incoming(envelope=None, source=refused[0].source)]
    noted = [make_incoming(properties={**GOOD, "extra": 1}) for _ in range(4)]
    ingest(installation, *refused, *unknown, *noted, make_incoming())

    found = groups()
    with tenant_context(ALL):
        tallies = {row.name: (row.rejected, row.violating) for row in EventTally.objects.all()}
    assert tallies[STEP] == (3, 7)
    assert found[STEP, "properties.workflow", "missing_required", ""] == 3
    assert found[STEP, "properties.extra", "undeclared_property", ""] == 4
    # What no envelope could be made of came without a problem here; a made-up name is one group.
    assert tallies[""] == (2, 1)
    assert found["made_up", "name", "unknown_event", ""] == 1


def test_a_batch_without_violations_asks_nothing(installation: Installation) -> None:
    with CaptureQueriesContext(
        connection,
    ) as queries:
        ingest(installation, make_incoming())

    assert not [query for query in queries if "violation" in query["sql"]]


def test_what_is_too_much_is_counted_together(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.violations.MOST_GROUPS", 3)
    send(installation, {**GOOD, "a": 1, "b": 1}, {**GOOD, "a": 1})
    send(installation, {**GOOD, "c": 1, "d": 1, "e": 1, "a": 1})

    assert groups() == {
        (STEP, "properties.a", "undeclared_property", ""): 3,
        (STEP, "properties.b", "undeclared_property", ""): 1,
        (STEP, "properties.c", "undeclared_property", ""): 1,
        ("", "", "", ""): 2,
    }


def test_one_batch_cannot_make_groups_without_end(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("telemetry.services.violations.MOST_GROUPS_OF_BATCH", 3)

    send(installation, {**GOOD, **{f"name_{letter}": 1 for letter in "abcdefgh"}})

    assert sum(groups().values()) == 8
    assert groups()["", "", "", ""] == 5


def test_another_installation_has_groups_of_its_own(installation: Installation) -> None:
    other = make_installation("globex")
    for each in (installation, other):
        send(each, {"step": "x"})

    with tenant_context((other.tenant_id,)):
        assert [row.installation_id for row in ViolationRecord.objects.all()] == [other.pk]


# Decisions


def decide(state: ViolationState, **fields: Any) -> int:
    with tenant_context(ALL):
        return decide_violation(actor=SYSTEM, violation=the_group(), state=state, **fields)


def test_a_resolved_violation_comes_back_when_it_is_seen_again(installation: Installation) -> None:
    send(installation, {"step": "x"})
    decide(ViolationState.RESOLVED, note="fixed")
    assert the_group().state == ViolationState.RESOLVED

    send(installation, {"step": "x"})

    row = the_group()
    assert (row.state, row.count) == (ViolationState.OPEN, 2)
    assert row.reopened_at == row.last_seen_at


def test_one_that_is_mended_in_a_later_version_stays_resolved_while_older_ones_send_it(
    installation: Installation,
) -> None:
    send(installation, {"step": "x"}, app_version="2.9.0")
    decide(ViolationState.RESOLVED, resolved_in="2.10.0")

    send(installation, {"step": "x"}, app_version="2.9.0")
    assert (the_group().state, the_group().count) == (ViolationState.RESOLVED, 2)
    send(installation, {"step": "x"}, app_version="2.10.0")

    with tenant_context(ALL):
        states = dict(ViolationRecord.objects.values_list("app_version", "state"))
    assert states == {"2.9.0": ViolationState.RESOLVED, "2.10.0": ViolationState.OPEN}


def test_a_muted_violation_stays_muted_and_counts_on(installation: Installation) -> None:
    send(installation, {"step": "x"})
    decide(ViolationState.MUTED)

    send(installation, {"step": "x"})

    assert (the_group().state, the_group().count) == (ViolationState.MUTED, 2)


def test_a_decision_can_be_about_all_versions(installation: Installation) -> None:
    for version in ("1.0", "1.1", None):
        send(installation, {"step": "x"}, app_version=version)
    with tenant_context(ALL):
        first = ViolationRecord.objects.order_by("pk").first()
        assert first is not None
        changed = decide_violation(
            actor=SYSTEM, violation=first, state=ViolationState.RESOLVED, resolved_in="1.1", all_versions=True
        )
        rows = dict(ViolationRecord.objects.values_list("app_version", "stays_resolved"))

    assert changed == 3
    assert rows == {"1.0": True, "1.1": False, "": False}


def test_properties_that_are_none_are_a_violation_of_the_event() -> None:
    make_published(make_spec(make_event(STEP, properties={"step": make_property()}), config=TelemetryDefaults()))
    broken = make_incoming()
    assert broken.envelope is not None
    fields = {name: getattr(broken.envelope, name) for name in ("id", "name", "version", "occurred_at", "context")}
    strange = Incoming(envelope=Envelope(**fields, properties="CANARY"), source=broken.source)  # type: ignore[arg-type]

    ingest(make_installation(), strange)

    assert groups() == {(STEP, "properties", "wrong_type", ""): 1}
