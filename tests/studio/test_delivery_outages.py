"""Configs are delivered while servers go away: no answer is wrong, old or missing, whatever happens to Valkey."""

import http.client
import json
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.conf import settings

from studio.embedded import valkey_server
from studio.processes import last_lines, start_process, stop_process
from telemetry.core.config import EventOverride, TenantOverride
from tests.studio.ports import free_port
from tests.studio.streams.listeners import database_url
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key, make_published_config
from tests.tenants.leases import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

STEP = "sigil.telemetry.workflow_step"


@contextmanager
def web_server(directory: Path, redis_url: str) -> Iterator[int]:
    """The port of the production command with two workers, on the test's database."""
    port = free_port()
    log = directory / "web.log"
    command = [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--port", str(port), "--workers", "2"),
        *("--blocking-threads", "4", "--workers-kill-timeout", "10", "studio.wsgi:application"),
    ]
    environment = {
        **os.environ,
        "DATABASE_URL": database_url(),
        "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "studio.settings.base",
        "PYTHONPATH": str(settings.BASE_DIR),
        "STUDIO_REQUESTS_PER_MINUTE": "1000000",
    }
    process = start_process(command, log=log, environment=environment, directory=settings.BASE_DIR)
    try:
        deadline = time.monotonic() + PATIENCE
        while not answers(port):
            assert process.poll() is None, last_lines(log)
            assert time.monotonic() < deadline, last_lines(log)
            time.sleep(0.05)
        yield port
    finally:
        stop_process(process)


def answers(port: int) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


class Reader(threading.Thread):
    """Fetches again and again, and notes whatever is not as it must be; ``least`` is what has been published."""

    def __init__(self, port: int, key: str) -> None:
        super().__init__(daemon=True)
        self.connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self.headers = {"Authorization": f"Bearer {key}"}
        self.least = 0.0
        self.answers = 0
        self.failures: list[str] = []
        self.is_over = threading.Event()

    def run(self) -> None:
        try:
            self._read()
        finally:
            self.connection.close()

    def _read(self) -> None:
        rate, etag = 0.0, ""
        while not self.is_over.is_set():
            least = self.least
            try:
                self.connection.request("GET", "/api/v1/config", headers={**self.headers, "If-None-Match": etag})
                response = self.connection.getresponse()
                body = response.read()
            except (OSError, http.client.HTTPException) as error:
                self.failures.append(repr(error))
                return
            if response.status == 200:
                rate, etag = json.loads(body)["events"][0]["sampling"]["rate"], response.headers["ETag"]
            elif response.status != 304:
                self.failures.append(f"{response.status} {body!r}")
            if rate < least:
                self.failures.append(f"{rate} after {least}")
            self.answers += 1
            time.sleep(0.001)


def test_when_valkey_is_killed_no_answer_is_wrong_old_or_missing() -> None:
    make_published()
    installation = make_installation()
    key = make_key(installation).text
    published = 0

    def publish(readers: list[Reader]) -> None:
        nonlocal published
        published += 1
        make_published_config(installation, TenantOverride(events={STEP: EventOverride(sampling_rate=published / 100)}))
        for reader in readers:
            reader.least = published / 100

    with TemporaryDirectory(prefix="studio-test-", ignore_cleanup_errors=True) as name:
        directory = Path(name)
        with valkey_server(directory / "valkey", durable=False) as valkey, web_server(directory, valkey.url) as port:
            publish([])
            readers = [Reader(port, key) for _ in range(6)]
            for reader in readers:
                reader.start()
            for _ in range(4):
                publish(readers)

            valkey.process.kill()

            for _ in range(6):
                publish(readers)
            asked_before = [reader.answers for reader in readers]
            wait_until(
                lambda: all(r.answers >= 20 + n or r.failures for r, n in zip(readers, asked_before, strict=True))
            )
            for reader in readers:
                reader.is_over.set()
            for reader in readers:
                reader.join(PATIENCE)

    assert [reader.failures for reader in readers] == [[]] * 6
