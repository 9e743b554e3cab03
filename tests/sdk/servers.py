"""Real HTTP servers on the loopback interface that answer as a test tells them, and remember what they were asked."""

import gzip
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

__all__ = ["PATIENCE", "Asked", "Reply", "ScriptedServer", "scripted_server"]

# How long a test waits for what must come before it gives up, in seconds. No test asserts that anything is faster.
PATIENCE = 60.0


@dataclass(frozen=True)
class Asked:
    """One request as it came; header names are lower case."""

    method: str
    path: str
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True)
class Reply:
    """What to answer; ``gate`` delays the answer until it is set, ``cut`` closes after half of the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    gate: threading.Event | None = None
    cut: bool = False

    def gzipped(self) -> "Reply":
        """The same, compressed."""
        return Reply(self.status, gzip.compress(self.body), {**self.headers, "Content-Encoding": "gzip"})


def _empty(_asked: Asked) -> Reply:
    return Reply()


class ScriptedServer:
    """Answers each request with ``answer(request)``; replace it at any time."""

    def __init__(self, port: int) -> None:
        self.url = f"http://127.0.0.1:{port}"
        self.answer: Callable[[Asked], Reply] = _empty
        self._asked: list[Asked] = []
        self._changed = threading.Condition()

    def always(self, reply: Reply) -> None:
        """Give this answer to everybody from now on."""
        self.answer = lambda _asked: reply

    @property
    def asked(self) -> list[Asked]:
        """All requests so far."""
        with self._changed:
            return list(self._asked)

    def wait_for(self, count: int) -> list[Asked]:
        """Return all requests once there are ``count`` of them."""
        with self._changed:
            assert self._changed.wait_for(lambda: len(self._asked) >= count, PATIENCE), f"{len(self._asked)} requests"
            return list(self._asked)

    def take(self, asked: Asked) -> Reply:
        """Decide on the answer first, so that whoever waits for the request sees all that the answer did."""
        reply = self.answer(asked)
        with self._changed:
            self._asked.append(asked)
            self._changed.notify_all()
        return reply


class _Handler(BaseHTTPRequestHandler):
    scripted: ScriptedServer
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        asked = Asked(
            self.command,
            self.path,
            {name.lower(): value for name, value in self.headers.items()},
            self.rfile.read(length),
        )
        reply = self.scripted.take(asked)
        if reply.gate is not None:
            reply.gate.wait(PATIENCE)
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body[: len(reply.body) // 2] if reply.cut else reply.body)
        self.close_connection = True

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  the library's name
        """Say nothing."""


class _QuietServer(ThreadingHTTPServer):
    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: clients that hang up are what some tests are about."""


@contextmanager
def scripted_server() -> Iterator[ScriptedServer]:
    """A server on a free port for the length of the block."""

    class Handler(_Handler):
        """One class per server, so that each finds its own script."""

    with _QuietServer(("127.0.0.1", 0), Handler) as server:
        Handler.scripted = scripted = ScriptedServer(server.server_address[1])
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
        thread.start()
        try:
            yield scripted
        finally:
            server.shutdown()
            thread.join()
