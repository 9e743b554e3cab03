"""A tracker that obeys a studio: fresh config, last good config, never an older one, and none means no sending."""

import base64
import json
import logging
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from telemetry.core.errors import InvalidDocument
from telemetry.core.events import Accepted, Dropped, PseudonymKey
from telemetry.sdk import ConfigState, ConfigStatus, DeliveryStats, Held, InMemoryProvider, TelemetryTracker
from telemetry.sdk.disk_copy import DiskCopy
from telemetry.sdk.following import StudioRules
from telemetry.sdk.studio import StudioClient
from tests.sdk.servers import PATIENCE, Reply, ScriptedServer
from tests.sdk.studios import API_KEY, SECRET, WORKFLOW_STEP, FakeStudio, make_document

PROPERTIES = {"workflow": "onboarding", "step": "verify_email", "durationMs": 2100, "userId": "user-123"}
# So that only the test itself, or the first question, asks the studio.
NEVER = 1_000_000.0


@pytest.fixture
def studio(server: ScriptedServer) -> FakeStudio:
    """A studio that has published revision 1."""
    studio = FakeStudio(server)
    studio.publish(1)
    return studio


@pytest.fixture
def memory() -> InMemoryProvider:
    return InMemoryProvider()


class Trackers:
    """Makes trackers, and closes them after the test."""

    def __init__(self) -> None:
        self.made: list[TelemetryTracker] = []

    def make(self, studio: FakeStudio, **options: Any) -> TelemetryTracker:
        tracker = TelemetryTracker.from_studio(
            studio.server.url, API_KEY, **{"poll_interval": NEVER, "timeout": PATIENCE, **options}
        )
        self.made.append(tracker)
        return tracker

    def make_ready(self, studio: FakeStudio, **options: Any) -> TelemetryTracker:
        tracker = self.make(studio, **options)
        assert tracker.ready(PATIENCE)
        # Answered again, so that the poll that made it ready is over.
        assert tracker.refresh()
        return tracker


@pytest.fixture
def trackers() -> Iterator[Trackers]:
    trackers = Trackers()
    yield trackers
    for tracker in trackers.made:
        tracker.close(0.0)


def status_of(tracker: TelemetryTracker) -> tuple[ConfigState, int | None]:
    status = tracker.config_status
    assert status is not None
    return status.state, status.revision


