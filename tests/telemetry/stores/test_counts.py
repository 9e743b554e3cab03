"""What is stored is counted as it is written, changed and removed: exactly, and again where somebody did not count."""

import logging
from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import timedelta
from random import Random
from threading import Event
from uuid import UUID

import pytest
from django.db import OperationalError, connection, transaction
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.core.enums import PrivacyLevel
from telemetry.core.retention import HOLD, RetentionClass
from telemetry.models import SealedPartition, StoredDay, StoredDelta, StoredEvent, UncountedPartition
from telemetry.services.purging.sealing import seal_partitions
from telemetry.services.purging.service import purge
from telemetry.stores.base import RestoredRow, RowChange, RowSelection
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.counts import fold_deltas
from telemetry.stores.due import (
    DueGroup,
    Question,
    Term,
    due_groups,
    name_of,
    partition_of,
    rows_counted,
    stored_groups,
)
from telemetry.stores.due import (
    midnight as midnight_of,
)
from telemetry.stores.partitions import add_partition
from telemetry.stores.purging import delete_due, move_held, shorten
from telemetry.stores.removals import Removed, count_removed, lock_removals
from telemetry.stores.subjects import Slice, erase_events, events_in
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.counting import counted, there
from tests.telemetry.factories import make_installation
from tests.telemetry.services.purging.factories import STEP, midnight, store, stored
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db

AGO = 5
WEEK, MONTH = RetentionClass.WEEK, RetentionClass.MONTH


def partition_name(retention_class: RetentionClass = WEEK, days_ago: int = AGO) -> str:
    return name_of(partition_of(retention_class, midnight(days_ago).date()))


def sealed_rows(retention_class: RetentionClass = WEEK) -> int | None:
    with tenant_context(ALL):
        (found,) = rows_counted([partition_of(retention_class, midnight(AGO).date())]).values() or [None]
    return found


def read_partitions(caplog: pytest.LogCaptureFixture) -> set[str]:
    """The partitions that were read to be sealed."""
    return {record.__dict__["partition"] for record in caplog.records if record.message == "purge.read"}


@pytest.fixture(autouse=True)
def _new_partitions(as_owner: Callable[[], AbstractContextManager[None]]) -> None:
    """Partitions are new to PostgreSQL: it does not remember rows of earlier tests that are gone without a trace."""
    with as_owner(), connection.cursor() as cursor:
        for retention_class in (WEEK, MONTH):
            for days_ago in (AGO, 14, 28):
                cursor.execute(f"DROP TABLE IF EXISTS {partition_name(retention_class, days_ago)}")


@pytest.fixture
def told(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.INFO, "telemetry.services.purging.sealing")
    return caplog


def test_a_partition_that_is_over_is_sealed_without_reading_it(told: pytest.LogCaptureFixture) -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=7)
    store(installation, 2, days_ago=AGO, days=5)

    seal_partitions()

    assert partition_name() not in read_partitions(told)
    assert sealed_rows() == 5
    with tenant_context(ALL):
        (day,) = StoredDay.objects.filter(partition=partition_name())
        assert not StoredDelta.objects.exists()
    came = midnight(AGO) + timedelta(hours=12)
    assert (day.first_received_at, day.last_received_at) == (came, came)
    assert (day.first_expires_at, day.last_expires_at) == (came + timedelta(days=5), came + timedelta(days=7))
    assert counted() == there()


def test_what_somebody_wrote_past_the_counts_is_found_and_counted(
    told: pytest.LogCaptureFixture, as_owner: Callable[[], AbstractContextManager[None]]
) -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=7)
    with as_owner(), connection.cursor() as cursor:
        name = partition_name()
        cursor.execute(f"INSERT INTO {name} SELECT * FROM {name} LIMIT 1")  # noqa: S608 - a name of ours

    seal_partitions()

    assert partition_name() in read_partitions(told)
    assert sealed_rows() == 4
    assert counted() == there()


def test_what_somebody_removed_past_the_counts_is_found_and_counted(told: pytest.LogCaptureFixture) -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=7)
    with tenant_context(ALL):
        first = StoredEvent.with_expired.order_by("id").first()
        assert first is not None
        StoredEvent.with_expired.filter(id=first.id).delete()

    seal_partitions()

    assert partition_name() in read_partitions(told)
    assert sealed_rows() == 2


def test_more_removed_than_was_counted_is_found_and_counted(told: pytest.LogCaptureFixture) -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=7)
    with tenant_context(ALL):
        StoredDelta.objects.all().delete()
        lock_removals()
        event = (installation.tenant_id, installation.pk, midnight(AGO).date(), STEP, 1)
        count_removed([Removed(*event, 1, WEEK, 10)], "erased")

    seal_partitions()

    assert partition_name() in read_partitions(told)
    assert counted() == there()


