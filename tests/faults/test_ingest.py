"""Batches that come at once, with wrong clocks, with something wrong in each, or to tables without a place for them."""

from collections import Counter
from datetime import UTC, date, datetime, timedelta
from functools import partial
from random import Random
from typing import Any
from uuid import UUID

import pytest
from django.db import connection
from django.utils import timezone

from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.enums import EventOutcome
from telemetry.core.events import Context
from telemetry.core.mending import Mending
from telemetry.core.spec import Quarantine, TelemetryDefaults
from telemetry.models import EventTally, HeldEvent, SpecRecord, StoredEvent
from telemetry.services.balance import draw_up_balance
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.partitions import days_prepared, ensure_partitions
from telemetry.services.publishing import publish_version
from telemetry.services.quarantine.replaying import replay
from telemetry.services.specs import save_event
from telemetry.stores.partitions import AHEAD, existing_partitions
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_property, make_spec
from tests.faults.chance import rounds
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.quarantine.held import group
from tests.tenants.together import run_together

DAILY = ["telemetry_eventclaim", "telemetry_storedevent_d7", "telemetry_storedevent_d30", "telemetry_storedevent_d90"]


def stored_of(installation: Installation) -> Counter[UUID]:
    with tenant_context(ALL):
        return Counter(StoredEvent.with_expired.filter(installation=installation).values_list("id", flat=True))


def outcomes_of(result: Any) -> Counter[str]:
    return Counter(item.outcome.value for item in result.items)


# F3


@pytest.mark.django_db(transaction=True)
def test_the_same_batch_ten_times_at_once_is_stored_once_and_each_answer_tells_of_each_event() -> None:
    make_published()
    for number, chance in enumerate(rounds()):
        installation = make_installation(f"tenant{number}")
        events = [make_incoming(event_id=some_id(chance, place)) for place in range(chance.randint(1, 60))]
        orders = [chance.sample(events, len(events)) for _ in range(10)]

        results = run_together(*(partial(ingest, installation, *order) for order in orders))

        told = Counter((item.event_id, item.outcome) for result in results for item in getattr(result, "items", ()))
        ids = {event_id for event_id, _ in told}
        assert len(ids) == len(events)
        assert all(told[event_id, EventOutcome.STORED] == 1 for event_id in ids)
        assert all(told[event_id, EventOutcome.DUPLICATE] == 9 for event_id in ids)
        assert stored_of(installation) == {UUID(event_id): 1 for event_id in ids if event_id}
        now = timezone.now()
        with tenant_context(ALL):
            balance = draw_up_balance(installation, now - timedelta(hours=1), now + timedelta(hours=1))
        assert balance.is_balanced
        assert balance.total.counts.received == 10 * len(events)


def some_id(chance: Random, place: int) -> str | None:
    """None for one of ours, or what other people's clients give."""
    return chance.choice([None, f"order-{place}", str(UUID(int=chance.getrandbits(128), version=4))])


# F4


@pytest.mark.django_db
def test_ids_that_come_again_under_other_clocks_and_over_the_edge_of_a_day_are_stored_once() -> None:
    make_published()
    for number, chance in enumerate(rounds()):
        installation = make_installation(f"tenant{number}")
        now = datetime.now(UTC)
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)
        events = [make_incoming(event_id=some_id(chance, place)) for place in range(10)]

        for moment in (now, midnight - timedelta(seconds=1), midnight, midnight + timedelta(days=chance.randint(0, 3))):
            ingest(installation, *(shifted(chance, event) for event in events), received_at=moment)

        assert list(stored_of(installation).values()) == [1] * 10


def shifted(chance: Random, event: Incoming) -> Incoming:
    """The same event by another clock: up to three days off, once in a while exactly an hour."""
    assert event.envelope is not None
    seconds = chance.choice([3_600, -3_600, chance.uniform(-3 * 86_400, 3 * 86_400)])
    moment = event.envelope.occurred_at + timedelta(seconds=seconds)
    return make_incoming(event_id=event.envelope.id, occurred_at=moment)


# F5