def test_the_config_is_fetched_with_the_key_and_obeyed(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    tracker = trackers.make_ready(studio, providers=[memory])

    outcome = tracker.track(WORKFLOW_STEP, 1, PROPERTIES, {"userId": "user-123"})

    assert isinstance(outcome, Accepted)
    assert outcome.dispatch.config_revision == 1
    assert memory.dispatches[0].properties["userId"] == "REDACTED"
    assert tracker.config_status == ConfigStatus(state=ConfigState.CURRENT, revision=1, is_from_disk=False)
    asked = studio.server.asked[0]
    assert (asked.method, asked.path) == ("GET", "/api/v1/config")
    assert asked.headers["authorization"] == f"Bearer {API_KEY}"
    assert "if-none-match" not in asked.headers


def test_a_config_that_did_not_change_is_not_sent_again(studio: FakeStudio, trackers: Trackers) -> None:
    trackers.make_ready(studio)

    assert studio.server.asked[1].headers["if-none-match"] == studio.etag


def test_a_refresh_picks_up_a_changed_toggle(studio: FakeStudio, trackers: Trackers) -> None:
    tracker = trackers.make_ready(studio)
    before = tracker.track(WORKFLOW_STEP, 1, PROPERTIES)

    studio.publish(2, enabled=False)
    is_fresh = tracker.refresh()

    assert before
    assert is_fresh
    assert isinstance(tracker.track(WORKFLOW_STEP, 1, PROPERTIES), Dropped)
    assert status_of(tracker) == (ConfigState.CURRENT, 2)


def test_polling_picks_up_a_changed_toggle_by_itself(studio: FakeStudio, trackers: Trackers) -> None:
    uses_new_config = threading.Event()
    answer = studio.server.answer

    def listen(asked: Any) -> Reply:
        # The new ETag comes back only after the new config is in use.
        if asked.headers.get("if-none-match") == new_etag:
            uses_new_config.set()
        return answer(asked)

    new_etag = "not published yet"
    tracker = trackers.make_ready(studio, poll_interval=0.001)
    studio.server.answer = listen

    new_etag = studio.publish(2, enabled=False)

    assert uses_new_config.wait(PATIENCE)
    assert isinstance(tracker.track(WORKFLOW_STEP, 1, PROPERTIES), Dropped)


def test_an_older_revision_never_replaces_a_newer_one(studio: FakeStudio, trackers: Trackers) -> None:
    studio.publish(5, enabled=False)
    tracker = trackers.make_ready(studio)

    studio.publish(4, enabled=True)
    is_fresh = tracker.refresh()

    assert not is_fresh
    assert status_of(tracker) == (ConfigState.OLDER, 5)
    assert not tracker.track(WORKFLOW_STEP, 1, PROPERTIES)
    studio.publish(6, enabled=True)
    assert tracker.refresh()
    assert tracker.track(WORKFLOW_STEP, 1, PROPERTIES)


def test_a_refused_older_config_leaves_the_etag_of_the_newer_one(studio: FakeStudio, trackers: Trackers) -> None:
    newer = studio.publish(5)
    tracker = trackers.make_ready(studio)

    studio.publish(4)
    tracker.refresh()
    tracker.refresh()

    assert studio.server.asked[-1].headers["if-none-match"] == newer


def test_a_studio_that_was_restored_is_believed_after_a_quarter_of_an_hour(studio: FakeStudio) -> None:
    now = [0.0]
    studio.publish(50)
    rules = StudioRules(StudioClient(studio.server.url, API_KEY), monotonic=lambda: now[0])
    assert rules.refresh()
    studio.publish(41, enabled=False)

    believed = []
    for now[0] in (0.0, 450.0, 899.0, 900.0):
        believed.append(rules.refresh())

    assert believed == [False, False, False, True]
    assert rules.status.revision == 41


@pytest.mark.parametrize(
    ("reply", "state"),
    [
        (Reply(401), ConfigState.REFUSED),
        (Reply(403), ConfigState.REFUSED),
        (Reply(404), ConfigState.FAILING),
        (Reply(500), ConfigState.FAILING),
        (Reply(503, headers={"Retry-After": "1"}), ConfigState.FAILING),
        (Reply(204), ConfigState.FAILING),
        (Reply(302, headers={"Location": "/elsewhere"}), ConfigState.REDIRECTED),
        (Reply(200, b""), ConfigState.MALFORMED),
        (Reply(200, b"<html>Welcome to the guest network</html>"), ConfigState.MALFORMED),
        (Reply(200, b"\xff\xfe"), ConfigState.MALFORMED),
        (Reply(200, b"[]"), ConfigState.MALFORMED),
        (Reply(200, b"{}"), ConfigState.MALFORMED),
        (Reply(200, b"[" * 100_000), ConfigState.MALFORMED),
        (Reply(200, json.dumps(make_document(2, newRule=True)).encode()), ConfigState.MALFORMED),
        (Reply(200, json.dumps(make_document(2, format=2)).encode()), ConfigState.MALFORMED),
        (Reply(200, json.dumps(make_document(2, pseudonymKey={"epoch": 1})).encode()), ConfigState.MALFORMED),
        (
            Reply(200, json.dumps(make_document(2, pseudonymKey={"epoch": 1, "secret": "c2hvcnQ="})).encode()),
            ConfigState.MALFORMED,
        ),
        (Reply(200, b'{"revision": 2}', cut=True), ConfigState.UNREACHABLE),
        (Reply(200, b"no gzip", headers={"Content-Encoding": "gzip"}), ConfigState.UNREACHABLE),
    ],
)
def test_whatever_the_studio_answers_the_last_good_config_and_its_etag_stay(
    reply: Reply, state: ConfigState, studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    tracker = trackers.make_ready(studio, providers=[memory])

    studio.instead = reply
    is_fresh = tracker.refresh()

    assert not is_fresh
    assert status_of(tracker) == (state, 1)
    assert tracker.track(WORKFLOW_STEP, 1, PROPERTIES)
    studio.instead = None
    assert tracker.refresh()
    assert studio.server.asked[-1].headers["if-none-match"] == studio.etag
    assert status_of(tracker) == (ConfigState.CURRENT, 1)


def test_a_condition_that_does_not_compile_makes_no_config(studio: FakeStudio, trackers: Trackers) -> None:
    tracker = trackers.make_ready(studio)
    document = make_document(2)
    document["events"][0]["sampling"]["conditions"] = ["properties.step >"]

    studio.instead = Reply(200, json.dumps(document).encode(), {"ETag": 'W/"2"'})

    assert not tracker.refresh()
    assert status_of(tracker) == (ConfigState.MALFORMED, 1)
    # Read and compiled first: the tag of what could not be used was not taken over.
    tracker.refresh()
    assert studio.server.asked[-1].headers["if-none-match"] == studio.etag


def test_the_key_is_not_sent_to_where_a_redirect_points(
    studio: FakeStudio, other_server: ScriptedServer, trackers: Trackers
) -> None:
    tracker = trackers.make_ready(studio)

    studio.instead = Reply(307, headers={"Location": f"{other_server.url}/api/v1/config"})
    tracker.refresh()

    assert other_server.asked == []


def test_a_studio_that_does_not_answer_is_unreachable(studio: FakeStudio, trackers: Trackers) -> None:
    gate = threading.Event()
    studio.instead = Reply(gate=gate)
    tracker = trackers.make(studio, timeout=0.05)

    is_fresh = tracker.refresh()

    assert not is_fresh
    assert status_of(tracker) == (ConfigState.UNREACHABLE, None)
    gate.set()


def test_state_changes_are_logged_once_each_without_key_or_address(
    studio: FakeStudio, trackers: Trackers, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG, "telemetry.sdk")
    tracker = trackers.make_ready(studio)

    studio.instead = Reply(401)
    for _ in range(3):
        tracker.refresh()
    studio.instead = Reply(503)
    for _ in range(3):
        tracker.refresh()
    studio.instead = None
    for _ in range(3):
        tracker.refresh()

    assert caplog.messages == [
        "config.current detail=None revision=1",
        "config.refused detail=401 revision=1",
        "config.failing detail=503 revision=1",
        "config.current detail=None revision=1",
    ]
    assert API_KEY not in caplog.text
    assert studio.server.url not in caplog.text


def test_the_servers_wish_for_a_pause_is_honoured(studio: FakeStudio) -> None:
    rules = StudioRules(StudioClient(studio.server.url, API_KEY), uniform=lambda _least, most: most)
    studio.instead = Reply(503, headers={"Retry-After": "90"})

    rules.refresh()
    asked_to_wait = rules.pause
    studio.instead = None
    rules.refresh()

    assert (asked_to_wait, rules.pause) == (90.0, 72.0)


def test_events_wait_for_the_first_config_and_are_sent_in_order_once(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    studio.instead = Reply(503)
    heard: list[str] = []
    tracker = trackers.make(studio, providers=[memory], on_outcome=lambda event_id, _outcome: heard.append(event_id))

    held = [tracker.track(WORKFLOW_STEP, 1, PROPERTIES, event_id=event_id) for event_id in ("a", "b")]
    held.append(tracker.track("sigil.telemetry.unheard_of", event_id="c"))

    assert held == [Held(event_id=event_id, is_kept=True) for event_id in ("a", "b", "c")]
    assert not any(held)
    assert tracker.stats().providers == {"memory": DeliveryStats()}
    assert heard == []
    assert (tracker.stats().received, tracker.stats().held) == (3, 3)
    studio.instead = None
    assert tracker.refresh()
    assert tracker.refresh()
    assert [dispatch.id for dispatch in memory.dispatches] == ["a", "b"]
    assert [dispatch.properties["userId"] for dispatch in memory.dispatches] == ["REDACTED", "REDACTED"]
    assert heard == ["a", "b", "c"]
    stats = tracker.stats()
    assert (stats.received, stats.held, stats.accepted, stats.rejected) == (3, 0, 2, 1)


def test_a_held_event_is_what_it_was_when_it_was_tracked(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    studio.instead = Reply(503)
    tracker = trackers.make(studio, providers=[memory])
    properties = dict(PROPERTIES)

    tracker.track(WORKFLOW_STEP, 1, properties)
    properties["step"] = "changed"
    studio.instead = None
    tracker.refresh()

    assert memory.dispatches[0].properties["step"] == "verify_email"


def test_more_events_than_may_wait_are_dropped_newest_first_and_counted(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    studio.instead = Reply(503)
    tracker = trackers.make(studio, providers=[memory], hold_capacity=2)

    held = [tracker.track(WORKFLOW_STEP, 1, PROPERTIES, event_id=event_id) for event_id in "abc"]

    assert [each.is_kept for each in held if isinstance(each, Held)] == [True, True, False]
    stats = tracker.stats()
    assert (stats.received, stats.held, stats.hold_dropped) == (3, 2, 1)
    studio.instead = None
    tracker.refresh()
    assert [dispatch.id for dispatch in memory.dispatches] == ["a", "b"]


def test_events_that_still_wait_when_the_tracker_closes_are_counted_as_dropped(
    studio: FakeStudio, trackers: Trackers
) -> None:
    studio.instead = Reply(503)
    tracker = trackers.make(studio)
    tracker.track(WORKFLOW_STEP, 1, PROPERTIES)

    tracker.close(PATIENCE)
    late = tracker.track(WORKFLOW_STEP, 1, PROPERTIES, event_id="late")

    assert late == Held(event_id="late", is_kept=False)
    stats = tracker.stats()
    assert (stats.received, stats.held, stats.hold_dropped) == (2, 0, 2)


def test_no_event_is_left_behind_when_the_config_comes_while_threads_track(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    studio.instead = Reply(503)
    tracker = trackers.make(studio, providers=[memory], hold_capacity=100_000)
    started = threading.Barrier(5)

    def work() -> None:
        started.wait(PATIENCE)
        for _ in range(300):
            tracker.track(WORKFLOW_STEP, 1, PROPERTIES)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    started.wait(PATIENCE)
    studio.instead = None
    tracker.refresh()
    for thread in threads:
        thread.join()

    stats = tracker.stats()
    assert (stats.received, stats.accepted, stats.held) == (1200, 1200, 0)
    assert len({dispatch.id for dispatch in memory.dispatches}) == 1200


def test_the_app_starts_although_the_studio_is_down(trackers: Trackers, studio: FakeStudio) -> None:
    studio.instead = Reply(503)

    tracker = trackers.make(studio)

    assert not tracker.ready(0.0)
    assert tracker.track(WORKFLOW_STEP, 1, PROPERTIES, event_id="a") == Held(event_id="a", is_kept=True)


def test_the_pseudonym_key_is_split_off_and_used(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    studio.publish(2, key=True)
    tracker = trackers.make_ready(studio, providers=[memory])

    tracker.track(WORKFLOW_STEP, 1, PROPERTIES, {"userId": "user-123"})

    user_id = memory.dispatches[0].context.user_id
    assert user_id is not None
    assert user_id.startswith("p3_")


def test_a_key_of_the_apps_own_is_used_instead(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    studio.publish(2, key=True)
    tracker = trackers.make_ready(studio, providers=[memory], key=PseudonymKey(epoch=8, secret=SECRET))

    tracker.track(WORKFLOW_STEP, 1, PROPERTIES, {"userId": "user-123"})

    user_id = memory.dispatches[0].context.user_id
    assert user_id is not None
    assert user_id.startswith("p8_")


def test_a_start_without_the_studio_uses_the_copy_on_disk(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider, tmp_path: Path
) -> None:
    studio.publish(7, enabled=False)
    trackers.make_ready(studio, cache_path=tmp_path / "config")
    studio.instead = Reply(503)

    tracker = trackers.make(studio, providers=[memory], cache_path=tmp_path / "config")
    outcome = tracker.track(WORKFLOW_STEP, 1, PROPERTIES)

    assert isinstance(outcome, Dropped)
    assert tracker.ready(0.0)
    status = tracker.config_status
    assert status is not None
    assert (status.revision, status.is_from_disk) == (7, True)


def test_the_copy_on_disk_holds_neither_key(studio: FakeStudio, trackers: Trackers, tmp_path: Path) -> None:
    studio.publish(2, key=True)

    trackers.make_ready(studio, cache_path=tmp_path / "config")

    content = (tmp_path / "config").read_bytes()
    assert b"sampling" in content
    assert b"pseudonymKey" not in content
    assert base64.b64encode(SECRET) not in content
    assert SECRET not in content
    assert API_KEY.encode() not in content


def test_the_first_answer_after_a_start_from_disk_brings_the_pseudonym_key(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider, tmp_path: Path
) -> None:
    studio.publish(2, key=True)
    trackers.make_ready(studio, cache_path=tmp_path / "config")

    tracker = trackers.make_ready(studio, providers=[memory], cache_path=tmp_path / "config")
    tracker.track(WORKFLOW_STEP, 1, PROPERTIES, {"userId": "user-123"})

    assert memory.dispatches[0].context.user_id is not None
    assert tracker.config_status == ConfigStatus(state=ConfigState.CURRENT, revision=2, is_from_disk=False)


@pytest.mark.parametrize("content", [b"", b"garbage", b"\0" * 1000])
def test_a_damaged_copy_is_ignored(content: bytes, studio: FakeStudio, trackers: Trackers, tmp_path: Path) -> None:
    (tmp_path / "config").write_bytes(content)
    studio.instead = Reply(503)

    tracker = trackers.make(studio, cache_path=tmp_path / "config")

    assert not tracker.ready(0.0)


def test_an_intact_copy_in_a_form_of_another_version_is_ignored(
    studio: FakeStudio, trackers: Trackers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    copy = DiskCopy(tmp_path / "config", url=studio.server.url, api_key=API_KEY, maximum_bytes=1_000_000)
    copy.write(json.dumps(make_document(2, newRule=True)).encode())
    studio.instead = Reply(503)

    tracker = trackers.make(studio, cache_path=tmp_path / "config")

    assert not tracker.ready(0.0)
    assert "config.disk_copy_ignored error=InvalidDocument" in caplog.messages


def test_a_copy_that_cannot_be_written_does_not_matter(
    studio: FakeStudio, trackers: Trackers, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "config").mkdir()

    tracker = trackers.make_ready(studio, cache_path=tmp_path / "config")

    assert tracker.track(WORKFLOW_STEP, 1, PROPERTIES)
    assert "config.disk_copy_not_written error=IsADirectoryError" in caplog.messages


def test_closing_ends_the_polling(studio: FakeStudio, trackers: Trackers) -> None:
    before = {thread.name for thread in threading.enumerate()}
    tracker = trackers.make_ready(studio, poll_interval=0.001)
    assert {thread.name for thread in threading.enumerate()} - before >= {"telemetry-config"}

    is_done = tracker.close(PATIENCE)

    assert is_done
    assert "telemetry-config" not in {thread.name for thread in threading.enumerate()} - before
    asked = len(studio.server.asked)
    assert tracker.track(WORKFLOW_STEP, 1, PROPERTIES)
    assert "telemetry-config" not in {thread.name for thread in threading.enumerate()} - before
    assert len(studio.server.asked) == asked


def test_a_callback_that_raises_does_not_end_the_polling(
    studio: FakeStudio, trackers: Trackers, memory: InMemoryProvider
) -> None:
    studio.instead = Reply(503)

    def fail(*_arguments: object) -> None:
        raise RuntimeError

    tracker = trackers.make(studio, providers=[memory], on_outcome=fail, poll_interval=0.001)
    tracker.track(WORKFLOW_STEP, 1, PROPERTIES)
    studio.instead = None

    assert tracker.ready(PATIENCE)
    studio.server.wait_for(len(studio.server.asked) + 2)
    assert tracker.stats().callback_errors == 1
    assert tracker.stats().providers == {"memory": DeliveryStats(sent=1)}


def test_plain_http_to_another_machine_is_refused_at_once() -> None:
    with pytest.raises(InvalidDocument, match="must use https"):
        TelemetryTracker.from_studio("http://studio.example.com", API_KEY)


def test_nothing_shows_the_key(studio: FakeStudio, trackers: Trackers) -> None:
    tracker = trackers.make_ready(studio)

    assert API_KEY not in repr(tracker) + repr(StudioClient(studio.server.url, API_KEY))
