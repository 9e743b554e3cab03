"""Workers that are killed in the middle of a delivery: every event gets there, under the same delivery id."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

import pytest
from django.db import connection

from telemetry.models import DeliveryRecord, ProviderRecord
from tenants.context import ALL, tenant_context
from tests.sdk.servers import PATIENCE
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import Receiver, receiver

# A worker as the dispatcher's threads are, but with a short lease: what a killed one had comes back after a moment.
WORKER = """
import sys, time
from datetime import timedelta
import django
django.setup()
from telemetry.services.deliveries import claiming
claiming.LEASE = timedelta(seconds=0.5)
from telemetry.services.deliveries.delivering import deliver_once
print("ready", flush=True)
while True:
    if deliver_once(int(sys.argv[1])) != 0.0:
        time.sleep(0.02)
"""


@contextmanager
def worker(provider: ProviderRecord) -> Iterator["subprocess.Popen[str]"]:
    """A worker for the provider, on the test's database; it is there when the block begins."""
    database = connection.settings_dict
    url = f"postgresql://{quote(database['USER'])}@/{database['NAME']}?host={quote(database['HOST'], safe='')}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "studio.settings.test",
        "STUDIO_OUTGOING_ALLOW": "127.0.0.1",
    }
    command = [sys.executable, "-c", WORKER, str(provider.pk)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


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
            with worker(provider) as process:
                # Killed as soon as a call is under way, or has just been answered.
                wait_for_calls(hook, round_number + 1)
                os.kill(process.pid, signal.SIGKILL)
        with worker(provider):
            until = time.monotonic() + PATIENCE
            while not is_all_delivered():
                assert time.monotonic() < until
                time.sleep(0.05)

    ids = {event.envelope.id for event in events if event.envelope is not None}
    assert set(hook.events) == ids
    # At least once; again only what was in the hands of a worker that was killed, of which there were three.
    assert max(hook.events.values()) <= 1 + 3
    assert len(hook.deliveries) == 1200
