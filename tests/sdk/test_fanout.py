"""Handing one event to every provider: none can hurt another, the app, or the running loop."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator

import pytest

from telemetry.core.errors import Conflict, NotFound
from telemetry.core.events import Dispatch
from telemetry.sdk.fanout import ProviderFanout
from telemetry.sdk.loop import BackgroundLoop
from telemetry.sdk.provider import DeliveryStats, Provider
from telemetry.sdk.providers import InMemoryProvider
from tests.sdk.builders import make_accepted, make_dispatch
from tests.sdk.servers import PATIENCE


class PlainProvider:
    """Remembers the threads in which it was called, and does what it is told to."""

    returns_at_once = False

    def __init__(self, id: str = "plain", act: Callable[[Dispatch], object] = lambda _dispatch: None) -> None:  # noqa: A002
        self.id = id
        self.act = act
        self.threads: list[threading.Thread] = []

    def send(self, dispatch: Dispatch, /) -> object:
        self.threads.append(threading.current_thread())
        return self.act(dispatch)


def raising(error: Exception) -> Callable[[Dispatch], object]:
    def act(_dispatch: Dispatch) -> object:
        raise error

    return act


class AsyncProvider:
    """Remembers the loop on which it was awaited; waits for its gate if it has one."""

    def __init__(self, id: str = "async", *, error: Exception | None = None, hangs: bool = False) -> None:  # noqa: A002
        self.id = id
        self.error = error
        self.hangs = hangs
        self.loops: list[asyncio.AbstractEventLoop] = []
        self.has_begun = threading.Event()

    async def send(self, dispatch: Dispatch, /) -> None:
        self.loops.append(asyncio.get_running_loop())
        self.has_begun.set()
        if self.hangs:
            await asyncio.Event().wait()
        await asyncio.sleep(0)
        if self.error is not None:
            raise self.error


class Stage:
    """A fan-out with its loop and all errors that it reported."""

    def __init__(self, *providers: Provider, timeout: float = PATIENCE, capacity: int = 1000) -> None:
        self.errors: list[tuple[str, str]] = []
        self.loop = BackgroundLoop(capacity=capacity)
        self.fanout = ProviderFanout(
            providers, on_error=lambda *error: self.errors.append(error), loop=self.loop, timeout=timeout
        )

    def send(self, times: int = 1) -> None:
        for _ in range(times):
            self.fanout.send(make_accepted())
        assert self.loop.flush(PATIENCE)


@pytest.fixture
def stages() -> Iterator[list[Stage]]:
    """Put stages in; they are taken down after the test."""
    built: list[Stage] = []
    yield built
    for stage in built:
        stage.loop.shutdown(0.0)
        stage.fanout.close()


def test_every_provider_gets_the_event_although_others_fail(stages: list[Stage]) -> None:
    memory = InMemoryProvider()
    stages.append(
        stage := Stage(
            PlainProvider("broken", raising(RuntimeError("alice@example.com"))),
            AsyncProvider("broken too", error=KeyError("alice@example.com")),
            memory,
        )
    )

    stage.send()

    assert memory.dispatches == (make_dispatch(),)
    assert sorted(stage.errors) == [("broken", "RuntimeError"), ("broken too", "KeyError")]
    assert stage.fanout.stats() == {
        "broken": DeliveryStats(failed=1),
        "broken too": DeliveryStats(failed=1),
        "memory": DeliveryStats(sent=1),
    }


def test_plain_code_can_use_async_providers_and_does_not_wait_for_them(stages: list[Stage]) -> None:
    provider = AsyncProvider(hangs=True)
    stages.append(stage := Stage(provider))

    stage.fanout.send(make_accepted())

    assert provider.has_begun.wait(PATIENCE)
    assert stage.fanout.stats() == {"async": DeliveryStats(waiting=1)}
    assert not stage.loop.flush(0.0)


def test_async_providers_run_on_one_loop_whoever_calls(stages: list[Stage]) -> None:
    provider = AsyncProvider()
    stages.append(stage := Stage(provider))

    async def app() -> None:
        stage.fanout.send(make_accepted())
        await stage.fanout.asend(make_accepted())

    asyncio.run(app())
    asyncio.run(app())
    stage.send()

    assert len(provider.loops) == 5
    assert len(set(provider.loops)) == 1


def test_an_async_app_waits_for_async_providers(stages: list[Stage]) -> None:
    provider = AsyncProvider()
    stages.append(stage := Stage(provider))

    asyncio.run(stage.fanout.asend(make_accepted()))

    assert stage.fanout.stats() == {"async": DeliveryStats(sent=1)}


def test_plain_providers_do_not_block_the_loop_of_an_async_app(stages: list[Stage]) -> None:
    is_free = threading.Event()
    slow = PlainProvider("slow", lambda _dispatch: is_free.wait(PATIENCE))
    quick = InMemoryProvider("quick")
    stages.append(stage := Stage(slow, quick))

    async def app() -> None:
        sending = asyncio.ensure_future(stage.fanout.asend(make_accepted()))
        # The loop goes on while the provider waits for what only the loop will give it.
        while not quick.dispatches:
            await asyncio.sleep(0)
        is_free.set()
        await sending

    asyncio.run(app())

    assert stage.fanout.stats() == {"slow": DeliveryStats(sent=1), "quick": DeliveryStats(sent=1)}


def test_a_provider_that_returns_at_once_is_called_without_a_thread(stages: list[Stage]) -> None:
    detour, direct = PlainProvider("detour"), PlainProvider("direct")
    direct.returns_at_once = True
    stages.append(stage := Stage(detour, direct))

    asyncio.run(stage.fanout.asend(make_accepted()))

    assert direct.threads == [threading.main_thread()]
    assert detour.threads != [threading.main_thread()]


def test_a_cancelled_app_does_not_take_the_event_with_it(stages: list[Stage]) -> None:
    started = threading.Event()
    may_end = threading.Event()

    def act(_dispatch: Dispatch) -> None:
        started.set()
        assert may_end.wait(PATIENCE)

    stages.append(stage := Stage(PlainProvider(act=act)))

    async def app() -> None:
        sending = asyncio.ensure_future(stage.fanout.asend(make_accepted()))
        await asyncio.to_thread(started.wait, PATIENCE)
        sending.cancel()
        with pytest.raises(asyncio.CancelledError):
            await sending
        may_end.set()

    asyncio.run(app())
    threads = stage.fanout._threads
    assert threads is not None
    threads.shutdown(wait=True)

    assert stage.fanout.stats() == {"plain": DeliveryStats(sent=1)}


def test_a_hand_over_that_takes_too_long_fails(stages: list[Stage]) -> None:
    stages.append(stage := Stage(AsyncProvider(hangs=True), timeout=0.01))

    stage.send()

    assert stage.errors == [("async", "TimeoutError")]
    assert stage.fanout.stats() == {"async": DeliveryStats(failed=1)}


def test_an_awaitable_from_a_plain_method_is_awaited(stages: list[Stage]) -> None:
    inner = AsyncProvider()
    stages.append(stage := Stage(PlainProvider("wrapped", inner.send)))

    stage.send()

    assert len(inner.loops) == 1
    assert stage.fanout.stats() == {"wrapped": DeliveryStats(sent=1)}


def test_too_many_hand_overs_under_way_are_dropped_and_counted(stages: list[Stage]) -> None:
    provider = AsyncProvider(hangs=True)
    stages.append(stage := Stage(provider, capacity=2))

    for _ in range(5):
        stage.fanout.send(make_accepted())

    assert stage.fanout.stats() == {"async": DeliveryStats(waiting=2, dropped=3)}


def test_a_shutdown_cancels_what_hangs_and_counts_it_as_failed(stages: list[Stage]) -> None:
    provider = AsyncProvider(hangs=True)
    stages.append(stage := Stage(provider))
    stage.fanout.send(make_accepted())
    assert provider.has_begun.wait(PATIENCE)

    is_done = stage.loop.shutdown(0.0)

    assert not is_done
    assert stage.errors == [("async", "CancelledError")]
    assert stage.fanout.stats() == {"async": DeliveryStats(failed=1)}
    stage.fanout.send(make_accepted())
    assert stage.fanout.stats() == {"async": DeliveryStats(failed=1, dropped=1)}


def test_false_means_dropped(stages: list[Stage]) -> None:
    stages.append(
        stage := Stage(PlainProvider("full", lambda _dispatch: False), PlainProvider("odd", lambda _dispatch: 0))
    )

    stage.send()

    assert stage.fanout.stats() == {"full": DeliveryStats(dropped=1), "odd": DeliveryStats(sent=1)}


def test_a_provider_that_reports_its_deliveries_is_believed(stages: list[Stage]) -> None:
    class Reporting(PlainProvider):
        def delivery(self) -> DeliveryStats:
            return DeliveryStats(sent=3, failed=2, dropped=1, waiting=4)

    provider = Reporting("reporting", raising(RuntimeError()))
    stages.append(stage := Stage(provider))

    stage.send(times=2)

    assert stage.fanout.stats() == {"reporting": DeliveryStats(sent=3, failed=4, dropped=1, waiting=4)}


def test_providers_come_and_go_while_events_flow(stages: list[Stage]) -> None:
    first, second = InMemoryProvider("first"), InMemoryProvider("second")
    stages.append(stage := Stage(first))

    stage.send()
    stage.fanout.add(second)
    stage.send()
    removed = stage.fanout.remove("first")
    stage.send()

    assert removed is first
    assert (len(first.dispatches), len(second.dispatches)) == (2, 2)
    assert stage.fanout.providers == (second,)


def test_a_provider_that_removes_itself_disturbs_nobody(stages: list[Stage]) -> None:
    leaving, staying = PlainProvider("leaving"), InMemoryProvider("staying")
    stages.append(stage := Stage(leaving, staying))
    leaving.act = lambda _dispatch: stage.fanout.remove("leaving")

    stage.send(times=2)

    assert stage.errors == []
    assert len(staying.dispatches) == 2


def test_two_providers_cannot_share_an_id(stages: list[Stage]) -> None:
    stages.append(stage := Stage(InMemoryProvider("one")))

    with pytest.raises(Conflict, match="'one'"):
        stage.fanout.add(InMemoryProvider("one"))

    assert len(stage.fanout.providers) == 1


def test_a_provider_that_is_not_there_cannot_be_removed(stages: list[Stage]) -> None:
    stages.append(stage := Stage())

    with pytest.raises(NotFound, match="'one'"):
        stage.fanout.remove("one")


def test_failing_and_recovering_are_logged_once_each_without_the_message(
    stages: list[Stage], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "telemetry.sdk")
    provider = PlainProvider(act=raising(RuntimeError("alice@example.com")))
    stages.append(stage := Stage(provider))

    stage.send(times=3)
    provider.act = lambda _dispatch: None
    stage.send(times=3)

    assert caplog.messages == [
        "provider.failing provider=plain error=RuntimeError",
        "provider.recovered provider=plain",
    ]
