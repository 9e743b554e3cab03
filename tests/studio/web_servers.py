"""The web server as production runs it, for tests that need processes of their own."""

import http.client
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

from studio.processes import last_lines, start_process, stop_process
from tests.studio.ports import free_port
from tests.studio.streams.listeners import database_url
from tests.tenants.leases import PATIENCE

__all__ = ["web_server"]


@contextmanager
def web_server(directory: Path, redis_url: str, **variables: str) -> Iterator[int]:
    """The port of the production command with two workers, on the test's database; ``variables`` are more of them."""
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
        **variables,
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
