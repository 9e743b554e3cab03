"""The background queue: order, batches, bounds, retries, flush, shutdown; every item is counted once."""

import threading
from collections.abc import Iterator, Sequence

import msgspec
import pytest

from telemetry.core.errors import Unavailable
from telemetry.core.events import Dispatch
from telemetry.core.registry import TelemetryRegistry
from telemetry.sdk.provider import DeliveryStats
from telemetry.sdk.queue import BackgroundQueue, QueuedProvider, QueueSettings, retry_pause
from telemetry.sdk.tracker import TelemetryTracker
from tests.core.builders import make_event, make_property, make_spec
from tests.sdk.servers import PATIENCE

# Longer than any test: what happens sooner did not happen by waiting.
NEVER = 100_000.0


class Receiver:
    """Takes batches; holds each back while the gate is shut, and fails as often as told."""

    def __init__(self) -> None:
        self.batches: list[list[str]] = []
        self.attempts = 0
        self.failures: list[Exception] = []
        self.gate = threading.Event()
        self.gate.set()
        self.has_begun = threading.Event()
        self.has_failed = threading.Event()

    def __call__(self, batch: Sequence[str]) -> None:
        self.attempts += 1
        self.has_begun.set()
        assert self.gate.wait(PATIENCE)
        if self.failures:
            self.has_failed.set()
            raise self.failures.pop(0)
        self.batches.append(list(batch))


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.gate.set()


def make_queue(receiver: Receiver, **settings: float) -> BackgroundQueue[str]:
    return BackgroundQueue(
        receiver,
        name="test",
        settings=msgspec.convert(
            {"linger": NEVER, "first_retry": 0.0, "longest_retry": 0.0, **settings}, QueueSettings
        ),
    )


def test_items_arrive_in_order_in_batches_of_the_set_size(receiver: Receiver) -> None:
    queue = make_queue(receiver, batch_size=2)

    taken = [queue.put(item) for item in "abcde"]

    assert taken == [True] * 5
    assert queue.flush(PATIENCE)
    assert [item for batch in receiver.batches for item in batch] == ["a", "b", "c", "d", "e"]
    assert all(len(batch) <= 2 for batch in receiver.batches)
    assert queue.stats() == DeliveryStats(sent=5)


def test_a_full_batch_leaves_without_lingering(receiver: Receiver) -> None:
    queue = make_queue(receiver, batch_size=2)

    queue.put("a")
    queue.put("b")

    assert receiver.has_begun.wait(PATIENCE)
    assert queue.flush(PATIENCE)
    assert receiver.batches == [["a", "b"]]


def test_an_item_that_lingered_long_enough_leaves_alone(receiver: Receiver) -> None:
    queue = make_queue(receiver, linger=0.01)

    queue.put("a")

    assert receiver.has_begun.wait(PATIENCE)
    assert queue.flush(PATIENCE)
    assert receiver.batches == [["a"]]


def test_a_flush_does_not_wait_for_items_that_came_after_it(receiver: Receiver) -> None:
    queue = make_queue(receiver)
    queue.put("a")
    assert queue.flush(PATIENCE)

    queue.put("b")

    assert receiver.batches == [["a"]]
    assert queue.stats() == DeliveryStats(sent=1, waiting=1)


def test_a_flush_says_when_its_time_was_not_enough(receiver: Receiver) -> None:
    receiver.gate.clear()
    queue = make_queue(receiver)
    queue.put("a")

    is_done = queue.flush(0.01)

    assert not is_done
    receiver.gate.set()
    assert queue.flush(PATIENCE)


