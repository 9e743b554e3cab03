"""The purge as a whole: what is due goes, what is not stays, and each row is accounted for."""

from pathlib import Path
from threading import Event

import pytest
from django.db import connection, transaction
from django.test.utils import CaptureQueriesContext
from msgspec.structs import replace

from telemetry.core.enums import RetentionPolicy
from telemetry.core.spec import Retention
from telemetry.models import (
    ArchiveFile,
    ArchiveState,
    EventRemoval,
    PurgeItem,
    PurgeRun,
    PurgeState,
    Receipt,
    StoredEvent,
)
from telemetry.services.holds import lift_hold, place_hold
from telemetry.services.purging.service import purge
from telemetry.stores.due import event_partitions, name_of
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_sigil_spec
from tests.telemetry.archives import archive_in
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.purging.factories import STEP, midnight, store, stored
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db

ARCHIVING = pytest.mark.parametrize("installation", [RetentionPolicy.ARCHIVE], indirect=True)


@pytest.fixture
def installation(request: pytest.FixtureRequest) -> Installation:
    """What happens to its events at their end is the parameter, if there is one."""
    policy = getattr(request, "param", RetentionPolicy.DELETE)
    spec = make_sigil_spec()
    events = [replace(event, retention=Retention(days=30, policy=policy)) for event in spec.events]
    make_published(replace(spec, events=tuple(events)))
    return make_installation()


@pytest.fixture(autouse=True)
def _known(installation: Installation) -> None:
    """The retention of the config has been applied: what follows is about time alone."""
    assert purge() is False


def partitions() -> set[str]:
    return {name_of(each) for each in event_partitions()}


def removed() -> dict[str, int]:
    with tenant_context(ALL):
        rows = list(EventRemoval.objects.order_by().values("purged", "archived", "erased"))
    return {way: sum(row[way] for row in rows) for way in ("purged", "archived", "erased")}


def runs() -> list[PurgeRun]:
    with tenant_context(ALL):
        return list(PurgeRun.objects.order_by("pk"))


