"""Partitions are made ahead of time, by whoever comes first, and dropped when nobody needs them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta

import psycopg
import pytest
from django.conf import settings
from django.db import DatabaseError, connection, transaction

from telemetry.services import partitions
from telemetry.services.partitions import days_prepared, drop_partitions, ensure_partitions
from telemetry.stores.partitions import AHEAD, Partition, add_partition, existing_partitions, wanted_partitions
from telemetry.tasks import drop_old_partitions, make_partitions
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.tenants.catalogue import isolation_gaps

pytestmark = pytest.mark.django_db

AsOwner = Callable[[], AbstractContextManager[None]]
TODAY = datetime.now(UTC).date()


def drop(as_owner: AsOwner, parent: str, *, since: int) -> None:
    """The partitions that begin so many days from today or later are gone, until the test's end."""
    for starts_on in existing_partitions()[parent]:
        if (starts_on - TODAY).days >= since:
            with as_owner(), connection.cursor() as cursor:
                cursor.execute(f"DROP TABLE {parent}_{starts_on:%Y%m%d}")


def test_everything_has_a_place_for_two_weeks() -> None:
    ensure_partitions()

    existing = existing_partitions()
    for wanted in wanted_partitions(TODAY, maximum_age=timedelta(days=28)):
        assert wanted.starts_on in existing[wanted.parent]
    assert days_prepared() == AHEAD.days


def test_making_them_twice_changes_nothing_more(as_owner: AsOwner) -> None:
    drop(as_owner, "telemetry_storedevent_d30", since=3)

    assert ensure_partitions() == 12
    assert ensure_partitions() == 0


def test_the_days_that_are_left_are_counted(as_owner: AsOwner) -> None:
    drop(as_owner, "telemetry_storedevent_d7", since=2)

    assert days_prepared() == 2

    make_partitions()
    assert days_prepared() == AHEAD.days


def test_no_day_is_left_when_today_has_no_place(as_owner: AsOwner) -> None:
    drop(as_owner, "telemetry_eventclaim", since=-28)

    assert days_prepared() == 0


def test_new_partitions_are_closed_to_the_application_role(as_owner: AsOwner) -> None:
    drop(as_owner, "telemetry_eventclaim", since=5)

    ensure_partitions()

    with connection.cursor() as cursor:
        assert isolation_gaps(cursor, settings.STUDIO_DATABASE_ROLE) == []


@pytest.mark.parametrize(
    ("parent", "first", "length"),
    [
        ("tenants_tenant", 0, 1),
        ("telemetry_storedevent", 0, 1),
        ("telemetry_eventclaim; DROP TABLE tenants_tenant", 0, 1),
        ("telemetry_storedevent_d30", 0, 400),
        ("telemetry_storedevent_d30", 0, 0),
        ("telemetry_storedevent_d30", 4000, 1),
        ("telemetry_storedevent_d30", -80_000, 1),
        ("telemetry_eventclaim", -4000, 1),
    ],
)
def test_nothing_but_partitions_near_today_can_be_added(parent: str, first: int, length: int) -> None:
    starts_on = TODAY + timedelta(days=first)

    with pytest.raises(DatabaseError), transaction.atomic():
        add_partition(Partition(parent, starts_on, starts_on + timedelta(days=length)))


@pytest.mark.parametrize("parent", ["telemetry_storedevent_d7", "telemetry_eventtally", "telemetry_eventclaim", "app"])
def test_what_is_still_needed_cannot_be_dropped(parent: str) -> None:
    with pytest.raises(DatabaseError), transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SELECT studio_drop_partition(%s, %s)", [parent, TODAY - timedelta(days=20)])


def test_tallies_and_ids_past_their_time_are_dropped_and_events_are_not(as_owner: AsOwner) -> None:
    old = TODAY - timedelta(days=99)
    for parent in ("telemetry_eventtally", "telemetry_eventclaim", "telemetry_storedevent_d7"):
        add_partition(Partition(parent, old, old + timedelta(days=1)))

    assert drop_partitions() == 2
    drop_old_partitions()

    existing = existing_partitions()
    assert old not in existing["telemetry_eventtally"] | existing["telemetry_eventclaim"]
    assert old in existing["telemetry_storedevent_d7"]


def test_ids_are_remembered_for_as_long_as_they_are_taken() -> None:
    youngest = {parent: min(days) for parent, days in existing_partitions().items() if parent == "telemetry_eventclaim"}

    drop_partitions()

    assert min(existing_partitions()["telemetry_eventclaim"]) == youngest["telemetry_eventclaim"]


def test_an_event_whose_day_has_no_partition_gets_one(as_owner: AsOwner) -> None:
    make_published()
    drop(as_owner, "telemetry_storedevent_d30", since=0)

    result = ingest(make_installation(), make_incoming())

    assert [item.outcome for item in result.items] == ["stored"]


@pytest.mark.django_db(transaction=True)
def test_a_table_that_is_locked_is_tried_again_and_left_for_later(
    owner_connection: psycopg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(partitions, "PAUSE_SECONDS", 0)
    later = TODAY + timedelta(days=40)
    owner_connection.execute("BEGIN")
    owner_connection.execute("LOCK TABLE telemetry_eventclaim IN ACCESS EXCLUSIVE MODE")

    assert not partitions._patiently(add_partition, Partition("telemetry_eventclaim", later, later + timedelta(days=1)))

    owner_connection.execute("ROLLBACK")
    assert partitions._patiently(add_partition, Partition("telemetry_eventclaim", later, later + timedelta(days=1)))
    owner_connection.execute(f"DROP TABLE telemetry_eventclaim_{later:%Y%m%d}")
