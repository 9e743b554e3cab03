"""Handing an event to every provider, one by one, so that none can hurt another or the app."""

import asyncio
import concurrent.futures
import logging
import threading
from collections.abc import Awaitable, Callable, Iterable
from inspect import isawaitable
from typing import Any

from telemetry.core.errors import Conflict, NotFound
from telemetry.core.events import Accepted
from telemetry.core.reports import Report
from telemetry.sdk.counts import OutcomeCounts
from telemetry.sdk.loop import BackgroundLoop, Running
from telemetry.sdk.process import renew_in_children
from telemetry.sdk.provider import DeliveryStats, Provider, ReportsDelivery, TakesOutcomes, TakesReports

__all__ = ["ProviderErrorCallback", "ProviderFanout"]

logger = logging.getLogger("telemetry.sdk")

ProviderErrorCallback = Callable[[str, str], None]

# Plain providers called from ``atrack`` share a few threads: enough that one slow provider does not hold up the rest.
_THREADS = 4


class _Slot:
    """One provider with its counters."""

    def __init__(self, provider: Provider) -> None:
        self.id = provider.id
        self.provider = provider
        self.wants_reports = isinstance(provider, TakesReports)
        self.take = _taking(provider)
        self.returns_at_once = asyncio.iscoroutinefunction(provider.send) or getattr(provider, "returns_at_once", False)
        self.counts = OutcomeCounts()
        self.is_failing = False
        # Whoever reports what became of its events is asked, not counted.
        self.reports = isinstance(provider, ReportsDelivery)

    def stats(self) -> DeliveryStats:
        """What the provider itself reports, plus what never reached it; without a report, what was handed over."""
        counts = self.counts.read()
        if not isinstance(self.provider, ReportsDelivery):
            return DeliveryStats(
                sent=counts["sent"], failed=counts["failed"], dropped=counts["dropped"], waiting=counts["waiting"]
            )
        report = self.provider.delivery()
        return DeliveryStats(
            sent=report.sent, failed=report.failed + counts["failed"], dropped=report.dropped, waiting=report.waiting
        )


