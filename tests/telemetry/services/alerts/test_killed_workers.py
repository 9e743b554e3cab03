"""Workers that are killed while they notify: every notification gets there, under the same id, in order."""

import json
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

from telemetry.models import AlertChannel, Notification
from tenants.context import ALL, tenant_context
from tests.sdk.servers import PATIENCE, scripted_server
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case

# A worker as the dispatcher's threads are, but with a short lease: what a killed one had comes back after a moment.
WORKER = """
import sys, time
from datetime import timedelta
import django
django.setup()
from telemetry.services.alerts import claiming
claiming.LEASE = timedelta(seconds=0.5)
from telemetry.services.alerts.delivering import notify_once
print("ready", flush=True)
while True:
    if not notify_once(int(sys.argv[1])):
        time.sleep(0.02)
"""


@contextmanager
def worker(channel: AlertChannel) -> Iterator["subprocess.Popen[str]"]:
    """A worker for the channel, on the test's database; it is there when the block begins."""
    database = connection.settings_dict
    url = f"postgresql://{quote(database['USER'])}@/{database['NAME']}?host={quote(database['HOST'], safe='')}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "studio.settings.test",
        "STUDIO_OUTGOING_ALLOW": "127.0.0.1",
    }
    command = [sys.executable, "-c", WORKER, str(channel.pk)]
    with subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n"
            yield process
        finally:
            process.kill()


@pytest.mark.django_db(transaction=True)
def test_workers_that_are_killed_while_they_notify_lose_nothing_and_repeat_only_what_was_in_doubt() -> None:
    make_published()
    installation = make_installation()
    with scripted_server() as server:
        channel = make_channel(installation.tenant, server.url, most_per_hour=1000)
        for number in range(40):
            Case(installation, rule=f"rule-{number}").judge()

        for round_number in range(4):
            with worker(channel) as process:
                # Killed as soon as a call is under way, or has just been answered.
                server.wait_for(5 * (round_number + 1))
                os.kill(process.pid, signal.SIGKILL)
        with worker(channel):
            until = time.monotonic() + PATIENCE
            while not is_all_delivered():
                assert time.monotonic() < until
                time.sleep(0.05)
        received = [json.loads(asked.body) for asked in server.asked]

    with tenant_context(ALL):
        ids = [str(found) for found in Notification.objects.order_by("id").values_list("public_id", flat=True)]
    # At least once, each under its own id, in the order of what happened; twice only what a killed worker had in hand.
    assert list(dict.fromkeys(body["deliveryId"] for body in received)) == ids
    assert 40 <= len(received) <= 40 + 4


def is_all_delivered() -> bool:
    with tenant_context(ALL):
        return not Notification.objects.exclude(state="delivered").exists()
