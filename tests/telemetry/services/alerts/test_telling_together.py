"""Two beats and several workers: as many notifications as transitions, and each is sent once."""

import json
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from pytest_django import Settings

from telemetry.core.enums import AnomalyAction
from telemetry.models import IncidentEntry, Notification
from telemetry.services.alerts.delivering import notify_once
from telemetry.services.anomalies.evaluation import evaluate_due
from tenants.context import ALL, tenant_context
from tests.sdk.servers import PATIENCE, Reply, scripted_server
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import Case, told
from tests.telemetry.services.anomalies.test_evaluation import LAG, NOON, WIDTH, rule, send, start, watching
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def test_notifications_are_as_many_as_transitions(settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    spec = watching(rule(max=2.0, actions=(AnomalyAction.ALERT,)))
    make_published(spec)
    installations = [make_installation(slug) for slug in ("acme", "globex")]
    with scripted_server() as server:
        channels = [
            make_channel(each.tenant, server.url, quiet_minutes=0, most_per_hour=1000) for each in installations
        ]
        for installation in installations:
            start(installation)
        # Each fourth window is in breach: it opens, three normal ones end it.
        for index in range(24):
            if index % 4 == 0:
                for installation in installations:
                    send(installation, NOON + index * WIDTH, [1.0] * 3)
            now = NOON + (index + 1) * WIDTH + LAG
            run_together(*(lambda: evaluate_due(now=now) for _ in range(4)))  # noqa: B023 - called before the next round
        with tenant_context(ALL):
            Notification.objects.update(due_at=datetime.now(UTC) - timedelta(seconds=1))

        def work() -> None:
            # A worker that finds a channel in another's hands comes again.
            until = time.monotonic() + PATIENCE
            while is_waited_for():
                assert time.monotonic() < until
                for channel in channels:
                    notify_once(channel.pk)

        run_together(*(work for _ in range(3)))

    with tenant_context(ALL):
        transitions = IncidentEntry.objects.filter(kind__in=("opened", "resolved")).count()
        states = Counter(Notification.objects.values_list("state", flat=True))
    received = Counter(json.loads(asked.body)["deliveryId"] for asked in server.asked)
    assert transitions == 24
    assert states == {"delivered": 24}
    assert set(received.values()) == {1}
    assert len(received) == 24


def test_a_channel_whose_end_hangs_holds_no_other_up(settings: Settings) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    make_published()
    installation = make_installation()
    answers_now = threading.Event()
    with scripted_server() as server, ThreadPoolExecutor(1) as threads:
        slow = make_channel(installation.tenant, f"{server.url}/slow")
        quick = make_channel(installation.tenant, f"{server.url}/quick")
        server.answer = lambda asked: Reply(gate=answers_now if asked.path == "/slow" else None)
        Case(installation).judge()

        def notify_slow() -> bool:
            try:
                return notify_once(slow.pk)
            finally:
                connection.close()

        hanging = threads.submit(notify_slow)
        server.wait_for(1)
        notify_once(quick.pk)
        states = [told(channel=channel)[0][1] for channel in (slow, quick)]
        answers_now.set()
        hanging.result()

    assert states == ["waiting", "delivered"]
    assert told(channel=slow) == [("opened", "delivered", "")]


def is_waited_for() -> bool:
    with tenant_context(ALL):
        return Notification.objects.filter(state="waiting").exists()