class ProviderFanout:
    """Gives each event to every provider; a failing one is counted and reported by type name, and stops nobody.

    Providers may come and go while events flow; an event goes to those that are there when it is handed over.
    """

    def __init__(
        self, providers: Iterable[Provider], *, on_error: ProviderErrorCallback, loop: BackgroundLoop, timeout: float
    ) -> None:
        """``on_error`` must not raise; ``timeout`` bounds each hand-over to an async provider, in seconds."""
        self._use(())
        self._on_error = on_error
        self._loop = loop
        self._timeout = timeout
        self._threads: concurrent.futures.ThreadPoolExecutor | None = None
        self._changing = threading.RLock()
        for provider in providers:
            self.add(provider)
        renew_in_children(self)

    def renew_after_fork(self) -> None:
        """Count from zero and start threads of its own in the child."""
        self._threads = None
        self._changing = threading.RLock()
        for slot in self._slots:
            slot.counts.renew_after_fork()

    @property
    def providers(self) -> tuple[Provider, ...]:
        """The providers, in the order in which they were added."""
        return tuple(slot.provider for slot in self._slots)

    def add(self, provider: Provider) -> None:
        """Hand events to this provider too, from the next one on; raises Conflict when its id is taken."""
        with self._changing:
            if any(slot.id == provider.id for slot in self._slots):
                raise Conflict(f"a provider with the id {provider.id!r} is there already")
            # A new tuple each time: an event that is being handed over goes on with the one it began with.
            self._use((*self._slots, _Slot(provider)))

    def remove(self, provider_id: str) -> Provider:
        """Hand it no more events and return it, still running; raises NotFound when there is none with this id."""
        with self._changing:
            for slot in self._slots:
                if slot.id == provider_id:
                    self._use(tuple(other for other in self._slots if other is not slot))
                    return slot.provider
        raise NotFound(f"there is no provider with the id {provider_id!r}")

    def stats(self) -> dict[str, DeliveryStats]:
        """What became of the events at each provider that is there now, by provider id."""
        return {slot.id: slot.stats() for slot in self._slots}

    def _use(self, slots: tuple[_Slot, ...]) -> None:
        self._slots = slots
        self._wants_reports = any(slot.wants_reports for slot in slots)

    @property
    def wants_reports(self) -> bool:
        """Whether some provider is to be told of events that are not kept."""
        return self._wants_reports

    def report(self, report: Report) -> None:
        """Tell those that want to know of an event that is not kept; never raises."""
        for slot in self._slots:
            if slot.wants_reports:
                self._hand_over(slot, report)

    def send(self, accepted: Accepted) -> None:
        """Give the event to every provider; returns without waiting for async ones, and never raises."""
        for slot in self._slots:
            self._hand_over(slot, accepted)

    async def asend(self, accepted: Accepted) -> None:
        """Give the event to every provider and wait for async ones, without blocking the running loop; never raises.

        When the caller is cancelled, hand-overs that have begun go on.
        """
        slots = self._slots
        pending = [self._hand_over(slot, accepted) for slot in slots if slot.returns_at_once]
        slow = [slot for slot in slots if not slot.returns_at_once]
        if slow:
            loop, threads = asyncio.get_running_loop(), self._ensure_threads()
            begun = [loop.run_in_executor(threads, self._hand_over, slot, accepted) for slot in slow]
            finished, _ = await asyncio.wait(begun)
            pending += [future.result() for future in finished]
        waiting = [asyncio.wrap_future(future) for future in pending if future is not None]
        if waiting:
            # wait() does not cancel what it waits for when the caller is cancelled.
            await asyncio.wait(waiting)

    def close(self) -> None:
        """Let go of the threads; events already handed to them go on."""
        threads, self._threads = self._threads, None
        if threads is not None:
            threads.shutdown(wait=False)

    def _ensure_threads(self) -> concurrent.futures.ThreadPoolExecutor:
        if self._threads is None:
            self._threads = concurrent.futures.ThreadPoolExecutor(_THREADS, thread_name_prefix="telemetry-atrack")
        return self._threads

    def _hand_over(self, slot: _Slot, judged: Accepted | Report) -> Running | None:
        """Call the provider, whatever it does; reports are for those that want them only."""
        try:
            take = slot.take
            # No report if there is nothing that takes one.
            answer = slot.provider.send(judged.dispatch) if take is None else take(judged)  # type: ignore[union-attr]
        except Exception as error:  # noqa: BLE001  whatever a provider raises must not reach the app
            slot.counts.add("failed")
            self._report_failure(slot, error)
            return None
        if answer is True and slot.reports and not slot.is_failing:
            return None
        return self._note(slot, answer)

    def _note(self, slot: _Slot, answer: object) -> Running | None:
        # The usual answers first: asking whether something can be awaited costs more than all the rest.
        if answer is not True and answer is not None and answer is not False and isawaitable(answer):
            return self._await_in_background(slot, answer)
        if answer is False:
            slot.counts.add("dropped")
        elif not slot.reports:
            slot.counts.count_sent()
        if slot.is_failing:
            self._report_success(slot)
        return None

    def _await_in_background(self, slot: _Slot, awaitable: Awaitable[object]) -> Running | None:
        slot.counts.add("waiting")

        def cancelled() -> None:
            # Cancelled before it began, the awaitable was never touched, and would complain.
            _close(awaitable)
            slot.counts.move("waiting", "failed")
            self._report_failure(slot, asyncio.CancelledError())

        running = self._loop.submit(self._settle(slot, awaitable), when_cancelled=cancelled)
        if running is None:
            slot.counts.move("waiting", "dropped")
            _close(awaitable)
        return running

    async def _settle(self, slot: _Slot, awaitable: Awaitable[object]) -> None:
        try:
            async with asyncio.timeout(self._timeout):
                answer = await awaitable
        except Exception as error:  # noqa: BLE001  whatever a provider raises must not end the loop
            slot.counts.move("waiting", "failed")
            self._report_failure(slot, error)
        else:
            slot.counts.move("waiting", "dropped" if answer is False else "sent")
            self._report_success(slot)

    def _report_success(self, slot: _Slot) -> None:
        if slot.is_failing:
            slot.is_failing = False
            logger.info("provider.recovered provider=%s", slot.id)

    def _report_failure(self, slot: _Slot, error: BaseException) -> None:
        # The type only: the message of a foreign library may quote what it was given.
        kind = type(error).__name__
        if not slot.is_failing:
            slot.is_failing = True
            logger.warning("provider.failing provider=%s error=%s", slot.id, kind)
        self._on_error(slot.id, kind)


def _taking(provider: Provider) -> Callable[[Any], object] | None:
    """What is called with outcomes, and reports where they are wanted; ``None`` for providers that want dispatches."""
    if isinstance(provider, TakesReports):
        return provider.take
    return provider.take_kept if isinstance(provider, TakesOutcomes) else None


def _close(awaitable: Awaitable[object]) -> None:
    if asyncio.iscoroutine(awaitable):
        awaitable.close()
