"""Passing events on: each gets there at least once, whatever the other end does, and no provider holds up another."""

import logging
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import DeliveryRecord, ProviderRecord, StoredEvent
from telemetry.services.deliveries.claiming import claim
from telemetry.services.deliveries.delivering import deliver_once, due_providers, forget_old_deliveries
from telemetry.services.deliveries.sending import Sending, Trouble, delivery_id
from telemetry.services.deliveries.settling import MOST_REFUSALS, pause_after, settle
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.sdk.servers import Reply
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import Receiver, receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def hook(settings: Settings) -> Iterator[Receiver]:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    with receiver() as found:
        yield found


def store(installation: Installation, count: int, **fields: Any) -> list[str]:
    """So many events are ingested in one batch; their ids."""
    events = [make_incoming(**fields) for _ in range(count)]
    ingest(installation, *events)
    return [event.envelope.id for event in events if event.envelope is not None]


def deliver_all(provider: ProviderRecord, *, most: int = 200) -> int:
    """Rounds until there is nothing to do for now; how many."""
    for number in range(most):
        if deliver_once(provider.pk) != 0.0:
            return number + 1
    raise AssertionError("does not come to an end")


def rows(**wanted: object) -> list[DeliveryRecord]:
    with tenant_context(ALL):
        return list(DeliveryRecord.objects.filter(**wanted).order_by("id"))


def fresh(provider: ProviderRecord) -> ProviderRecord:
    with tenant_context(ALL):
        return ProviderRecord.objects.get(pk=provider.pk)


def change(provider: ProviderRecord, **fields: object) -> None:
    with tenant_context(ALL):
        ProviderRecord.objects.filter(pk=provider.pk).update(**fields)


def run_out(provider: ProviderRecord) -> None:
    """The time of whoever holds the provider is over."""
    change(provider, leased_until=timezone.now())
    with tenant_context(ALL):
        DeliveryRecord.objects.filter(provider=provider).update(due_at=timezone.now())


def dead_events() -> int:
    return sum(row.count for row in rows(state="dead"))


# What gets there


