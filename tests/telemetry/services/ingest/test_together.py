"""Batches that come at the same time, or with clocks that are wrong: each event counts once."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection

from telemetry.core.enums import EventOutcome
from telemetry.core.event_ids import keep_id
from telemetry.models import StoredEvent
from telemetry.services.balance import draw_up_balance
from telemetry.services.ingest.claims import claim_ids
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.processed import BatchResult
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.tenants.together import run_together, wait_for_a_blocked_session

pytestmark = pytest.mark.django_db(transaction=True)

NOW = datetime.now(UTC)


def test_the_same_batch_ten_times_at_once_is_stored_once() -> None:
    make_published()
    installation = make_installation()
    events = [make_incoming() for _ in range(20)] + [make_incoming(event_id=f"order-{place}") for place in range(5)]

    results = run_together(*[lambda: ingest(installation, *events)] * 10)

    stored = [[item.outcome for item in getattr(result, "items", ())].count(EventOutcome.STORED) for result in results]
    assert sorted(stored) == [0] * 9 + [25]
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 25
        balance = draw_up_balance(installation, NOW - timedelta(hours=1), NOW + timedelta(hours=1))
    assert balance.is_balanced
    assert (balance.total.counts.received, balance.total.counts.duplicate) == (250, 225)


def test_batches_that_share_ids_in_other_orders_do_not_block_each_other() -> None:
    make_published()
    installation = make_installation()
    events = [make_incoming() for _ in range(50)]

    run_together(lambda: ingest(installation, *events), lambda: ingest(installation, *reversed(events)))

    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 50


def test_an_id_that_another_batch_has_claimed_since_this_one_looked_is_a_duplicate() -> None:
    make_published()
    installation = make_installation()
    contested, own = make_incoming(), make_incoming()
    assert contested.envelope is not None

    with ThreadPoolExecutor(1) as threads:
        with tenant_context((installation.tenant_id,)):
            claim_ids(installation, NOW, [keep_id(contested.envelope.id, b"")])
            late = threads.submit(_ingest_and_disconnect, installation, contested, own)
            wait_for_a_blocked_session()
        result = late.result()

    assert [item.outcome for item in result.items] == ["duplicate", "stored"]


@pytest.mark.parametrize("event_id", [None, "order-1", "5d1a4a52-30f5-4b0f-b7a3-5f2f9a3c1d11"])
def test_an_id_whose_clock_was_put_right_is_stored_once(event_id: str | None) -> None:
    make_published()
    installation = make_installation()
    first = make_incoming(event_id=event_id)
    assert first.envelope is not None

    for shift in (timedelta(), timedelta(hours=1), timedelta(hours=-1), timedelta(days=3), timedelta(days=-3)):
        again = make_incoming(event_id=first.envelope.id, occurred_at=first.envelope.occurred_at + shift)
        ingest(installation, again)

    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 1


@pytest.mark.parametrize("years", [-10, -1, 1, 10])
def test_a_clock_that_is_years_off_loses_nothing_and_puts_no_row_far_away(years: int) -> None:
    make_published()
    installation = make_installation()
    wrong = timedelta(days=365 * years)
    event = make_incoming(event_id="order-1", occurred_at=NOW + wrong)
    sent = type(event)(envelope=event.envelope, source=event.source, sent_at=NOW + wrong + timedelta(seconds=5))

    ingest(installation, sent, received_at=NOW)

    with tenant_context(ALL):
        stored = StoredEvent.objects.get()
    assert stored.received_at == NOW
    assert stored.occurred_at == NOW - timedelta(seconds=5)


def test_ids_without_a_day_are_known_across_the_end_of_a_month() -> None:
    make_published()
    installation = make_installation()
    event = make_incoming(event_id="order-1")
    this_month = NOW.replace(day=1, hour=12)
    next_month = (this_month + timedelta(days=32)).replace(day=1, hour=0)
    if (next_month - NOW).days >= 13:
        pytest.skip("the partitions of next month are made two weeks ahead")

    ingest(installation, event, received_at=next_month - timedelta(seconds=1))
    result = ingest(installation, event, received_at=next_month)

    assert [item.outcome for item in result.items] == ["duplicate"]


def _ingest_and_disconnect(installation: Installation, *events: Incoming) -> BatchResult:
    try:
        return ingest(installation, *events)
    finally:
        connection.close()
