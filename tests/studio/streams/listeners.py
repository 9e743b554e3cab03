"""A process that serves streams from the test's database, and clients that listen to it."""

import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple, Self
from urllib.parse import quote

import psutil
from django.conf import settings
from django.db import connection

from studio.processes import last_lines, start_process, stop_process
from tests.studio.ports import free_port
from tests.tenants.leases import PATIENCE, wait_until

__all__ = ["Event", "Listener", "StreamServer", "database_url", "stream_server", "wait_until_free"]

PATH = "/api/v1/config/stream"
LAST_CHUNK = b"0\r\n\r\n"


class Event(NamedTuple):
    """One server-sent event."""

    id: str
    name: str
    data: str


class StreamServer(NamedTuple):
    """A running server: its port and its process."""

    port: int
    process: Any

    @property
    def worker(self) -> psutil.Process:
        """The process that serves."""
        return psutil.Process(self.process.pid).children()[-1]


@contextmanager
def stream_server(**variables: str) -> Iterator[StreamServer]:
    """The production command, with the test's database, on a broker that is not there."""
    port = free_port()
    with TemporaryDirectory(prefix="studio-test-") as directory:
        log = Path(directory) / "streams.log"
        command = [
            *(sys.executable, "-m", "granian", "--interface", "asgi", "--port", str(port), "--workers", "1"),
            *("--backlog", "4096", "--backpressure", "10000", "--respawn-failed-workers"),
            *("--workers-kill-timeout", "10", "studio.streams.asgi:application"),
        ]
        environment = {
            **os.environ,
            "DATABASE_URL": database_url(),
            "DJANGO_SETTINGS_MODULE": "studio.settings.base",
            "PYTHONPATH": str(settings.BASE_DIR),
            **variables,
        }
        process = start_process(command, log=log, environment=environment, directory=settings.BASE_DIR)
        try:
            server = StreamServer(port, process)
            deadline = time.monotonic() + PATIENCE
            while not _answers(port):
                assert process.poll() is None, last_lines(log)
                assert time.monotonic() < deadline, last_lines(log)
                time.sleep(0.05)
            yield server
        finally:
            stop_process(process)


def database_url() -> str:
    """The test's database, for other processes."""
    database = connection.settings_dict
    login = database["USER"] + (f":{quote(database['PASSWORD'])}" if database["PASSWORD"] else "")
    if database["HOST"].startswith("/"):
        return f"postgresql://{login}@/{database['NAME']}?host={quote(database['HOST'])}"
    return f"postgresql://{login}@{database['HOST']}:{database['PORT'] or 5432}/{database['NAME']}"


def _answers(port: int) -> bool:
    try:
        with Listener(port, "", path="/healthz") as probe:
            return probe.status == 200
    except OSError:
        return False


class Listener:
    """One request on a connection of its own; its answer is read line by line."""

    def __init__(self, port: int, key: str, *, path: str = PATH, method: str = "GET", last_event_id: str = "") -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE)
        lines = [f"{method} {path} HTTP/1.1", "Host: 127.0.0.1"]
        if key:
            lines.append(f"Authorization: Bearer {key}")
        if last_event_id:
            lines.append(f"Last-Event-ID: {last_event_id}")
        self._socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        self._received = b""
        self.status, self.headers = self._read_head()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.close()

    def close(self) -> None:
        """Hang up."""
        self._socket.close()

    def block(self) -> str | None:
        """The next block of lines, without its chunk's header; ``None`` once the stream has ended."""
        while b"\n\n" not in self._received:
            if self._received.endswith(LAST_CHUNK) or not self._receive():
                return None
        block, _, self._received = self._received.partition(b"\n\n")
        lines = [line for line in block.decode().replace("\r", "").split("\n") if line]
        # Each piece is a chunk with a line that says how long it is.
        return "\n".join(line for line in lines if ":" in line)

    def event(self) -> Event | None:
        """The next event; ``None`` once the stream has ended."""
        while (block := self.block()) is not None:
            fields = dict(line.split(": ", 1) for line in block.split("\n") if not line.startswith(":"))
            if "data" in fields:
                return Event(fields["id"], fields["event"], fields["data"])
        return None

    def rest(self) -> bytes:
        """The body of an answer that is no stream."""
        length = int(self.headers["content-length"])
        while len(self._received) < length:
            assert self._receive()
        return self._received[:length]

    def _receive(self) -> bool:
        try:
            data = self._socket.recv(65536)
        except ConnectionResetError:
            data = b""
        self._received += data
        return bool(data)

    def _read_head(self) -> tuple[int, dict[str, str]]:
        while b"\r\n\r\n" not in self._received:
            if not self._receive():
                raise ConnectionError("the server closed the connection")
        head, _, self._received = self._received.partition(b"\r\n\r\n")
        first, *lines = head.decode().split("\r\n")
        return int(first.split()[1]), dict(line.lower().split(": ", 1) for line in lines)


def wait_until_free(server: StreamServer, key: str) -> None:
    """Return once a stream of the key may be opened."""

    def is_free() -> bool:
        try:
            with Listener(server.port, key) as listener:
                return listener.status == 200
        except OSError:
            return False

    wait_until(is_free)
