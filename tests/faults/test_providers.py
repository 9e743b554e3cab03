"""Providers that fail, hang, ask for a pause or have no certificate: others get everything at once, they in the end."""

import threading
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from random import Random

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.models import DeliveryRecord, ProviderRecord
from telemetry.services.deliveries.delivering import deliver_once, due_providers
from tenants.context import ALL, tenant_context
from tests.faults.chance import rounds
from tests.sdk.servers import Reply
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import Receiver, receiver

pytestmark = pytest.mark.django_db


@pytest.fixture
def hang(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[threading.Event]:
    """What a reply waits for that does not come while anybody waits."""
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    monkeypatch.setattr("telemetry.providers.outgoing.session.WAIT_SECONDS", 0.1)
    gate = threading.Event()
    yield gate
    gate.set()


def troubles(chance: Random, gate: threading.Event) -> list[Reply]:
    """A third of all answers are none, and each kind comes at least once."""
    kinds = [
        Reply(503),
        Reply(429, headers={"Retry-After": str(chance.randint(1, 3_000))}),
        Reply(502, b"half of it", cut=True),
        Reply(200, gate=gate),
    ]
    return chance.sample([*kinds, *chance.choices(kinds, k=4)], 8)


def time_passes() -> None:
    """Every pause that a provider was given is over."""
    ProviderRecord.objects.update(paused_until=None, leased_until=None)
    DeliveryRecord.objects.filter(state="waiting").update(due_at=timezone.now())


def pass_on(provider: ProviderRecord) -> None:
    while deliver_once(provider.pk) == 0.0:
        pass


def test_one_that_fails_in_every_way_delays_no_other_and_gets_everything_in_the_end(hang: threading.Event) -> None:
    make_published()
    for number, chance in enumerate(rounds()):
        with receiver() as good_hook, receiver() as bad_hook:
            installation = make_installation(f"tenant{number}")
            bad = make_provider(installation, bad_hook.url, name="bad")
            # Plain HTTP answers where TLS is expected.
            unsafe = make_provider(installation, good_hook.url.replace("http:", "https:"), name="unsafe")
            good = make_provider(installation, good_hook.url, name="good")
            bad_hook.replies = troubles(chance, hang)
            sent = 0
            while sent < 150 or bad_hook.replies:
                size = chance.randint(1, 60)
                ingest(installation, *(make_incoming() for _ in range(size)))
                sent += size
                with tenant_context(ALL):
                    time_passes()
                for provider in chance.sample([bad, unsafe, good], 3):
                    pass_on(provider)
                assert sum(good_hook.events.values()) == sent
            with tenant_context(ALL):
                time_passes()
            pass_on(bad)

            assert set(good_hook.events.values()) == {1}
            # At least once each; whoever keeps the delivery id has each one once.
            assert set(bad_hook.events) == set(good_hook.events)
            assert len(bad_hook.deliveries) == sent
            give_up(unsafe)


def give_up(provider: ProviderRecord) -> None:
    """A day later, what it never took are dead letters."""
    with tenant_context(ALL):
        rows = DeliveryRecord.objects.filter(provider=provider)
        assert set(rows.values_list("state", flat=True)) == {"waiting"}
        assert ProviderRecord.objects.get(pk=provider.pk).last_error == "unreachable_tls"
        rows.update(created_at=timezone.now() - timedelta(hours=25))
    for _ in range(100):
        with tenant_context(ALL):
            time_passes()
        if provider.pk not in due_providers(timezone.now()):
            break
        deliver_once(provider.pk)
    with tenant_context(ALL):
        assert Counter(rows.values_list("state", flat=True)) == {"dead": rows.count()}


def test_pauses_after_failures_are_of_chance_and_grow(hang: threading.Event) -> None:
    make_published()
    for number, chance in enumerate(rounds()):
        with receiver() as hook:
            installation = make_installation(f"tenant{number}")
            provider = make_provider(installation, hook.url)
            ingest(installation, *(make_incoming() for _ in range(chance.randint(1, 20))))
            pauses = [pause_after_failure(hook, provider) for _ in range(12)]

            for place, pause in enumerate(pauses):
                longest = min(5.0 * 2**place, 900.0)
                assert longest / 2 - 1 <= pause <= longest
            assert len(set(pauses)) == 12


def pause_after_failure(hook: Receiver, provider: ProviderRecord) -> float:
    hook.always = Reply(503)
    deliver_once(provider.pk)
    with tenant_context(ALL):
        until = ProviderRecord.objects.get(pk=provider.pk).paused_until
        time_passes()
    assert until is not None
    return (until - timezone.now()).total_seconds()
