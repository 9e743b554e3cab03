"""The stream of lines about events, on a real Valkey and without one."""

from collections.abc import Iterator
from uuid import UUID, uuid4

import pytest
from redis import Redis

from telemetry.core.errors import Unavailable
from telemetry.stores.live import MOST_LINES, START, STREAM_SECONDS, WATCH_SECONDS, LiveStream, connect


class Clock:
    now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def client(redis_url: str) -> Iterator[Redis]:
    with connect(redis_url) as client:
        yield client


@pytest.fixture
def installation(client: Redis) -> Iterator[UUID]:
    installation = uuid4()
    yield installation
    client.delete(*client.keys(f"studio:live:*{installation.hex}") or ["none"])


@pytest.fixture
def away() -> Iterator[Redis]:
    with connect("redis://127.0.0.1:1/0") as client:
        yield client


def test_an_installation_is_watched_for_some_seconds_after_somebody_looked(client: Redis, installation: UUID) -> None:
    clock = Clock()
    stream = LiveStream(client, clock)
    assert not stream.is_watched(installation)

    stream.read(installation, START)

    # A process may believe for a second that nobody looks.
    assert not stream.is_watched(installation)
    clock.now += 1
    assert stream.is_watched(installation)
    remaining = client.ttl(f"studio:live:watched:{installation.hex}")
    assert 0 < remaining <= WATCH_SECONDS


def test_lines_are_read_once_each_in_their_order(client: Redis, installation: UUID) -> None:
    stream = LiveStream(client)
    first = stream.read(installation, START)
    assert (first.lines, first.cursor) == ([], "0-0")

    stream.publish(installation, [b"one", b"two"])
    second = stream.read(installation, first.cursor)
    stream.publish(installation, [b"three"])
    third = stream.read(installation, second.cursor)

    assert second.lines == [b"one", b"two"]
    assert third.lines == [b"three"]
    assert stream.read(installation, third.cursor) == ([], third.cursor)
    assert stream.read(installation, START, limit=2).lines == [b"two", b"three"]


@pytest.mark.parametrize("cursor", ["", "nonsense", "1-2; FLUSHALL", "-", "99999999999999999999999999-1"])
def test_a_cursor_that_is_none_starts_anew(client: Redis, installation: UUID, cursor: str) -> None:
    stream = LiveStream(client)
    stream.publish(installation, [b"one"])

    assert stream.read(installation, cursor).lines == [b"one"]


def test_a_stream_is_short_and_ends_by_itself(client: Redis, installation: UUID) -> None:
    stream = LiveStream(client)

    for _ in range(4):
        stream.publish(installation, [b"line"] * MOST_LINES)

    # Valkey cuts whole nodes of a hundred lines.
    assert client.xlen(f"studio:live:{installation.hex}") <= MOST_LINES + 100
    assert 0 < client.ttl(f"studio:live:{installation.hex}") <= STREAM_SECONDS


def test_another_installation_has_a_stream_of_its_own(client: Redis, installation: UUID) -> None:
    stream = LiveStream(client)
    stream.publish(installation, [b"one"])

    assert stream.read(uuid4(), START).lines == []


def test_without_a_server_nobody_is_watched_and_nothing_raises(away: Redis, caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    stream = LiveStream(away, clock)

    assert not stream.is_watched(uuid4())
    assert not stream.is_watched(uuid4())
    stream.publish(uuid4(), [b"canary"])

    # The second question is not asked: the server is left alone for a while.
    assert [record.message for record in caplog.records] == ["live.unavailable"] * 2
    assert "canary" not in caplog.text
    with pytest.raises(Unavailable):
        stream.read(uuid4(), START)