def test_a_partition_from_before_counting_is_read_once(told: pytest.LogCaptureFixture) -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=7)
    with tenant_context(ALL):
        StoredDelta.objects.all().delete()
        StoredEvent.with_expired.update(size_bytes=None)
    UncountedPartition.objects.create(name=partition_name())
    store(installation, 1, days_ago=AGO, days=7)

    seal_partitions()

    assert partition_name() in read_partitions(told)
    assert sealed_rows() == 4
    assert not UncountedPartition.objects.filter(name=partition_name()).exists()
    told.clear()

    store(installation, 1, days_ago=AGO, days=7)
    assert sealed_rows() is None
    seal_partitions()

    assert read_partitions(told) == set()
    assert sealed_rows() == 5
    assert counted() == there()


def test_a_late_event_opens_what_was_sealed_and_is_added(told: pytest.LogCaptureFixture) -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=7)
    seal_partitions()
    store(installation, 2, days_ago=AGO, days=7, name="other")
    assert sealed_rows() is None

    seal_partitions()

    assert partition_name() not in read_partitions(told)
    assert sealed_rows() == 5
    with tenant_context(ALL):
        assert sum(group.rows for group in stored_groups([installation.pk])) == 5


def test_an_event_that_was_never_committed_is_not_counted(told: pytest.LogCaptureFixture) -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=7)
    with transaction.atomic():
        store(installation, 3, days_ago=AGO, days=7)
        transaction.set_rollback(True)

    seal_partitions()

    assert sealed_rows() == 3
    assert counted() == there()


def test_what_shares_its_slot_with_today_is_added_up_too(told: pytest.LogCaptureFixture) -> None:
    installation = make_installation()
    for days_ago in (0, 14, 28):
        store(installation, 3, days_ago=days_ago, days=30)

    seal_partitions()

    assert not read_partitions(told) & {partition_name(MONTH, 14), partition_name(MONTH, 28)}
    with tenant_context(ALL):
        assert sum(rows_counted([partition_of(MONTH, midnight(each).date()) for each in (14, 28)]).values()) == 6
        assert [each.day for each in StoredDelta.objects.all()] == [midnight().date()]


@pytest.mark.django_db(transaction=True)
def test_a_slot_that_somebody_writes_into_holds_nothing_up(told: pytest.LogCaptureFixture) -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=30)
    store(installation, 1, days_ago=AGO, days=7)
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_stat_force_next_flush()")
    written, is_over = Event(), Event()

    def write() -> int:
        with transaction.atomic():
            store(installation, 2, days_ago=AGO, days=7)
            written.set()
            is_over.wait()
        return 0

    def seal() -> int | None:
        written.wait()
        try:
            seal_partitions()
            return sealed_rows(MONTH)
        finally:
            is_over.set()

    _, rows = run_together(write, seal)

    assert rows == 3
    assert not read_partitions(told) & {partition_name(MONTH), partition_name(WEEK)}
    seal_partitions()
    assert sealed_rows(WEEK) == 3
    assert counted() == there()


def test_counts_of_one_tenant_are_not_seen_by_another() -> None:
    installation = make_installation()
    store(installation, 3, days_ago=AGO, days=7)
    stranger = make_installation("umbra")

    with tenant_context([stranger.tenant_id]):
        assert not StoredDelta.objects.exists()
    with tenant_context([installation.tenant_id]):
        assert [each.rows for each in StoredDelta.objects.all()] == [3]