@pytest.mark.django_db
def test_clocks_that_are_years_off_and_jump_lose_nothing_and_fill_no_far_partition() -> None:
    make_published()
    for number, chance in enumerate(rounds()):
        installation = make_installation(f"tenant{number}")
        received_at = datetime.now(UTC)
        true_moments, events = [], []
        for place in range(30):
            # One session whose clock is set anew before each event, forwards or backwards.
            off = timedelta(days=chance.uniform(-3_650, 3_650))
            age = timedelta(seconds=chance.uniform(0, 3_600))
            envelope = make_incoming(
                event_id=f"order-{place}", occurred_at=received_at - age + off, context=Context(session_id="one")
            ).envelope
            assert envelope is not None
            true_moments.append(received_at - age)
            events.append(Incoming(envelope=envelope, source=make_incoming().source, sent_at=received_at + off))

        for event in events:
            ingest(installation, event, received_at=received_at)

        with tenant_context(ALL):
            rows = list(StoredEvent.objects.filter(installation=installation).order_by("occurred_at"))
            skewed = sum(EventTally.objects.filter(installation=installation).values_list("skewed", flat=True))
        assert len(rows) == 30
        assert {row.received_at for row in rows} == {received_at}
        assert [round(row.occurred_at.timestamp(), 2) for row in rows] == [
            round(moment.timestamp(), 2) for moment in sorted(true_moments)
        ]
        assert skewed == 30


# F7


@pytest.mark.django_db
def test_what_was_wrong_in_every_batch_is_held_and_stored_once_after_the_spec_was_put_right() -> None:
    for number, chance in enumerate(rounds()):
        name, step = f"round.{number}", f"step.{number}"
        config = TelemetryDefaults(quarantine=Quarantine())
        make_published(make_spec(make_event(step, properties=numbers(required=True)), name=name, config=config))
        installation = make_installation(f"tenant{number}", blueprint=AppBlueprint(spec=SpecPointer(name=name)))
        batches, size = chance.randint(5, 15), chance.randint(2, 20)
        for _ in range(batches):
            events = [make_incoming(name=step, properties={"count": 1, "size": 2}) for _ in range(size)]
            events[chance.randrange(size)] = make_incoming(name=step, properties={"size": 2})
            assert outcomes_of(ingest(installation, *events)) == {"stored": size - 1, "rejected": 1}
        with tenant_context(ALL):
            held = HeldEvent.objects.filter(installation=installation)
            assert Counter(held.values_list("reason", flat=True)) == {"missing_required properties.count": batches}
        assert sum(stored_of(installation).values()) == batches * (size - 1)

        put_right(name, step)
        with tenant_context(ALL):
            found = group()
            first = replay(actor=SYSTEM, group=found, mending=Mending())
            second = replay(actor=SYSTEM, group=found, mending=Mending())

        assert (dict(first.outcomes), first.left) == ({EventOutcome.STORED: batches}, 0)
        assert dict(second.outcomes) == {}
        assert list(stored_of(installation).values()) == [1] * (batches * size)


def numbers(*, required: bool) -> dict[str, Any]:
    return {"count": make_property("number", required=required), "size": make_property("number")}


def put_right(name: str, step: str) -> None:
    """The spec's next version asks for less: what was required may be missing."""
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=name, event=make_event(step, properties=numbers(required=False)))
        revision = SpecRecord.objects.get(name=name).draft_revision
        publish_version(actor=SYSTEM, name=name, expected_revision=revision, change_summary="Nothing is required")


# F21


@pytest.mark.django_db
def test_while_the_job_that_makes_partitions_fails_events_are_taken_and_the_days_left_are_known(
    as_owner: Any,
) -> None:
    make_published()
    for number, chance in enumerate(rounds()):
        installation = make_installation(f"tenant{number}")
        today = timezone.now().date()
        # From some day on, today perhaps, some of the tables have no place.
        first = today + timedelta(days=chance.randint(0, 13))
        for parent in chance.sample(DAILY, chance.randint(1, len(DAILY))):
            drop_partitions_from(as_owner, parent, first)
        # What /readyz looks at: red when it is two days or fewer.
        assert days_prepared() == (first - today).days

        results = [outcomes_of(ingest(installation, *(make_incoming() for _ in range(5)))) for _ in range(3)]

        assert results == [{"stored": 5}] * 3
        ensure_partitions()
        assert days_prepared() == AHEAD.days


def drop_partitions_from(as_owner: Any, parent: str, first: date) -> None:
    with as_owner(), connection.cursor() as cursor:
        for day in existing_partitions().get(parent, ()):
            if day >= first:
                cursor.execute(f"DROP TABLE {parent}_{day:%Y%m%d}")
