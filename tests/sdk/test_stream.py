"""Hearing of changes at once, over real connections; and what a tracker does when it hears nothing at all."""

import os
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry.core.events import Accepted, Dropped
from telemetry.sdk import ConfigStatus, Held, InMemoryProvider, TelemetryTracker
from telemetry.sdk.disk_copy import DiskCopy
from telemetry.sdk.following import StudioRules
from telemetry.sdk.stream import ChangeStream
from telemetry.sdk.studio import StudioClient
from tests.sdk.servers import PATIENCE, Asked, Reply, ScriptedServer
from tests.sdk.studios import API_KEY, WORKFLOW_STEP, FakeStudio

PROPERTIES = {"workflow": "onboarding", "step": "verify_email"}
NEVER = 1_000_000.0
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"


class Line:
    """One connection that a client opened, and the request that it sent."""

    def __init__(self, connection: socket.socket) -> None:
        self.connection = connection
        self.request = b""
        while b"\r\n\r\n" not in self.request:
            self.request += connection.recv(65536)

    def say(self, text: bytes) -> None:
        self.connection.sendall(text)

    def event(self, revision: int, etag: str) -> None:
        quoted = etag.replace('"', '\\"')
        self.say(
            b'id: %d\nevent: config\ndata: {"revision":%d,"etag":"%b"}\n\n' % (revision, revision, quoted.encode())
        )


class Switchboard:
    """Where clients call; the test takes each call itself."""

    def __init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.listener.settimeout(PATIENCE)
        self.url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        self.lines: list[Line] = []

    def take(self, answer: bytes = HEAD) -> Line:
        connection, _ = self.listener.accept()
        connection.settimeout(PATIENCE)
        line = Line(connection)
        self.lines.append(line)
        line.say(answer)
        return line

    def close(self) -> None:
        for line in self.lines:
            line.connection.close()
        self.listener.close()


@pytest.fixture
def switchboard() -> Iterator[Switchboard]:
    switchboard = Switchboard()
    yield switchboard
    switchboard.close()


class News:
    """What a stream told."""

    def __init__(self) -> None:
        self.heard: list[str | None] = []
        self.changed = threading.Condition()

    def __call__(self, etag: str | None) -> None:
        with self.changed:
            self.heard.append(etag)
            self.changed.notify_all()

    def wait_until_heard(self, etag: str) -> None:
        with self.changed:
            assert self.changed.wait_for(lambda: etag in self.heard, PATIENCE)

    def wait_for(self, count: int) -> list[str | None]:
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.heard) >= count, PATIENCE)
            return list(self.heard)


@pytest.fixture
def news() -> News:
    return News()


@pytest.fixture
def stream(switchboard: Switchboard, news: News) -> Iterator[ChangeStream]:
    stream = ChangeStream(switchboard.url, API_KEY, on_news=news, uniform=lambda _least, _most: 0.001)
    stream.start()
    yield stream
    assert stream.close(PATIENCE)


# The stream itself


def test_each_event_is_heard_and_each_connection_may_have_missed_something(
    switchboard: Switchboard, news: News, stream: ChangeStream
) -> None:
    line = switchboard.take()
    line.say(b"retry: 5000\n: welcome\n\n")
    line.event(5, 'W/"5"')
    line.say(b": ping\n\nevent: other\ndata: x\n\n")
    line.event(6, 'W/"6"')

    assert news.wait_for(3) == [None, 'W/"5"', 'W/"6"']
    assert b"GET /api/v1/config/stream HTTP/1.1" in line.request
    assert f"Authorization: Bearer {API_KEY}".encode() in line.request
    assert b"Last-Event-ID" not in line.request.title()


def test_after_a_break_it_connects_again_and_says_what_it_heard_last(
    switchboard: Switchboard, news: News, stream: ChangeStream
) -> None:
    line = switchboard.take()
    line.event(5, 'W/"5"')
    news.wait_for(2)
    line.connection.close()

    again = switchboard.take()

    assert b"last-event-id: 5" in again.request.lower()
    assert news.wait_for(3)[2] is None


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 421 Misdirected Request\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 401 Unauthorized\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:9/\r\nContent-Length: 0\r\n\r\n",
        b"garbage\r\n\r\n",
        HEAD + b"x" * 100_000,
        HEAD + b"\xff\xfe\n\n",
    ],
)
def test_whatever_a_server_answers_it_tries_again(
    answer: bytes, switchboard: Switchboard, news: News, stream: ChangeStream
) -> None:
    switchboard.take(answer).connection.close()

    line = switchboard.take()
    line.event(7, 'W/"7"')

    news.wait_until_heard('W/"7"')


