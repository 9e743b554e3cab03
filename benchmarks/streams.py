"""How 1,000 open event streams on one process hear of a publication, and what each of them costs.

``python benchmarks/streams.py`` starts PostgreSQL, Valkey and one process for streams, opens 1,000 streams with the
keys of 50 installations, and publishes a spec that all of them obey, several times. Time counts from the commit of the
publication until a client has read the event; memory is what the process grows by when the streams are opened, after
some others have been. It ends with one line of JSON; goals are 100 for ``told_p99_ms`` and 50 for ``kib_per_stream``.

Where there are two cores, the server runs on one and the clients on the other.
"""

import json
import os
import resource
import selectors
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import median

import psutil

# As a script, Python looks for imports in this directory only, and the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.servers import HOST, StreamServer, set_up_django, temporary_servers
from benchmarks.workspace import make_installations, publish_again

STREAMS, INSTALLATIONS, EVENTS = 1_000, 50, 20
PUBLICATIONS = 10
PATIENCE_SECONDS = 60


def main() -> None:
    """Measure and print."""
    allow_many_sockets()
    with temporary_servers() as environment:
        set_up_django(environment)
        keys = make_installations(EVENTS, INSTALLATIONS)
        with stream_server(environment) as server:
            Clients(server.port, keys)
            before = resident_bytes(server)
            began = time.perf_counter()
            clients = Clients(server.port, [keys[number % len(keys)] for number in range(STREAMS)])
            opened = time.perf_counter() - began
            grown = resident_bytes(server) - before
            told = [clients.times_of(number) for number in range(PUBLICATIONS)]
    kib = grown / STREAMS / 1024
    p50, p99, worst = (median(found) * 1e3 for found in zip(*map(spread, told), strict=True))
    print(f"{STREAMS} streams opened in {opened:.1f} s, one after the other; {kib:.0f} KiB each")
    print(f"told after the commit, medians of {PUBLICATIONS}: half {p50:.0f}, 99 % {p99:.0f}, all {worst:.0f} ms")
    print(json.dumps({"streams": STREAMS, "told_p99_ms": round(p99, 1), "kib_per_stream": round(kib, 1)}))


@contextmanager
def stream_server(environment: Mapping[str, str]) -> Iterator[StreamServer]:
    """A process that serves streams, on the first core; this process goes on on the last one."""
    cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
    if len(cores) > 1:
        os.sched_setaffinity(0, {cores[0]})
    server = StreamServer(environment)
    try:
        server.start()
        if len(cores) > 1:
            os.sched_setaffinity(0, {cores[-1]})
        yield server
    finally:
        server.stop()


class Clients:
    """Streams that are open and have said their first event."""

    def __init__(self, port: int, keys: Sequence[str]) -> None:
        self._selector = selectors.DefaultSelector()
        for key in keys:
            client = socket.create_connection((HOST, port))
            request = f"GET /api/v1/config/stream HTTP/1.1\r\nHost: {HOST}\r\nAuthorization: Bearer {key}\r\n\r\n"
            client.sendall(request.encode())
            self._selector.register(client, selectors.EVENT_READ)
        self._wait_for_events(len(keys))
        self._count = len(keys)

    def times_of(self, number: int) -> list[float]:
        """How long after the commit of a publication each stream heard of it (seconds)."""
        from django.db import transaction

        committed: list[float] = []
        with transaction.atomic():
            transaction.on_commit(lambda: committed.append(time.perf_counter()))
            publish_again(number)
        heard = self._wait_for_events(self._count)
        return sorted(max(0.0, at - committed[0]) for at in heard)

    def _wait_for_events(self, count: int) -> list[float]:
        """When each of so many streams said its next event."""
        heard: dict[object, float] = {}
        deadline = time.perf_counter() + PATIENCE_SECONDS
        while len(heard) < count:
            assert time.perf_counter() < deadline, f"{len(heard)} of {count} streams said something"
            for key, _ in self._selector.select(1):
                client = key.fileobj
                assert isinstance(client, socket.socket)
                data = client.recv(65536)
                assert data, "a stream ended"
                if b"event: config" in data:
                    heard[client] = time.perf_counter()
        return list(heard.values())


def spread(sorted_times: Sequence[float]) -> tuple[float, float, float]:
    """Median, 99th percentile and greatest."""
    count = len(sorted_times)
    return sorted_times[count // 2], sorted_times[int(count * 0.99) - 1], sorted_times[-1]


def resident_bytes(server: StreamServer) -> int:
    """The memory of the server's processes."""
    assert server.process is not None
    process = psutil.Process(server.process.pid)
    return sum(each.memory_info().rss for each in (process, *process.children(recursive=True)))


def allow_many_sockets() -> None:
    """As many as the system lets this process have."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


if __name__ == "__main__":
    main()
