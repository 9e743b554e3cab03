"""Configs are delivered while servers go away: no answer is wrong, old or missing, whatever happens to Valkey."""

import http.client
import json
import threading
import time
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest

from studio.embedded import valkey_server
from telemetry.core.config import EventOverride, TenantOverride
from tests.studio.web_servers import web_server
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key, make_published_config
from tests.tenants.leases import PATIENCE, wait_until

pytestmark = pytest.mark.django_db(transaction=True)

STEP = "sigil.telemetry.workflow_step"


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