def test_a_server_that_asks_for_patience_is_given_it(switchboard: Switchboard, news: News) -> None:
    stream = ChangeStream(switchboard.url, API_KEY, on_news=news, uniform=lambda _least, _most: 0.0)
    stream.start()
    switchboard.take(b"HTTP/1.1 503 Full\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n").connection.close()

    switchboard.listener.settimeout(0.3)
    with pytest.raises(TimeoutError):
        switchboard.take()

    assert stream.close(PATIENCE)


def test_closing_wakes_a_stream_on_which_nothing_is_said(switchboard: Switchboard, news: News) -> None:
    stream = ChangeStream(switchboard.url, API_KEY, on_news=news)
    stream.start()
    line = switchboard.take()
    line.say(b": welcome\n\n")
    news.wait_for(1)

    assert stream.close(PATIENCE)
    assert line.connection.recv(1) == b""


# A tracker that follows by stream


class StreamingStudio(FakeStudio):
    """Answers configs as ever, and streams that end as soon as they have begun."""

    def _answer(self, asked: Asked) -> Reply:
        if asked.path == "/api/v1/config/stream":
            # Ends at once, so that the tracker connects again and again, and each time may have missed something.
            return Reply(200, b": welcome\n\n", {"Content-Type": "text/event-stream"})
        return super()._answer(asked)


def test_a_tracker_that_hears_of_a_change_fetches_it_long_before_it_polls(server: ScriptedServer) -> None:
    studio = StreamingStudio(server)
    studio.publish(1)
    changes: list[ConfigStatus] = []
    changed = threading.Event()

    def note(status: ConfigStatus) -> None:
        changes.append(status)
        if status.revision == 2:
            changed.set()

    tracker = TelemetryTracker.from_studio(
        server.url, API_KEY, follow="stream", poll_interval=NEVER, on_config_change=note
    )
    assert tracker.ready(PATIENCE)
    assert isinstance(tracker.track(WORKFLOW_STEP, 1, PROPERTIES), Accepted)

    studio.publish(2, enabled=False)

    assert changed.wait(PATIENCE)
    assert isinstance(tracker.track(WORKFLOW_STEP, 1, PROPERTIES), Dropped)
    assert [status.revision for status in changes] == [1, 2]
    assert tracker.close(PATIENCE)


def test_a_callback_that_raises_ends_nothing(server: ScriptedServer) -> None:
    studio = FakeStudio(server)
    studio.publish(1)

    def fail(_status: ConfigStatus) -> None:
        raise RuntimeError

    rules = StudioRules(StudioClient(server.url, API_KEY), on_change=fail)

    assert rules.refresh()
    assert rules.status.revision == 1


@pytest.mark.parametrize("options", [{"follow": "push"}, {"maximum_staleness": 0}, {"maximum_staleness": -1.0}])
def test_a_wish_that_makes_no_sense_is_refused(options: dict[str, Any], server: ScriptedServer) -> None:
    with pytest.raises(ValueError, match="must be"):
        StudioRules(StudioClient(server.url, API_KEY), **options)


# Old configs


def test_events_wait_while_the_config_is_too_old_and_are_judged_once_it_is_confirmed(server: ScriptedServer) -> None:
    studio = FakeStudio(server)
    studio.publish(1)
    now = [0.0]
    memory = InMemoryProvider()
    rules = StudioRules(
        StudioClient(server.url, API_KEY), poll_interval=NEVER, maximum_staleness=60.0, monotonic=lambda: now[0]
    )
    tracker = TelemetryTracker(rules=rules, providers=[memory])
    assert rules.refresh()
    assert tracker.track(WORKFLOW_STEP, 1, PROPERTIES, event_id="fresh")

    studio.instead = Reply(503)
    now[0] = 61.0
    held = tracker.track(WORKFLOW_STEP, 1, PROPERTIES, event_id="late")
    studio.instead = None
    assert rules.refresh()

    assert held == Held(event_id="late", is_kept=True)
    assert [dispatch.id for dispatch in memory.dispatches] == ["fresh", "late"]
    assert tracker.close(PATIENCE)


def test_a_copy_on_disk_is_as_old_as_its_last_confirmation(server: ScriptedServer, tmp_path: Path) -> None:
    studio = FakeStudio(server)
    studio.publish(1)
    path = tmp_path / "copy"

    def make() -> StudioRules:
        copy = DiskCopy(path, url=server.url, api_key=API_KEY, maximum_bytes=1_000_000)
        return StudioRules(StudioClient(server.url, API_KEY), disk_copy=copy, maximum_staleness=60.0)

    assert make().refresh()
    assert make().has_rules()
    long_ago = time.time() - 61
    os.utime(path, (long_ago, long_ago))
    old = make()

    assert not old.has_rules()
    assert old.refresh()
    assert old.has_rules()
    assert make().has_rules()
