"""The studio as it runs in production: a web server in a process of its own, on the test database."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from django.db import connection

from studio.processes import last_lines, start_process, stop_process

__all__ = ["METRICS_TOKEN", "RunningStudio", "running_studio"]

ROOT = Path(__file__).resolve().parents[2]
# Seconds after which a server that does not answer is given up.
PATIENCE = 60
METRICS_TOKEN = "0123456789-abcdefghijklmnopqrstuvwxyz"


class RunningStudio(NamedTuple):
    """Where it listens, and the file with all that it logs."""

    address: str
    log: Path


@contextmanager
def running_studio(directory: Path, redis_url: str) -> Iterator[RunningStudio]:
    """A studio runs within the block; it sees what tests have committed."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    log = directory / "web.log"
    environment = os.environ | {
        "DATABASE_URL": _database_url(),
        "REDIS_URL": redis_url,
        "DJANGO_SETTINGS_MODULE": "studio.settings.test",
        "PYTHONPATH": str(ROOT),
        "STUDIO_METRICS_TOKEN": METRICS_TOKEN,
    }
    command = [sys.executable, "-m", "granian", "--interface", "wsgi", "--host", "127.0.0.1", "--port", str(port)]
    command += ["--workers", "1", "--blocking-threads", "4", "studio.wsgi:application"]
    process = start_process(command, log=log, environment=environment, directory=ROOT)
    try:
        deadline = time.monotonic() + PATIENCE
        while not _answers(port):
            assert process.poll() is None, last_lines(log)
            assert time.monotonic() < deadline, last_lines(log)
            time.sleep(0.1)
        yield RunningStudio(f"http://127.0.0.1:{port}", log)
    finally:
        stop_process(process)


def _database_url() -> str:
    database = connection.settings_dict
    who = f"{quote(database['USER'])}:{quote(database['PASSWORD'])}" if database["PASSWORD"] else database["USER"]
    port = f"&port={database['PORT']}" if database["PORT"] else ""
    return f"postgresql://{who}@/{database['NAME']}?host={quote(database['HOST'], safe='')}{port}"


def _answers(port: int) -> bool:
    asking = HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asking.request("GET", "/readyz")
        return asking.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        asking.close()
