"""Workers that are killed in the middle of a delivery: every event gets there, under the same delivery id."""

import os
import signal
import time

import pytest

from telemetry.models import DeliveryRecord
from tenants.context import ALL, tenant_context
from tests.sdk.servers import PATIENCE
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import Receiver, receiver
from tests.telemetry.workers import LEASE_SECONDS, worker

# A worker as the dispatcher's threads are, but with a short lease: what a killed one had comes back after a moment.
WORKER = """
import sys, time
from datetime import timedelta
import django
django.setup()
from telemetry.services.deliveries import claiming
claiming.LEASE = timedelta(seconds=float(sys.argv[2]))
from telemetry.services.deliveries.delivering import deliver_once
print("ready", flush=True)
while True:
    if deliver_once(int(sys.argv[1])) != 0.0:
        time.sleep(0.02)
"""


def wait_for_calls(hook: Receiver, count: int) -> None:
    until = time.monotonic() + PATIENCE
    while len(hook.sizes) < count:
        assert time.monotonic() < until, hook.sizes
        time.sleep(0.001)


def is_all_delivered() -> bool:
    with tenant_context(ALL):
        return not DeliveryRecord.objects.exclude(state="delivered").exists()


@pytest.mark.django_db(transaction=True)
def test_workers_that_are_killed_while_they_deliver_lose_nothing() -> None:
    make_published()
    installation = make_installation()
    with receiver() as hook:
        provider = make_provider(installation, hook.url)
        events = [make_incoming() for _ in range(1200)]
        for start in range(0, 1200, 200):
            ingest(installation, *events[start : start + 200])

        for round_number in range(3):
            with worker(WORKER, provider.pk, LEASE_SECONDS) as process:
                # Killed as soon as a call is under way, or has just been answered.
                wait_for_calls(hook, round_number + 1)
                os.kill(process.pid, signal.SIGKILL)
        with worker(WORKER, provider.pk, LEASE_SECONDS):
            until = time.monotonic() + PATIENCE
            while not is_all_delivered():
                assert time.monotonic() < until
                time.sleep(0.05)

    ids = {event.envelope.id for event in events if event.envelope is not None}
    assert set(hook.events) == ids
    # At least once; twice only what was in the hands of a worker that was killed.
    assert sum(hook.events.values()) <= 1200 + 3 * 200
    assert len(hook.deliveries) == 1200