class Work:
    """Whatever can happen to stored events, at random."""

    def __init__(self, installation: Installation, random: Random) -> None:
        self.installation, self.random = installation, random
        self.event = (installation.tenant_id, installation.pk, midnight(AGO).date(), STEP, 1)

    def write(self) -> None:
        store(self.installation, self.random.randint(1, 4), days_ago=AGO, days=self.random.choice([5, 7, 20, 30]))

    def restore(self) -> None:
        came = midnight(AGO) + timedelta(hours=self.random.randint(0, 23))
        add_partition(partition_of(MONTH, came.date()))
        rows = [
            RestoredRow(
                UUID(int=self.random.getrandbits(128)),
                *(STEP, 1, came, came, int(MONTH), "internal", "batch", None, 1.0, 7, b'{"a": [1, 2]}', b"{}"),
            )
            for _ in range(self.random.randint(1, 3))
        ]
        EVENT_STORE.restore(
            tenant_id=self.installation.tenant_id,
            installation_id=self.installation.pk,
            expires_at=midnight(-20),
            rows=[*rows, *rows],
        )

    def remove(self) -> None:
        start = midnight(AGO) + timedelta(hours=self.random.randint(0, 12))
        removed = EVENT_STORE.remove(
            RowSelection(self.installation.pk, self.random.choice([WEEK, MONTH]), start, start + timedelta(hours=6))
        )
        count_removed(removed.counts, "archived")

    def delete(self) -> None:
        group = DueGroup(partition_of(WEEK, self.event[2]), WEEK, self.event[2], *self.event[:2], STEP, 1, 3, 0, 0, 0)
        gone = delete_due(group, cutoff=midnight(), since=None, limit=self.random.randint(1, 5))
        count_removed([Removed(*self.event, gone.rows, WEEK, gone.size_bytes)], "purged")

    def erase(self) -> None:
        part = Slice(int(self.random.choice([WEEK, MONTH])), midnight(AGO), midnight(AGO - 1))
        found = list(events_in(part, [self.installation.pk], lambda *_: True))
        erase_events(self.installation.tenant_id, part, self.random.sample(found, len(found) // 2))

    def change(self) -> None:
        found = EVENT_STORE.scan(self.installation.pk, STEP, after=(midnight(40), UUID(int=0)), limit=5)
        text = b'{"a": "%s"}' % (b"x" * self.random.randint(0, 5_000))
        EVENT_STORE.change(
            self.installation.pk, [RowChange(each.row, text, b'{"b": 1}', PrivacyLevel.PII) for each in found]
        )

    def shorten(self) -> None:
        term = Term(self.installation.pk, STEP, 1, self.random.choice([6, 10, 25]))
        partition = partition_of(MONTH, self.event[2])
        shorten(term, partition, self.event[2], tenant_id=self.event[0], limit=self.random.randint(1, 5))

    def hold(self) -> None:
        group = DueGroup(partition_of(WEEK, self.event[2]), WEEK, self.event[2], *self.event[:2], STEP, 1, 3, 0, 0, 0)
        move_held(group)

    def fold(self) -> None:
        fold_deltas(midnight().date())

    def seal(self) -> None:
        seal_partitions()


STEPS = [name for name in vars(Work) if not name.startswith("_")]


@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=14), seed=st.integers(0, 2**32))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_whatever_happens_the_counts_are_true(steps: list[str], seed: int) -> None:
    with transaction.atomic():
        work = Work(make_installation(), Random(seed))  # noqa: S311 - events, no secrets
        for name in ["write", *steps]:
            with tenant_context(ALL):
                lock_removals()
                getattr(work, name)()
            assert counted() == there(), name
        seal_partitions()
        for retention_class in (WEEK, MONTH):
            rows = sum(count for key, (count, _) in there().items() if key[0] == retention_class)
            assert (sealed_rows(retention_class) or 0) == rows
        with tenant_context(ALL):
            # What ends first is known, however often it was shortened: it is found when its day has come.
            for days in range(1, 32):
                cutoff = midnight_of(midnight(AGO).date() + timedelta(days=days))
                due = StoredEvent.with_expired.exclude(retention_class=HOLD).filter(expires_at__lte=cutoff).count()
                groups = due_groups(Question(cutoff))
                assert sum(group.rows for group in groups if group.retention_class != HOLD) == due
        transaction.set_rollback(True)


@pytest.mark.django_db(transaction=True)
def test_events_that_come_while_partitions_are_sealed_are_counted_once() -> None:
    installations = [make_installation(slug) for slug in ("acme", "umbra")]
    store(installations[0], days_ago=AGO, days=7)
    over = Event()

    def write(installation: Installation, seed: int) -> int:
        random, kept = Random(seed), 0  # noqa: S311 - events, no secrets
        for _ in range(60):
            count = random.randint(1, 5)
            try:
                with transaction.atomic():
                    store(installation, count, days_ago=AGO, days=random.choice([5, 7]))
                    if random.random() < 0.2:
                        raise OperationalError
                kept += count
            except OperationalError:
                continue
        return kept

    def seal() -> int:
        while not over.is_set():
            seal_partitions()
        return 0

    def write_both() -> int:
        try:
            return sum(write(installation, number) for number, installation in enumerate(installations))
        finally:
            over.set()

    kept, *_ = run_together(write_both, seal, seal)

    seal_partitions()
    assert isinstance(kept, int)
    assert sealed_rows() == kept + 1 == sum(stored().values())
    assert counted() == there()
    purge()
    assert counted() == there()
    with tenant_context(ALL):
        assert set(SealedPartition.objects.filter(name=partition_name())) != set()