def test_kept_events_get_there_once_redacted_and_with_ids_that_stay(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    ids = store(installation, 3, properties={"workflow": "deploy", "step": "build", "userId": "alice@example.com"})

    deliver_all(provider)

    assert hook.events == dict.fromkeys(ids, 1)
    assert set(hook.deliveries) == {str(delivery_id(provider, UUID(each))) for each in ids}
    assert b"alice" not in hook.server.asked[0].body
    assert [row.state for row in rows()] == ["delivered"]
    found = fresh(provider)
    assert (found.delivered, found.failures, found.last_error) == (3, 0, "")
    assert found.last_delivered_at is not None
    assert found.leased_until is None


def test_several_batches_go_in_one_call_and_a_large_one_in_several(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    ids = store(installation, 10) + store(installation, 20) + store(installation, 350)

    deliver_all(provider)

    assert hook.events == dict.fromkeys(ids, 1)
    assert hook.sizes == [130, 200, 50]


def test_nothing_to_do_calls_nobody(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)

    assert deliver_once(provider.pk) is None
    assert deliver_once(provider.pk + 1) is None

    assert hook.sizes == []
    assert fresh(provider).leased_until is None


def test_running_it_twice_sends_nothing_twice(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    ids = store(installation, 2)
    deliver_all(provider)

    deliver_all(provider)

    assert hook.events == dict.fromkeys(ids, 1)


def test_an_event_that_was_erased_meanwhile_is_passed_over(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    erased, kept = store(installation, 2)
    with tenant_context(ALL):
        StoredEvent.with_expired.filter(id=erased).delete()

    deliver_all(provider)

    assert hook.events == {kept: 1}
    assert fresh(provider).delivered == 1
    assert [row.state for row in rows()] == ["delivered"]


def test_where_nothing_is_left_nobody_is_called(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    store(installation, 2)
    with tenant_context(ALL):
        StoredEvent.with_expired.all().delete()

    deliver_all(provider)

    assert hook.sizes == []
    assert (fresh(provider).delivered, fresh(provider).last_delivered_at) == (0, None)


def test_a_provider_that_is_off_keeps_what_it_is_owed(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    ids = store(installation, 1)
    change(provider, is_enabled=False)

    assert deliver_once(provider.pk) is None
    change(provider, is_enabled=True)
    deliver_all(provider)

    assert hook.events == dict.fromkeys(ids, 1)


# Trouble that passes


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_after_trouble_that_may_pass_the_provider_rests_and_everything_gets_there_later(
    installation: Installation, hook: Receiver, status: int
) -> None:
    provider = make_provider(installation, hook.url)
    hook.replies = [Reply(status)] * 2
    ids = store(installation, 2)

    deliver_all(provider)
    resting = fresh(provider)
    assert (resting.failures, resting.last_error, resting.last_status) == (1, "answered", status)
    assert resting.paused_until is not None
    assert deliver_once(provider.pk) is None
    assert len(hook.sizes) == 1

    for _ in range(2):
        change(provider, paused_until=timezone.now())
        deliver_all(provider)

    assert hook.events == dict.fromkeys(ids, 1)
    recovered = fresh(provider)
    assert (recovered.failures, recovered.paused_until, recovered.delivered) == (0, None, 2)
    assert rows()[0].attempts == 3


def test_a_pause_that_the_other_end_asks_for_is_kept(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    hook.replies = [Reply(429, headers={"Retry-After": "1800"})]
    store(installation, 1)
    before = timezone.now()

    deliver_all(provider)

    paused_until = fresh(provider).paused_until
    assert paused_until is not None
    assert paused_until >= before + timedelta(minutes=30)


def test_after_a_failure_one_row_is_tried_before_the_others(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    hook.replies = [Reply(503)]
    for _ in range(3):
        store(installation, 10)

    deliver_all(provider)
    change(provider, paused_until=timezone.now())
    deliver_all(provider)

    assert hook.sizes == [30, 10, 20]


def test_a_server_that_is_gone_is_told_in_a_word(
    installation: Installation, settings: Settings, caplog: pytest.LogCaptureFixture
) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    provider = make_provider(installation, "http://127.0.0.1:9/")
    store(installation, 1)

    deliver_all(provider)

    assert (fresh(provider).last_error, fresh(provider).last_status) == ("unreachable_connection", None)
    assert caplog.messages == []


def test_what_waited_too_long_is_given_up(installation: Installation, hook: Receiver, settings: Settings) -> None:
    provider = make_provider(installation, hook.url)
    hook.always = Reply(503)
    store(installation, 2)
    with tenant_context(ALL):
        too_long_ago = timezone.now() - timedelta(hours=settings.STUDIO_DELIVERY_RETRY_HOURS, minutes=1)
        DeliveryRecord.objects.update(created_at=too_long_ago)
    store(installation, 1)

    deliver_all(provider)

    assert [(row.state, row.count, row.status) for row in rows()] == [("dead", 2, 503), ("waiting", 1, 503)]


@pytest.mark.parametrize(
    ("trouble", "failures", "retry_after", "expected"),
    [
        (Trouble.PASSING, 1, None, 2.5),
        (Trouble.PASSING, 3, None, 10.0),
        (Trouble.PASSING, 99, None, 450.0),
        (Trouble.SETTINGS, 1, None, 30.0),
        (Trouble.SETTINGS, 99, None, 450.0),
        (Trouble.PASSING, 1, 7.0, 7.0),
        (Trouble.PASSING, 99, 3600.0, 3600.0),
    ],
)
def test_pauses_double_up_to_a_quarter_of_an_hour(
    trouble: Trouble, failures: int, retry_after: float | None, expected: float
) -> None:
    assert pause_after(trouble, failures, retry_after, 0.5) == expected


# Trouble that somebody has to put right


@pytest.mark.parametrize("status", [301, 401, 403, 404, 405, 410])
def test_events_wait_while_credential_or_address_are_wrong(
    installation: Installation, hook: Receiver, status: int
) -> None:
    provider = make_provider(installation, hook.url)
    hook.replies = [Reply(status)]
    ids = store(installation, 1)

    deliver_all(provider)
    assert [row.state for row in rows()] == ["waiting"]
    change(provider, paused_until=timezone.now())
    deliver_all(provider)

    assert hook.events == dict.fromkeys(ids, 1)


def test_an_address_that_is_internal_by_now_is_not_called(
    installation: Installation, hook: Receiver, settings: Settings
) -> None:
    provider = make_provider(installation, hook.url)
    store(installation, 1)
    settings.STUDIO_OUTGOING_ALLOW = []

    deliver_all(provider)

    assert hook.sizes == []
    assert fresh(provider).last_error == "blocked_address"
    assert [row.state for row in rows()] == ["waiting"]


def test_a_credential_of_another_row_or_lost_keys_calls_nobody(
    installation: Installation, hook: Receiver, settings: Settings
) -> None:
    provider = make_provider(installation, hook.url)
    other = make_provider(make_installation("globex"), hook.url)
    change(provider, sealed=other.sealed)
    store(installation, 1)

    deliver_all(provider)
    assert fresh(provider).last_error == "credential_unreadable"
    change(provider, sealed=provider.sealed, paused_until=None)
    settings.STUDIO_CREDENTIAL_KEYS = ["another key altogether"]
    deliver_all(provider)

    assert fresh(provider).last_error == "credential_unreadable"
    assert hook.sizes == []


def test_an_unexpected_error_is_logged_by_its_type_and_tried_again(
    installation: Installation, hook: Receiver, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    provider = make_provider(installation, hook.url)
    store(installation, 1)

    def broken(*_arguments: object) -> None:
        raise KeyError("alice@example.com")

    monkeypatch.setattr("telemetry.providers.webhook.WebhookClient.send", broken)
    deliver_all(provider)

    assert fresh(provider).last_error == "unexpected"
    [record] = caplog.records
    assert (record.message, record.levelno) == ("delivery.failed_unexpectedly", logging.ERROR)
    assert "alice" not in str(record.__dict__)


# Events that are not wanted


def test_one_event_that_is_not_wanted_is_found_and_the_others_get_there(
    installation: Installation, hook: Receiver
) -> None:
    provider = make_provider(installation, hook.url)
    good = store(installation, 30)
    [poison] = store(installation, 1, properties={"workflow": "poison", "step": "build"})
    good += store(installation, 30)
    hook.poison = b"poison"

    deliver_all(provider)

    assert hook.events == dict.fromkeys(good, 1)
    [dead] = rows(state="dead")
    assert (dead.event_ids, dead.error, dead.status) == ([UUID(poison)], "answered", 400)
    found = fresh(provider)
    assert (found.failures, found.paused_until, found.delivered) == (0, None, 60)


def test_a_provider_that_wants_none_of_many_rests_instead_of_giving_all_up(
    installation: Installation, hook: Receiver
) -> None:
    provider = make_provider(installation, hook.url)
    hook.always = Reply(400)
    store(installation, 100)

    deliver_all(provider)

    assert dead_events() == MOST_REFUSALS - 1
    assert fresh(provider).paused_until is not None
    hook.always = None
    change(provider, paused_until=timezone.now())
    deliver_all(provider)
    assert sum(hook.events.values()) == 100 - dead_events()


# Several workers, and workers that die


def test_two_workers_cannot_have_the_same_provider(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    store(installation, 1)
    now = timezone.now()

    first, second = claim(provider.pk, now=now), claim(provider.pk, now=now)

    assert first is not None
    assert second is None
    assert due_providers(now) == []


def test_what_a_killed_worker_had_in_hand_comes_back(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    ids = store(installation, 2)
    taken = claim(provider.pk, now=timezone.now())
    assert taken is not None
    assert due_providers(timezone.now()) == []

    run_out(provider)

    assert due_providers(timezone.now()) == [provider.pk]
    deliver_all(provider)
    assert hook.events == dict.fromkeys(ids, 1)


def test_a_worker_that_comes_back_too_late_changes_nothing(installation: Installation, hook: Receiver) -> None:
    provider = make_provider(installation, hook.url)
    store(installation, 1)
    late = claim(provider.pk, now=timezone.now())
    assert late is not None
    run_out(provider)
    other = claim(provider.pk, now=timezone.now())
    assert other is not None

    settle(late, Sending(trouble=Trouble.PASSING, error="unreachable_timeout"), now=timezone.now())

    assert fresh(provider).failures == 0
    settle(other, Sending(sent=1), now=timezone.now())
    assert [row.state for row in rows()] == ["delivered"]


def test_one_failing_provider_delays_no_other(installation: Installation, hook: Receiver, settings: Settings) -> None:
    with receiver() as failing:
        failing.always = Reply(503)
        bad = make_provider(installation, failing.url, name="bad")
        good = make_provider(installation, hook.url, name="good")
        ids = store(installation, 5)

        deliver_all(bad)
        deliver_all(good)

    assert hook.events == dict.fromkeys(ids, 1)
    assert (fresh(good).failures, fresh(bad).failures) == (0, 1)
    assert Counter(row.state for row in rows()) == {"delivered": 1, "waiting": 1}


# The sweep


def test_the_sweep_finds_providers_that_are_owed_something_and_awake(installation: Installation) -> None:
    now = timezone.now()
    owed = make_provider(installation, name="owed")
    make_provider(installation, name="off", is_enabled=False)
    resting = make_provider(installation, name="resting", paused_until=now + timedelta(hours=1))
    store(installation, 1)
    make_provider(installation, name="owed nothing")

    assert due_providers(timezone.now()) == [owed.pk]
    change(resting, paused_until=now)
    assert due_providers(timezone.now()) == [owed.pk, resting.pk]


def test_deliveries_and_dead_letters_are_forgotten_after_their_days(
    installation: Installation, settings: Settings
) -> None:
    make_provider(installation)
    for _ in range(5):
        store(installation, 1)
    now = timezone.now()
    ages = {"delivered": (6, 8), "dead": (29, 31)}
    with tenant_context(ALL):
        ids = iter(DeliveryRecord.objects.order_by("id").values_list("pk", flat=True))
        for state, days in ages.items():
            for age in days:
                DeliveryRecord.objects.filter(pk=next(ids)).update(state=state, settled_at=now - timedelta(days=age))

    assert forget_old_deliveries(now) == 2
    assert forget_old_deliveries(now) == 0

    assert [row.state for row in rows()] == ["delivered", "dead", "waiting"]
