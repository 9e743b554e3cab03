"""Workers that are killed while they notify: every notification gets there, under the same id, in order."""

import json
import os
import signal
import time

import pytest

from telemetry.models import Notification
from tenants.context import ALL, tenant_context
from tests.sdk.servers import PATIENCE, scripted_server
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case
from tests.telemetry.workers import LEASE_SECONDS, worker

# A worker as the dispatcher's threads are, but with a short lease: what a killed one had comes back after a moment.
WORKER = """
import sys, time
from datetime import timedelta
import django
django.setup()
from telemetry.services.alerts import claiming
claiming.LEASE = timedelta(seconds=float(sys.argv[2]))
from telemetry.services.alerts.delivering import notify_once
print("ready", flush=True)
while True:
    if not notify_once(int(sys.argv[1])):
        time.sleep(0.02)
"""


@pytest.mark.django_db(transaction=True)
def test_workers_that_are_killed_while_they_notify_lose_nothing_and_repeat_only_what_was_in_doubt() -> None:
    make_published()
    installation = make_installation()
    with scripted_server() as server:
        channel = make_channel(installation.tenant, server.url, most_per_hour=1000)
        for number in range(40):
            Case(installation, rule=f"rule-{number}").judge()

        for round_number in range(4):
            with worker(WORKER, channel.pk, LEASE_SECONDS) as process:
                # Killed as soon as a call is under way, or has just been answered.
                server.wait_for(5 * (round_number + 1))
                os.kill(process.pid, signal.SIGKILL)
        with worker(WORKER, channel.pk, LEASE_SECONDS):
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
