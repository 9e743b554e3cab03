"""Merging tallies changes how they are kept, and nothing of what they say."""

from datetime import UTC, datetime, timedelta

import pytest
from datasketches import tdigest_double
from django.db import connection

from telemetry.core.events import Context
from telemetry.models import EventDay, EventTally
from telemetry.services.tallies import merge_tallies
from telemetry.tallies.detail import decode_detail, encode_detail
from telemetry.tallies.sketches import quantiles_of
from telemetry.tallies.summary import TallySummary
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published, tallied

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
NOW = datetime.now(UTC)
EARLIER = NOW - timedelta(minutes=10)


def everything_in(tally: TallySummary) -> tuple[object, ...]:
    number = tally.number("durationMs")
    assert number is not None
    return (
        (tally.received, tally.rejected, tally.violating, tally.valid),
        (number.count, number.total, number.minimum, number.maximum, number.quantile(0.5)),
        tally.above("durationMs", 1500.0),
        tally.missing,
        tally.unique_subjects(),
    )


def batches(installation: Installation) -> None:
    for batch in range(4):
        events = [
            make_incoming(
                occurred_at=EARLIER,
                properties={"workflow": "deploy", "step": "build", "durationMs": 1_000 + 100 * (batch + place)},
                context=Context(user_id=f"user {place}"),
            )
            for place in range(5)
        ]
        ingest(installation, *events, make_incoming(name="made_up"), received_at=EARLIER)


def test_merged_tallies_say_what_they_said_before() -> None:
    make_published()
    installation = make_installation()
    batches(installation)
    before = everything_in(tallied(installation))

    merged = merge_tallies()

    with tenant_context(ALL):
        rows = list(EventTally.objects.values_list("name", "is_merged"))
    assert merged == 8
    assert sorted(rows) == [("", True), (STEP, True)]
    assert everything_in(tallied(installation)) == before


def test_rows_with_t_digests_of_few_values_are_merged_with_those_of_today() -> None:
    make_published()
    installation = make_installation()
    batches(installation)
    before = everything_in(tallied(installation))
    with tenant_context(ALL):
        for row in EventTally.objects.filter(name=STEP).order_by("pk")[:2]:
            detail = decode_detail(bytes(row.detail or b""))
            number = detail.numbers["durationMs"]
            stored = tdigest_double(200)
            for value in quantiles_of(number.digest, [place / 4 for place in range(5)]):
                stored.update(value)
            number.digest = bytes(stored.serialize())
            EventTally.objects.filter(pk=row.pk).update(detail=encode_detail(detail))
    assert everything_in(tallied(installation)) == before

    merge_tallies()

    assert everything_in(tallied(installation)) == before


def test_days_are_the_sum_of_merged_tallies() -> None:
    make_published()
    installation = make_installation()
    batches(installation)

    merge_tallies()

    with tenant_context(ALL):
        days = {each.name: (each.received, each.stored, each.rejected) for each in EventDay.objects.all()}
        assert EventDay.objects.filter(day=EARLIER.date()).count() == 2
    assert days == {STEP: (20, 20, 0), "": (4, 0, 4)}


def test_merging_twice_changes_nothing_more() -> None:
    make_published()
    installation = make_installation()
    batches(installation)
    merge_tallies()
    with tenant_context(ALL):
        before = list(EventDay.objects.order_by("pk").values())

    assert merge_tallies() == 0

    with tenant_context(ALL):
        assert list(EventDay.objects.order_by("pk").values()) == before


def test_what_comes_later_for_the_same_minute_is_added() -> None:
    make_published()
    installation = make_installation()
    batches(installation)
    merge_tallies()
    batches(installation)

    merge_tallies()

    with tenant_context(ALL):
        assert EventDay.objects.get(name=STEP).received == 40
    assert tallied(installation).received == 40


def test_a_minute_that_is_not_over_is_left_alone() -> None:
    make_published()
    ingest(make_installation(), make_incoming())

    assert merge_tallies() == 0

    with tenant_context(ALL):
        assert not EventTally.objects.filter(is_merged=True).exists()


@pytest.mark.django_db(transaction=True)
def test_of_two_that_merge_at_once_one_does_nothing(owner_connection: object) -> None:
    make_published()
    installation = make_installation()
    batches(installation)
    owner_connection.execute("BEGIN")  # type: ignore[attr-defined]
    owner_connection.execute(  # type: ignore[attr-defined]
        "SELECT pg_advisory_xact_lock(hashtextextended('studio_merge_tallies', 0))"
    )

    assert merge_tallies() == 0

    owner_connection.execute("ROLLBACK")  # type: ignore[attr-defined]
    assert merge_tallies() == 8
    assert not connection.in_atomic_block
