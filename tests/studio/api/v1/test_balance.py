"""The balance of an installation over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.models import EventRemoval, StoredEvent
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role, Scope
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def path(installation: Installation) -> str:
    return f"/api/v1/installations/{installation.public_id}/balance"


def test_every_event_is_accounted_for(installation: Installation) -> None:
    again = make_incoming()
    ingest(installation, again, again, make_incoming(), make_incoming(properties={}), make_incoming(name="made_up"))
    viewer = caller_with_role(Role.VIEWER, installation.tenant)

    body = viewer.get(path(installation)).json()

    total = body["total"]
    assert (total["received"], total["stored"], total["rejected"], total["duplicate"]) == (5, 2, 2, 1)
    assert (total["live"], total["gone"], total["isBalanced"]) == (2, 0, True)
    assert [(each["name"], each["version"], each["received"]) for each in body["events"]] == [(STEP, 1, 4), ("", 0, 1)]


def test_stored_events_that_are_not_there_any_more_are_told_apart(installation: Installation) -> None:
    ingest(installation, make_incoming(), make_incoming())
    with tenant_context(ALL):
        StoredEvent.objects.filter(pk=StoredEvent.objects.values("pk")[:1]).delete()

    total = caller_with_role(Role.VIEWER).get(path(installation)).json()["total"]

    assert (total["stored"], total["live"], total["gone"], total["isBalanced"]) == (2, 1, 1, True)


def test_how_stored_events_left_is_told_of_whole_days(installation: Installation) -> None:
    ingest(installation, *(make_incoming() for _ in range(4)))
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    with tenant_context(ALL):
        gone = list(StoredEvent.objects.values_list("pk", flat=True)[:3])
        StoredEvent.objects.filter(pk__in=gone).delete()
        EventRemoval.objects.create(
            tenant=installation.tenant,
            installation=installation,
            day=today,
            name=STEP,
            version=1,
            purged=2,
            erased=1,
        )
    viewer = caller_with_role(Role.VIEWER)

    def total(start: datetime, end: datetime) -> Any:
        span = {"start": start.isoformat(), "end": end.isoformat()}
        return viewer.get(path(installation), span).json()["total"]

    whole = total(today, today + timedelta(days=1))
    part = total(today + timedelta(minutes=1), today + timedelta(days=1))

    assert [whole[key] for key in ("stored", "live", "gone", "purged", "archived", "erased")] == [4, 1, 3, 2, 0, 1]
    assert whole["isBalanced"]
    assert [part[key] for key in ("purged", "archived", "erased")] == [0, 0, 0]


def test_events_that_were_never_counted_do_not_balance(installation: Installation) -> None:
    ingest(installation, make_incoming(), make_incoming())
    with tenant_context(ALL):
        stored = StoredEvent.objects.first()
        assert stored is not None
        stored.name = "never_counted"
        StoredEvent.objects.bulk_create([stored])

    body = caller_with_role(Role.VIEWER).get(path(installation)).json()

    assert body["total"]["isBalanced"] is False
    assert [(each["name"], each["live"], each["isBalanced"]) for each in body["events"]] == [
        (STEP, 2, True),
        ("never_counted", 1, False),
    ]


def test_a_span_has_its_start_and_not_its_end(installation: Installation) -> None:
    minute = datetime.now(UTC).replace(second=0, microsecond=0)
    ingest(installation, make_incoming(), received_at=minute - timedelta(minutes=2))
    ingest(installation, make_incoming(), received_at=minute - timedelta(minutes=1))
    viewer = caller_with_role(Role.VIEWER)
    start, end = (minute - timedelta(minutes=age) for age in (2, 1))

    body = viewer.get(path(installation), {"start": start.isoformat(), "end": end.isoformat()}).json()

    assert body["total"]["received"] == 1


def test_one_event_can_be_asked_for(installation: Installation) -> None:
    ingest(installation, make_incoming(), make_incoming(name="made_up"))

    body = caller_with_role(Role.VIEWER).get(path(installation), {"event": STEP}).json()

    assert [each["name"] for each in body["events"]] == [STEP]


def test_what_was_switched_off_is_counted(installation: Installation) -> None:
    other = make_installation("globex", override=TenantOverride(events={STEP: EventOverride(enabled=False)}))
    ingest(other, make_incoming())

    total = caller_with_role(Role.VIEWER).get(path(other)).json()["total"]

    assert (total["received"], total["disabled"], total["stored"]) == (1, 1, 0)


@pytest.mark.parametrize(
    "query",
    [
        {"start": "2026-01-02T00:00:00Z", "end": "2026-01-02T00:00:59Z"},
        {"start": "2020-01-01T00:00:00Z", "end": "2026-01-01T00:00:00Z"},
        {"start": "yesterday"},
        {"start": "2026-01-02T00:00:00"},
        {"page": "2"},
    ],
)
def test_a_span_that_is_none_is_refused(installation: Installation, query: dict[str, str]) -> None:
    answer = caller_with_role(Role.VIEWER).get(path(installation), query)

    assert answer.status_code == 400
    assert code_of(answer) == "invalid_query"


def test_another_tenants_balance_is_not_there(installation: Installation) -> None:
    stranger = caller_with_role(Role.ADMIN, make_installation("globex").tenant)

    assert stranger.get(path(installation)).status_code == 404


def test_a_key_for_sending_reads_nothing(installation: Installation) -> None:
    app = Caller(key=make_key(installation, Scope.INGEST).text)

    assert app.get(path(installation)).status_code == 403


def test_it_costs_four_queries(installation: Installation) -> None:
    ingest(installation, *(make_incoming() for _ in range(5)))

    assert cost_of(caller_with_role(Role.VIEWER), path(installation)) == 4