def test_a_day_that_is_over_goes_as_a_whole(installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    store(installation, 2, days_ago=7, days=7)
    gone = f"telemetry_storedevent_d7_{midnight(8):%Y%m%d}"
    assert gone in partitions()

    assert purge() is False

    assert stored() == {(midnight(7).date(), STEP): 2}
    assert gone not in partitions()
    assert removed() == {"purged": 3, "archived": 0, "erased": 0}
    (run,) = runs()
    assert (run.state, run.planned_rows, run.partitions) == (PurgeState.DONE, 3, 1)


def test_what_ends_before_its_class_goes_row_by_row(installation: Installation) -> None:
    store(installation, 3, days_ago=12, days=10)
    store(installation, 2, days_ago=12, days=30, name="sigil.telemetry.kept")

    purge()

    assert stored() == {(midnight(12).date(), "sigil.telemetry.kept"): 2}
    assert removed()["purged"] == 3
    with tenant_context(ALL):
        item = PurgeItem.objects.get()
    assert (item.name, item.planned_rows, item.rows) == (STEP, 3, 3)
    assert item.planned_bytes == item.size_bytes > 0


def test_nobody_loses_an_event_before_its_day_is_over(installation: Installation) -> None:
    store(installation, 1, days_ago=7, days=7, hour=1)
    store(installation, 1, days_ago=1, days=1, hour=1)

    purge()

    assert sum(stored().values()) == 2
    assert runs() == []


def test_running_it_twice_changes_nothing_more(installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    store(installation, 3, days_ago=12, days=10)
    purge()
    before = (stored(), removed(), runs())

    purge()

    assert (stored(), removed(), runs()) == before
    with tenant_context(ALL):
        assert Receipt.objects.count() == 1


def test_each_tenant_has_a_run_and_a_receipt_of_its_own(installation: Installation) -> None:
    other = make_installation("umbra")
    store(installation, 3, days_ago=8, days=7)
    store(other, 5, days_ago=8, days=7)

    purge()

    assert {run.tenant_id: run.planned_rows for run in runs()} == {installation.tenant_id: 3, other.tenant_id: 5}
    with tenant_context([other.tenant_id]):
        receipt = Receipt.objects.get()
    assert (receipt.facts["rows"], receipt.facts["is_complete"]) == (5, True)
    assert receipt.facts["events"] == [
        {
            "installation": str(other.public_id),
            "event": f"{STEP}@1",
            "rows": 5,
            "archived_rows": 0,
            "held_rows": 0,
        }
    ]


def test_many_tenants_take_no_more_queries_than_one(installation: Installation) -> None:
    others = [make_installation(slug) for slug in ("umbra", "vector")]
    purge()
    store(installation, 3, days_ago=8, days=7)
    with CaptureQueriesContext(connection) as of_one:
        purge()
    for each in (installation, *others):
        store(each, 3, days_ago=9, days=7)

    with CaptureQueriesContext(connection) as of_all:
        purge()

    assert removed() == {"purged": 12, "archived": 0, "erased": 0}
    assert {run.state for run in runs()} == {PurgeState.DONE}
    assert len(of_all) == len(of_one)


def test_what_a_hold_keeps_outlives_its_partition(installation: Installation) -> None:
    store(installation, 2, days_ago=8, days=7)
    store(installation, 3, days_ago=8, days=7, name="sigil.telemetry.held")
    with tenant_context(ALL):
        hold = place_hold(actor=SYSTEM, tenant=installation.tenant, reason="Case 12", event_name="sigil.telemetry.held")

    purge()

    assert stored() == {(midnight(8).date(), "sigil.telemetry.held"): 3}
    with tenant_context(ALL):
        assert set(StoredEvent.with_expired.values_list("retention_class", flat=True)) == {0}
        lift_hold(actor=SYSTEM, hold=hold, because="The case is closed")
    assert removed()["purged"] == 2

    purge()

    assert stored() == {}
    assert removed()["purged"] == 5


def test_an_event_that_comes_late_into_a_closed_day_is_counted(installation: Installation) -> None:
    store(installation, 2, days_ago=5, days=7)
    purge()
    store(installation, 1, days_ago=5, days=7)
    store(installation, 1, days_ago=5, days=3)

    purge()

    assert stored() == {(midnight(5).date(), STEP): 3}
    assert removed()["purged"] == 1


@ARCHIVING
def test_what_is_to_be_archived_is_so_before_it_goes(installation: Installation, tmp_path: Path) -> None:
    other = "sigil.telemetry.other"
    store(installation, 3, days_ago=8, days=7)
    store(installation, 2, days_ago=8, days=7, name=other)

    with archive_in(tmp_path):
        purge()

    assert stored() == {}
    assert removed() == {"purged": 2, "archived": 3, "erased": 0}
    with tenant_context(ALL):
        items = {item.name: (item.rows, item.archived_rows) for item in PurgeItem.objects.all()}
        assert items == {STEP: (0, 3), other: (2, 0)}
        (file,) = ArchiveFile.objects.all()
        kinds = list(Receipt.objects.order_by("sequence").values_list("kind", flat=True))
    assert (file.state, file.rows) == (ArchiveState.KEPT, 3)
    assert kinds == ["archive", "purge"]


@ARCHIVING
@pytest.mark.parametrize("fault", ["save", "truncate", "flip"])
def test_where_the_archive_fails_nothing_is_deleted(installation: Installation, tmp_path: Path, fault: str) -> None:
    store(installation, 3, days_ago=8, days=7)

    with archive_in(tmp_path, fault=fault):
        purge()

    assert sum(stored().values()) == 3
    assert removed() == {"purged": 0, "archived": 0, "erased": 0}
    assert [run.state for run in runs()] == [PurgeState.RUNNING]
    with tenant_context(ALL):
        assert not Receipt.objects.exists()

    with archive_in(tmp_path):
        purge()

    assert removed() == {"purged": 0, "archived": 3, "erased": 0}
    assert [run.state for run in runs()] == [PurgeState.DONE]


@pytest.mark.django_db(transaction=True)
def test_a_class_that_somebody_reads_for_long_holds_up_no_other(installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    store(installation, 2, days_ago=31, days=30)
    is_reading, is_over = Event(), Event()

    def read() -> None:
        with transaction.atomic(), tenant_context(ALL):
            list(StoredEvent.with_expired.filter(retention_class=7))
            is_reading.set()
            is_over.wait()

    def remove() -> None:
        is_reading.wait()
        try:
            purge()
        finally:
            is_over.set()

    run_together(read, remove)

    assert stored() == {(midnight(8).date(), STEP): 3}
    assert removed()["purged"] == 2
    purge()
    assert stored() == {}
    assert removed()["purged"] == 5
    (run,) = runs()
    assert (run.state, run.partitions) == (PurgeState.DONE, 2)
