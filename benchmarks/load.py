"""Asking a local HTTP server as fast as it answers, from one thread, with little work per answer.

Each connection has one request under way (no pipelining). Answers to one request are all of one length, so an answer is
one ``recv`` that waits for that many bytes; its first line is compared each time, its body once.
"""

import socket
import time
from statistics import median
from typing import NamedTuple, Self

__all__ = ["Load", "Rate"]


class Rate(NamedTuple):
    """Requests per second, and the share of the time in which this thread worked (1: it was the bottleneck)."""

    per_second: float
    busy: float


class Load:
    """One request, asked again and again on ``connections`` connections that stay open."""

    def __init__(
        self, port: int, headers: dict[str, str], *, path: str = "/api/v1/config", connections: int = 8
    ) -> None:
        lines = [f"GET {path} HTTP/1.1", f"Host: 127.0.0.1:{port}", *(f"{k}: {v}" for k, v in headers.items())]
        self._request = ("\r\n".join(lines) + "\r\n\r\n").encode()
        self._sockets = [socket.create_connection(("127.0.0.1", port)) for _ in range(connections)]
        for each in self._sockets:
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.head, self.body = self._first()
        self.status = int(self.head.split()[1])
        self._line = self.head.split(b"\r\n", 1)[0]
        self._answer = memoryview(bytearray(len(self.head) + len(self.body)))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        for each in self._sockets:
            each.close()

    def run(self, seconds: float) -> Rate:
        """Ask for this long."""
        for each in self._sockets:
            each.send(self._request)
        began, worked, count = time.perf_counter(), time.process_time(), 0
        end = began + seconds
        while time.perf_counter() < end:
            for each in self._sockets:
                self._receive(each)
                each.send(self._request)
            count += len(self._sockets)
        passed, worked = time.perf_counter() - began, time.process_time() - worked
        for each in self._sockets:
            self._receive(each)
        return Rate(count / passed, worked / passed)

    def latency(self, seconds: float) -> float:
        """The median of the time to an answer (seconds), when only one request at a time is under way."""
        each, found = self._sockets[0], []
        end = time.perf_counter() + seconds
        while time.perf_counter() < end:
            began = time.perf_counter()
            each.send(self._request)
            self._receive(each)
            found.append(time.perf_counter() - began)
        return median(found)

    def _receive(self, each: socket.socket) -> None:
        answer, got = self._answer, 0
        while got < len(answer):
            more = each.recv_into(answer[got:], 0, socket.MSG_WAITALL)
            assert more, "the server closed the connection"
            got += more
        assert answer[: len(self._line)] == self._line, bytes(answer[:40])

    def _first(self) -> tuple[bytes, bytes]:
        """Head and body of the answer, read without knowing how long they are."""
        each = self._sockets[0]
        each.sendall(self._request)
        found = b""
        while b"\r\n\r\n" not in found:
            found += each.recv(65536)
        head, _, body = found.partition(b"\r\n\r\n")
        lengths = [line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
        while len(body) < (int(lengths[0]) if lengths else 0):
            body += each.recv(1 << 20)
        return head + b"\r\n\r\n", body
