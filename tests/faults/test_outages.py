"""Servers that are killed, frozen or flooded: events and configs go on, nothing is lost, and others are served."""

import http.client
import json
import os
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

import pytest
from celery import Celery
from django.conf import settings
from django.utils import timezone

from studio.celery import app
from studio.processes import start_process, stop_process
from telemetry.models import DeliveryRecord, StoredEvent
from telemetry.sdk.identifiers import new_event_id
from tenants.context import ALL, tenant_context
from tenants.roles import Scope
from tests.faults.chance import ROUNDS, rounds
from tests.faults.valkey import Valkey, fragile_valkey
from tests.studio.streams.listeners import database_url
from tests.studio.web_servers import web_server
from tests.telemetry.factories import make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import receiver
from tests.tenants.factories import make_key
from tests.tenants.leases import PATIENCE, wait_until

BATCH = "/api/v1/events/batch"


class App:
    """Sends batches and fetches configs over one connection per call, and notes what came back."""

    def __init__(self, port: int, key: str) -> None:
        self._port, self._headers = port, {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}
        self.statuses: Counter[int] = Counter()
        self.pauses: list[str | None] = []
        self.acknowledged: set[str] = set()

    def send(self, count: int) -> int:
        """A batch of so many events; its status."""
        ids = [new_event_id() for _ in range(count)]
        event = {"name": "sigil.telemetry.workflow_step", "occurredAt": timezone.now().isoformat()}
        properties = {"workflow": "deploy", "step": "build"}
        body = json.dumps({"events": [{**event, "id": each, "properties": properties} for each in ids]})
        status = self.ask("POST", BATCH, body)
        if status == 200:
            self.acknowledged |= set(ids)
        return status

    def ask(self, method: str, path: str, body: str | None = None) -> int:
        """The status of the answer; waiting for ever is a failure."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        try:
            connection.request(method, path, body, self._headers)
            response = connection.getresponse()
            response.read()
        finally:
            connection.close()
        self.statuses[response.status] += 1
        if response.status == 429:
            self.pauses.append(response.headers["Retry-After"])
        return response.status


# F1 and F2, and kills of the job that merges tallies


def test_kills_lose_nothing_and_count_nothing_twice() -> None:
    seed = str(next(rounds()).randrange(2**31))
    kills = str(3 * ROUNDS)
    command = [sys.executable, "benchmarks/balance.py", "--seconds", "0", "--kills", kills, "--pause", "1"]

    done = subprocess.run([*command, "--seed", seed], cwd=settings.BASE_DIR, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.count(f"{ROUNDS} times") == 3, done.stdout
    result = json.loads(done.stdout.splitlines()[-1])
    assert result["acknowledged"] > 0, done.stdout
    assert (result["lost"], result["duplicated"], result["unbalanced"]) == (0, 0, 0), done.stdout


# F11 and F12


@contextmanager
def jobs(directory: Path, redis_url: str) -> Iterator[None]:
    """A worker for everything, on the test's database."""
    command = [sys.executable, "-m", "celery", "--app", "studio", "worker", "--queues", "celery,dispatch"]
    options = ["--pool", "threads", "--concurrency", "4", "--without-mingle", "--without-gossip"]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "studio.settings.base",
        "STUDIO_OUTGOING_ALLOW": "127.0.0.1",
    }
    log = directory / "worker.log"
    process = start_process([*command, *options], log=log, environment=environment, directory=settings.BASE_DIR)
    try:
        yield
    finally:
        stop_process(process)


def beat(valkey: Valkey) -> None:
    """What beat sends each minute."""
    publisher = Celery("beat", broker=valkey.url)
    publisher.conf.update({key: app.conf[key] for key in ("broker_transport_options", "task_publish_retry")})
    publisher.send_task("telemetry.sweep_deliveries")
    publisher.close()


def outage(chance: Random, valkey: Valkey, phone: App) -> None:
    """Valkey goes away in the middle of what the app does, in one way or the other, and comes back."""
    for fault in chance.sample(["killed", "frozen"], 2):
        use(chance, phone)
        if fault == "frozen":
            with valkey.frozen():
                use(chance, phone)
        else:
            valkey.kill()
            use(chance, phone)
            valkey.start_empty()
    use(chance, phone)


def use(chance: Random, phone: App) -> None:
    for _ in range(chance.randint(2, 5)):
        phone.send(chance.randint(1, 20))
        phone.ask("GET", "/api/v1/config")


@pytest.mark.django_db(transaction=True)
def test_while_valkey_is_gone_or_frozen_every_call_is_answered_and_afterwards_nothing_is_missing() -> None:
    make_published()
    installation = make_installation()
    key = make_key(installation, Scope.INGEST, Scope.CONFIG_READ).text
    with (
        TemporaryDirectory(prefix="studio-test-", ignore_cleanup_errors=True) as name,
        receiver() as hook,
        fragile_valkey(Path(name)) as valkey,
        web_server(Path(name), valkey.url) as port,
        jobs(Path(name), valkey.url),
    ):
        make_provider(installation, hook.url)
        phone = App(port, key)
        next_beat = [0.0]
        for chance in rounds():
            outage(chance, valkey, phone)

            def is_all_delivered() -> bool:
                # Not with every look: worker and broker would be busy with nothing but sweeps.
                if time.monotonic() >= next_beat[0]:
                    beat(valkey)
                    next_beat[0] = time.monotonic() + 1
                with tenant_context(ALL):
                    return not DeliveryRecord.objects.exclude(state="delivered").exists()

            wait_until(is_all_delivered)

    assert set(phone.statuses) == {200}
    with tenant_context(ALL):
        stored = {str(each) for each in StoredEvent.objects.values_list("id", flat=True)}
    assert stored == phone.acknowledged
    assert set(hook.events) == stored


# F22


@pytest.mark.django_db(transaction=True)
def test_a_key_that_floods_is_told_to_wait_and_the_others_are_served() -> None:
    make_published()
    flooding, calm = (make_installation(slug) for slug in ("acme", "globex"))
    with (
        TemporaryDirectory(prefix="studio-test-", ignore_cleanup_errors=True) as name,
        fragile_valkey(Path(name)) as valkey,
        web_server(Path(name), valkey.url, STUDIO_REQUESTS_PER_MINUTE="100") as port,
    ):
        for chance in rounds():
            flood = App(port, make_key(flooding, Scope.INGEST).text)
            phone = App(port, make_key(calm, Scope.INGEST, Scope.CONFIG_READ).text)
            # Eight at once: twice the threads of a process, each with a connection to the database.
            threads = [threading.Thread(target=send_often, args=(flood, 40, chance.randint(1, 20))) for _ in range(8)]
            for thread in threads:
                thread.start()
            for _ in range(15):
                phone.send(chance.randint(1, 20))
                phone.ask("GET", "/api/v1/config")
            for thread in threads:
                thread.join(PATIENCE)

            assert phone.statuses == {200: 30}
            assert set(flood.statuses) == {200, 429}
            assert all(pause is not None and 1 <= int(pause) <= 60 for pause in flood.pauses)


def send_often(app: App, times: int, size: int) -> None:
    for _ in range(times):
        app.send(size)
