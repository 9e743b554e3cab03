"""What every event store has to do; each implementation is one parameter."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from django.db import connection, transaction

from telemetry.core.enums import EventSource, PrivacyLevel
from telemetry.core.retention import RetentionClass
from telemetry.stores.archive.parquet import read_contents, write_parquet
from telemetry.stores.base import EventGroup, EventRow, EventStore, EventWindow, RestoredRow, RowChange, RowSelection
from telemetry.stores.postgres import PostgresEventStore
from tenants.context import tenant_context
from tenants.models import Installation
from tests.telemetry.factories import make_installation

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)
AROUND = EventWindow(NOW - timedelta(hours=1), NOW + timedelta(hours=1))


@pytest.fixture(params=[PostgresEventStore])
def store(request: pytest.FixtureRequest) -> EventStore:
    made: EventStore = request.param()
    return made


@pytest.fixture
def installation() -> Installation:
    return make_installation()


def row(
    event_id: UUID | None = None, *, properties: bytes = b'{"step":"build"}', context: bytes = b'{"channel":"web"}'
) -> EventRow:
    return (event_id or uuid4()).bytes, NOW, properties, context


def group(*rows: EventRow, **fields: Any) -> EventGroup:
    defaults: dict[str, Any] = {
        "name": "step",
        "version": 1,
        "expires_at": NOW + timedelta(days=30),
        "retention_class": RetentionClass.MONTH,
        "privacy": PrivacyLevel.INTERNAL,
        "source": EventSource.BATCH,
        "app_version": None,
        "inclusion_probability": 0.5,
        "config_revision": 7,
    }
    return EventGroup(rows=list(rows), **{**defaults, **fields})


def write(store: EventStore, installation: Installation, *groups: EventGroup, received_at: datetime = NOW) -> None:
    with tenant_context([installation.tenant_id]):
        store.write(
            tenant_id=installation.tenant_id, installation_id=installation.pk, received_at=received_at, groups=groups
        )


def read(store: EventStore, installation: Installation, window: EventWindow = AROUND) -> list[UUID]:
    with tenant_context([installation.tenant_id]):
        return [each.id for each in store.read(installation.pk, window)]


def test_what_is_written_is_read_again(store: EventStore, installation: Installation) -> None:
    event_id = uuid4()
    text = '{"text": "ä\\" \\\\ 🙂", "number": 1.5, "deep": {"list": [1, null, true]}}'
    write(store, installation, group(row(event_id, properties=text.encode()), app_version="1.2.3"))

    with tenant_context([installation.tenant_id]):
        (found,) = store.read(installation.pk, AROUND)

    assert found.id == event_id
    assert found.properties == {"text": 'ä" \\ 🙂', "number": 1.5, "deep": {"list": [1, None, True]}}
    assert found.context == {"channel": "web"}
    assert (found.name, found.version, found.app_version) == ("step", 1, "1.2.3")
    assert (found.received_at, found.occurred_at, found.retention_class) == (NOW, NOW, 30)
    assert (found.inclusion_probability, found.config_revision) == (0.5, 7)


def test_groups_keep_apart_what_their_events_share(store: EventStore, installation: Installation) -> None:
    first, second = uuid4(), uuid4()
    write(store, installation, group(row(first)), group(row(second), name="other", version=3))

    with tenant_context([installation.tenant_id]):
        found = {each.id: (each.name, each.version) for each in store.read(installation.pk, AROUND)}

    assert found == {first: ("step", 1), second: ("other", 3)}


def test_each_event_keeps_its_context_whoever_has_the_same(store: EventStore, installation: Installation) -> None:
    ids = [uuid4() for _ in range(6)]
    people = ("ann", "ben", "ann", "ann", "cleo", "ben")
    rows = [row(each, context=f'{{"userId":"{who}"}}'.encode()) for each, who in zip(ids, people, strict=True)]
    write(store, installation, group(*rows[:4]), group(*rows[4:], name="other"))

    with tenant_context([installation.tenant_id]):
        found = {each.id: each.context["userId"] for each in store.read(installation.pk, AROUND)}

    assert found == dict(zip(ids, people, strict=True))


def test_nothing_to_write_is_nothing(store: EventStore, installation: Installation) -> None:
    write(store, installation)
    write(store, installation, group())

    assert read(store, installation) == []


@pytest.mark.parametrize("each", list(RetentionClass))
def test_every_retention_class_has_a_place(store: EventStore, installation: Installation, each: RetentionClass) -> None:
    event_id = uuid4()

    write(store, installation, group(row(event_id), retention_class=each))

    assert read(store, installation) == [event_id]


def test_nobody_reads_an_event_past_its_day(store: EventStore, installation: Installation) -> None:
    write(store, installation, group(row(), expires_at=datetime.now(UTC) - timedelta(seconds=1)))

    assert read(store, installation) == []
    with tenant_context([installation.tenant_id]):
        assert store.counts(installation.pk, AROUND.start, AROUND.end) == {("step", 1): 1}


def test_a_window_has_its_start_and_not_its_end(store: EventStore, installation: Installation) -> None:
    early, late = uuid4(), uuid4()
    write(store, installation, group(row(early)))
    write(store, installation, group(row(late)), received_at=NOW + timedelta(minutes=1))

    assert read(store, installation, EventWindow(NOW, NOW + timedelta(minutes=1))) == [early]
    assert read(store, installation) == [late, early]
    assert read(store, installation, AROUND._replace(limit=1)) == [late]
    assert read(store, installation, AROUND._replace(name="other")) == []


def test_another_tenants_events_are_neither_read_nor_written(store: EventStore, installation: Installation) -> None:
    write(store, installation, group(row()))
    stranger = make_installation("globex")

    with tenant_context([stranger.tenant_id]):
        assert store.read(installation.pk, AROUND) == []
        with pytest.raises(Exception, match="row-level security"), transaction.atomic():
            store.write(
                tenant_id=installation.tenant_id,
                installation_id=installation.pk,
                received_at=NOW,
                groups=[group(row())],
            )


def test_a_transaction_that_is_rolled_back_leaves_nothing(store: EventStore, installation: Installation) -> None:
    with tenant_context([installation.tenant_id]):
        write(store, installation, group(row()))
        transaction.set_rollback(True)

    assert read(store, installation) == []


def test_sizes_are_told_by_class(
    store: EventStore, installation: Installation, as_owner: Callable[[], AbstractContextManager[None]]
) -> None:
    write(store, installation, group(row(), row()))
    with as_owner(), connection.cursor() as cursor:
        cursor.execute("ANALYZE telemetry_storedevent")

    sizes = {each.retention_class: each.rows for each in store.sizes()}

    assert list(sizes) == [7, 30, 90, 180, 365, 730, 36_500, 0]
    assert sizes[30] >= 2


SELECTION = RowSelection(0, RetentionClass.MONTH, AROUND.start, AROUND.end)


def selection_of(installation: Installation, **fields: Any) -> RowSelection:
    return SELECTION._replace(installation_id=installation.pk, **fields)


ODD = (
    b'{"text":"\\u00e4 \\"q\\", \\\\ \\n, \xf0\x9f\x99\x82","none":null,"big":12345678901234567890,'
    b'"n":1e-7,"list":[1.0,"\\u0001"]}'
)


def test_two_databases_give_the_same_digest_of_what_was_exported(
    store: EventStore, installation: Installation, tmp_path: Path
) -> None:
    rows = [row(properties=ODD), row(properties=b"{}"), row()]
    write(store, installation, group(*rows[:2], app_version="1.2.3", inclusion_probability=1 / 3))
    write(store, installation, group(rows[2], name='a "b", c', inclusion_probability=5e-18, app_version=""))

    with tenant_context([installation.tenant_id]):
        wanted = store.digest(selection_of(installation))
        store.export(selection_of(installation), installation=installation.public_id, target=tmp_path / "rows.csv")
    write_parquet(tmp_path / "rows.csv", tmp_path / "rows.parquet")
    found = read_contents(tmp_path / "rows.parquet")

    assert wanted.rows == 3
    assert found.rows == wanted
    assert [(each.name, each.version, each.day, each.rows) for each in found.events] == [
        ('a "b", c', 1, NOW.date(), 1),
        ("step", 1, NOW.date(), 2),
    ]
    assert (found.received_from, found.received_until, found.config_revisions) == (NOW, NOW, (7,))


@pytest.mark.parametrize(
    "changed",
    [
        {"properties": b'{"step":"built"}'},
        {"expires_at": NOW + timedelta(days=30, microseconds=1)},
        {"app_version": "1"},
        {"inclusion_probability": 0.5000000000000001},
        {"config_revision": 8},
        {"version": 2},
        {"privacy": PrivacyLevel.PII},
    ],
)
def test_a_digest_changes_with_every_column(
    store: EventStore, installation: Installation, changed: dict[str, Any]
) -> None:
    event_id, fields = uuid4(), dict(changed)
    properties = fields.pop("properties", b'{"step":"build"}')
    with tenant_context([installation.tenant_id]):
        write(store, installation, group(row(event_id)))
        before = store.remove(selection_of(installation))

        write(store, installation, group(row(event_id, properties=properties), **fields))

        after = store.digest(selection_of(installation))
    assert before.digest.rows == after.rows == 1
    assert before.digest != after


def test_what_is_removed_is_what_was_selected(store: EventStore, installation: Installation) -> None:
    gone, other, later, longer = uuid4(), uuid4(), uuid4(), uuid4()
    write(store, installation, group(row(gone)), group(row(other), version=2))
    write(store, installation, group(row(longer), expires_at=NOW + timedelta(days=31)))
    write(store, installation, group(row(later)), received_at=NOW + timedelta(minutes=1))
    narrow = selection_of(
        installation, end=NOW + timedelta(minutes=1), events=(("step", 1),), expires_by=NOW + timedelta(days=30)
    )

    with tenant_context([installation.tenant_id]):
        wanted = store.digest(narrow)
        removed = store.remove(narrow)

    assert removed.digest == wanted
    (count,) = removed.counts
    assert count[:7] == (installation.tenant_id, installation.pk, NOW.date(), "step", 1, 1, RetentionClass.MONTH)
    assert count.size_bytes > 128
    assert set(read(store, installation)) == {other, later, longer}


def test_a_selection_is_cut_between_batches(store: EventStore, installation: Installation) -> None:
    instants = [NOW + timedelta(seconds=number) for number in range(4)]
    for instant in instants:
        write(store, installation, group(row(), row()), received_at=instant)

    with tenant_context([installation.tenant_id]):
        ends = store.part_ends(selection_of(installation), most=3)

    assert ends == [instants[1], instants[2]]
    with tenant_context([installation.tenant_id]):
        assert store.part_ends(selection_of(installation), most=8) == [instants[3]]
        assert store.part_ends(selection_of(installation), most=9) == []


def test_what_is_restored_comes_once(store: EventStore, installation: Installation) -> None:
    known, lost = uuid4(), uuid4()
    write(store, installation, group(row(known)))
    rows = [
        RestoredRow(each, "step", 1, NOW, NOW, 90, "internal", "batch", None, 1.0, 7, b'{"a":1}', b"{}")
        for each in (known, lost, lost)
    ]
    expires_at = NOW + timedelta(days=60)

    with tenant_context([installation.tenant_id]):
        restored = store.restore(
            tenant_id=installation.tenant_id, installation_id=installation.pk, expires_at=expires_at, rows=rows
        )
        found = {
            each.id: (each.properties, each.expires_at, each.retention_class)
            for each in store.read(installation.pk, AROUND)
        }

    assert restored == {("step", 1): 1}
    assert found.keys() == {known, lost}
    assert found[lost] == ({"a": 1}, expires_at, 90)


def test_another_tenants_rows_are_neither_exported_nor_removed(
    store: EventStore, installation: Installation, tmp_path: Path
) -> None:
    write(store, installation, group(row()))
    stranger = make_installation("globex")

    with tenant_context([stranger.tenant_id]):
        selection = selection_of(installation)
        store.export(selection, installation=installation.public_id, target=tmp_path / "rows.csv")
        assert (tmp_path / "rows.csv").read_bytes() == b""
        assert store.remove(selection).digest == store.digest(selection)
        assert store.digest(selection).rows == 0
    assert len(read(store, installation)) == 1


FIRST = (datetime(2000, 1, 1, tzinfo=UTC), UUID(int=0))


def test_events_are_gone_through_in_order_and_past_their_day_too(store: EventStore, installation: Installation) -> None:
    ids = sorted([uuid4(), uuid4()])
    later = uuid4()
    write(store, installation, group(*map(row, ids), expires_at=datetime.now(UTC) - timedelta(days=1)))
    write(store, installation, group(row(later), retention_class=90), received_at=NOW + timedelta(minutes=1))
    write(store, installation, group(row(), name="other"))

    with tenant_context([installation.tenant_id]):
        first = store.scan(installation.pk, "step", after=FIRST, limit=2)
        last = (first[-1].row.received_at, first[-1].row.id)
        rest = store.scan(installation.pk, "step", after=last, limit=2)

        assert [each.row.id for each in first] == ids
        assert [each.row.id for each in rest] == [later]
        assert first[0].row.properties == {"step": "build"}
        assert not first[0].is_held
        assert store.names(installation.pk) == ["other", "step"]


def test_changed_events_show_what_they_should_and_others_stay(store: EventStore, installation: Installation) -> None:
    changed, other = uuid4(), uuid4()
    write(store, installation, group(row(changed), row(other)))
    write(store, installation, group(row(), name="other"))

    with tenant_context([installation.tenant_id]):
        rows = {each.row.id: each.row for each in store.scan(installation.pk, "step", after=FIRST, limit=10)}
        gone = rows[other]._replace(id=uuid4())
        done = store.change(
            installation.pk,
            [
                RowChange(rows[changed], b'{"step":"REDACTED"}', b"{}", PrivacyLevel.PII),
                RowChange(gone, b"{}", b"{}", PrivacyLevel.PII),
            ],
        )
        found = {each.id: (each.properties, each.context, each.privacy) for each in store.read(installation.pk, AROUND)}

    assert done == {changed}
    assert found.pop(changed) == ({"step": "REDACTED"}, {}, "pii")
    assert len(found) == 2
    assert set(map(str, found.values())) == {str(({"step": "build"}, {"channel": "web"}, "internal"))}
