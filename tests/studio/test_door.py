"""One port for two servers."""

import asyncio
import sys
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from django.conf import settings

from studio.processes import start_process, stop_process
from tests.studio.ports import free_port
from tests.tenants.leases import PATIENCE

LARGE = b"x" * 3_000_000


class Place:
    """Where the door is, and the two sockets behind it."""

    def __init__(self, directory: Path) -> None:
        self.port, self.web, self.streams = free_port(), directory / "web", directory / "streams"


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with TemporaryDirectory(prefix="studio-test-") as directory:
        place = Place(Path(directory))
        command = [sys.executable, "-m", "studio.door", str(place.port), str(place.web), str(place.streams)]
        process = start_process(command, log=Path(directory) / "door.log", directory=settings.BASE_DIR)
        yield place
        process.terminate()
        assert process.wait() == 0
        assert (Path(directory) / "door.log").read_text() == ""
        stop_process(process)


async def answer_all(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, name: bytes) -> None:
    """Say who answers and repeat what was sent, until the client has sent everything."""
    writer.write(name + b":" + await reader.read())
    writer.write_eof()
    await writer.drain()
    writer.close()


@asynccontextmanager
async def both_servers(place: Place) -> AsyncIterator[None]:
    async def web(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_all(reader, writer, b"web")

    async def streams(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await answer_all(reader, writer, b"streams")

    for path in (place.web, place.streams):
        path.unlink(missing_ok=True)
    async with (
        await asyncio.start_unix_server(web, place.web, backlog=1000),
        await asyncio.start_unix_server(streams, place.streams, backlog=1000),
    ):
        yield


async def connect(place: Place) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            return await asyncio.open_connection("127.0.0.1", place.port)
        except OSError:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)


async def ask(place: Place, request: bytes) -> bytes:
    reader, writer = await connect(place)
    writer.write(request)
    await writer.drain()
    writer.write_eof()
    answer = await reader.read()
    writer.close()
    return answer


@pytest.mark.parametrize(
    ("line", "who"),
    [
        (b"GET /api/v1/config/stream HTTP/1.1", b"streams"),
        (b"GET /api/v1/config/stream?x=1 HTTP/1.1", b"streams"),
        (b"HEAD /api/v1/config/stream HTTP/1.1", b"streams"),
        (b"GET /api/v1/config HTTP/1.1", b"web"),
        (b"GET /api/v1/config/streams HTTP/1.1", b"web"),
        (b"GET /api/v1/config/stream/ HTTP/1.1", b"web"),
        (b"GET /?/api/v1/config/stream HTTP/1.1", b"web"),
        (b"GET http://host/api/v1/config/stream HTTP/1.1", b"web"),
        (b"garbage", b"web"),
        (b"", b"web"),
        (b"\x16\x03\x01\x02\x00\x01", b"web"),
    ],
)
def test_the_first_line_decides_who_answers(place: Place, line: bytes, who: bytes) -> None:
    async def test() -> None:
        async with both_servers(place):
            request = line + b"\r\nHost: here\r\n\r\nand a body"

            assert await ask(place, request) == who + b":" + request

    asyncio.run(test())


def test_large_bodies_pass_unchanged_both_ways(place: Place) -> None:
    async def test() -> None:
        async with both_servers(place):
            request = b"POST /import HTTP/1.1\r\n\r\n" + LARGE

            assert await ask(place, request) == b"web:" + request

    asyncio.run(test())


def test_what_the_server_says_arrives_before_the_client_has_finished(place: Place) -> None:
    async def test() -> None:
        heard = asyncio.Event()

        async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            writer.write(b"first")
            await heard.wait()
            writer.write(b"second")
            writer.close()

        place.streams.unlink(missing_ok=True)
        async with await asyncio.start_unix_server(talk, place.streams):
            reader, writer = await connect(place)
            writer.write(b"GET /api/v1/config/stream HTTP/1.1\r\n")

            assert await reader.readexactly(5) == b"first"
            heard.set()
            # The server hung up, so the client's connection ends too.
            assert await reader.read() == b"second"
            writer.close()

    asyncio.run(test())


def test_a_client_that_hangs_up_is_hung_up_on_behind_the_door(place: Place) -> None:
    async def test() -> None:
        ended = asyncio.Event()

        async def wait(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.read()
            ended.set()
            writer.close()

        place.web.unlink(missing_ok=True)
        async with await asyncio.start_unix_server(wait, place.web):
            _, writer = await connect(place)
            writer.write(b"GET / HTTP/1.1\r\n")
            await writer.drain()
            writer.close()

            await asyncio.wait_for(ended.wait(), PATIENCE)

    asyncio.run(test())


def test_while_nobody_is_behind_the_door_connections_end_at_once(place: Place) -> None:
    place.web.unlink(missing_ok=True)

    assert asyncio.run(ask(place, b"GET / HTTP/1.1\r\n")) == b""


@pytest.mark.parametrize("start", [b"", b"GET / HTT"])
def test_who_never_ends_the_first_line_is_not_passed_on(place: Place, start: bytes) -> None:
    async def test() -> None:
        async with both_servers(place):
            assert await ask(place, start) == b""

    asyncio.run(test())


def test_a_line_that_is_too_long_for_a_stream_is_for_the_web_server_to_judge(place: Place) -> None:
    async def test() -> None:
        async with both_servers(place):
            request = b"GET /" + b"x" * 100_000

            assert await ask(place, request) == b"web:" + request

    asyncio.run(test())


def test_many_connections_pass_at_the_same_time(place: Place) -> None:
    async def test() -> None:
        async with both_servers(place):
            requests = [b"GET /%d HTTP/1.1\r\n" % number for number in range(200)]

            answers = await asyncio.gather(*(ask(place, request) for request in requests))

            assert answers == [b"web:" + request for request in requests]

    asyncio.run(test())
    assert threading.active_count() < 100