def test_a_full_queue_drops_the_newest_and_counts_them(receiver: Receiver) -> None:
    receiver.gate.clear()
    queue = make_queue(receiver, capacity=2, batch_size=1)
    queue.put("under way")
    assert receiver.has_begun.wait(PATIENCE)

    taken = [queue.put(item) for item in ("first", "second", "third", "fourth")]

    assert taken == [True, True, False, False]
    assert queue.stats() == DeliveryStats(dropped=2, waiting=3)
    receiver.gate.set()
    assert queue.flush(PATIENCE)
    assert receiver.batches == [["under way"], ["first"], ["second"]]
    assert queue.stats() == DeliveryStats(sent=3, dropped=2)


def test_a_batch_is_tried_again_as_it_was_while_the_receiver_is_unavailable(receiver: Receiver) -> None:
    receiver.failures = [Unavailable("down"), Unavailable("down")]
    queue = make_queue(receiver)

    queue.put("a")

    assert queue.flush(PATIENCE)
    assert receiver.attempts == 3
    assert receiver.batches == [["a"]]
    assert queue.stats() == DeliveryStats(sent=1)


def test_a_batch_is_given_up_and_counted_after_the_last_attempt(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.failures = [Unavailable("down")] * 3
    queue = make_queue(receiver, attempts=3)

    queue.put("a")

    assert queue.flush(PATIENCE)
    assert receiver.attempts == 3
    assert queue.stats() == DeliveryStats(failed=1)
    assert caplog.messages == ["provider.batch_failed provider=test events=1 error=Unavailable"]


def test_an_error_that_will_not_pass_gives_up_one_batch_only_and_logs_no_message(
    receiver: Receiver, caplog: pytest.LogCaptureFixture
) -> None:
    receiver.failures = [ValueError("alice@example.com is not welcome")]
    queue = make_queue(receiver, batch_size=1)

    queue.put("a")
    queue.put("b")

    assert queue.flush(PATIENCE)
    assert receiver.attempts == 2
    assert receiver.batches == [["b"]]
    assert queue.stats() == DeliveryStats(sent=1, failed=1)
    assert caplog.messages == ["provider.batch_failed provider=test events=1 error=ValueError"]


def test_a_shutdown_delivers_what_waits_and_takes_no_more(receiver: Receiver) -> None:
    queue = make_queue(receiver)
    queue.put("a")

    is_done = queue.shutdown(PATIENCE)

    assert is_done
    assert queue.put("b") is False
    assert receiver.batches == [["a"]]
    assert queue.stats() == DeliveryStats(sent=1, dropped=1)
    assert queue.shutdown(PATIENCE)


def test_a_shutdown_ends_a_retry_pause_with_one_last_attempt(receiver: Receiver) -> None:
    receiver.failures = [Unavailable("down"), Unavailable("down")]
    queue = make_queue(receiver, first_retry=NEVER, longest_retry=NEVER)
    queue.put("a")
    assert queue.flush(0.0) is False
    assert receiver.has_failed.wait(PATIENCE)

    is_done = queue.shutdown(PATIENCE)

    assert is_done
    assert receiver.attempts == 2
    assert queue.stats() == DeliveryStats(failed=1)


def test_a_shutdown_out_of_time_drops_what_is_left_and_counts_it(receiver: Receiver) -> None:
    receiver.gate.clear()
    queue = make_queue(receiver, batch_size=1)
    queue.put("under way")
    assert receiver.has_begun.wait(PATIENCE)
    queue.put("left")

    is_done = queue.shutdown(0.01)

    assert not is_done
    assert queue.stats() == DeliveryStats(dropped=1, waiting=1)


def test_many_threads_lose_and_double_nothing(receiver: Receiver) -> None:
    queue = make_queue(receiver, batch_size=7)
    names = [[f"{thread}-{number}" for number in range(200)] for thread in range(8)]
    threads = [threading.Thread(target=lambda mine=mine: [queue.put(item) for item in mine]) for mine in names]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert queue.flush(PATIENCE)
    arrived = [item for batch in receiver.batches for item in batch]
    assert sorted(arrived) == sorted(item for mine in names for item in mine)
    assert queue.stats() == DeliveryStats(sent=1600)


def test_items_put_while_the_queue_is_shut_down_are_all_counted(receiver: Receiver) -> None:
    queue = make_queue(receiver, batch_size=7, linger=0.0)
    begun = threading.Barrier(5)

    def put_many() -> None:
        begun.wait(PATIENCE)
        for number in range(2000):
            queue.put(str(number))

    threads = [threading.Thread(target=put_many) for _ in range(4)]
    for thread in threads:
        thread.start()
    begun.wait(PATIENCE)
    queue.shutdown(PATIENCE)
    for thread in threads:
        thread.join()

    stats = queue.stats()
    assert stats == DeliveryStats(sent=sum(map(len, receiver.batches)), dropped=8000 - stats.sent)


class Collector(QueuedProvider[Dispatch]):
    """Keeps what arrives."""

    def __init__(self) -> None:
        self.arrived: list[Dispatch] = []
        super().__init__("collector", settings=QueueSettings(linger=0.0))

    def send_batch(self, items: Sequence[Dispatch]) -> None:
        self.arrived.extend(items)


class Preparing(Collector):
    """Prepares dispatches where they are tracked."""

    def prepare(self, dispatch: Dispatch) -> Dispatch:
        return msgspec.structs.replace(dispatch, tags=(threading.current_thread().name,))


class Choosing(Collector):
    """Sends only what it likes."""

    def send(self, dispatch: Dispatch, /) -> bool:
        return dispatch.properties["step"] == "a" and super().send(dispatch)


def track_two(provider: Collector) -> None:
    spec = make_spec(make_event(properties={"step": make_property()}))
    with TelemetryTracker(TelemetryRegistry([spec]), [provider]) as tracker:
        tracker.track("step", 1, {"step": "a"})
        tracker.track("step", 1, {"step": "b"})


def test_a_queued_provider_gets_whole_dispatches_in_batches() -> None:
    provider = Collector()

    track_two(provider)

    assert [(type(each), each.properties) for each in provider.arrived] == [
        (Dispatch, {"step": "a"}),
        (Dispatch, {"step": "b"}),
    ]
    assert provider.delivery() == DeliveryStats(sent=2)


def test_a_queued_provider_that_prepares_does_so_in_the_apps_call() -> None:
    provider = Preparing()

    track_two(provider)

    assert [each.tags for each in provider.arrived] == [(threading.current_thread().name,)] * 2


def test_a_queued_provider_with_a_send_of_its_own_is_called_by_it() -> None:
    provider = Choosing()

    track_two(provider)

    assert [each.properties for each in provider.arrived] == [{"step": "a"}]


@pytest.mark.parametrize(
    ("attempt", "retry_after", "expected"),
    [(1, None, 0.25), (2, None, 0.5), (3, None, 1.0), (99, None, 15.0), (1, 7.0, 7.0), (1, 86_400.0, 300.0)],
)
def test_pauses_double_up_to_the_longest_and_honour_the_servers_wish_up_to_five_minutes(
    attempt: int, retry_after: float | None, expected: float
) -> None:
    settings = QueueSettings(first_retry=0.5, longest_retry=30.0)

    assert retry_pause(settings, attempt, retry_after, 0.5) == expected


@pytest.mark.parametrize("field", ["capacity", "batch_size", "attempts"])
def test_counts_below_one_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="must be at least 1"):
        msgspec.convert({field: 0}, QueueSettings)


@pytest.mark.parametrize("field", ["linger", "first_retry", "longest_retry"])
def test_negative_times_are_refused(field: str) -> None:
    with pytest.raises(ValueError, match="must not be negative"):
        msgspec.convert({field: -1.0}, QueueSettings)


def test_an_idle_queue_flushes_at_once_and_starts_no_thread(receiver: Receiver) -> None:
    queue = make_queue(receiver)
    before = threading.active_count()

    assert queue.flush(0.0)

    assert threading.active_count() == before
    assert receiver.attempts == 0
