"""Telling workers that there is something to do: after the commit, by ids only, and without waiting for anybody."""

import logging
import threading
import time
from collections.abc import Iterable
from typing import Final

from celery import Task
from celery.exceptions import OperationalError
from kombu.exceptions import OperationalError as BrokerError

from telemetry.tasks import collect_access, deliver, erase, purge_events, rescrub

__all__ = ["wake_collectors", "wake_erasers", "wake_providers", "wake_purge", "wake_rescrub"]

logger = logging.getLogger(__name__)

# A worker that was woken goes on until nothing is left: more calls within a second would only fill the broker.
_QUIET_SECONDS: Final = 1.0
# The sweep finds what nobody was told of, so a broker that is away is left alone for a while.
_BROKEN_SECONDS: Final = 10.0


class _Calls:
    """When each provider may be woken again; one for the process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._next: dict[int, float] = {}
        self._broken_until = 0.0

    def delay_for(self, provider_id: int) -> float | None:
        """In how many seconds to wake it; ``None`` when that is arranged already, or the broker is away."""
        now = time.monotonic()
        with self._lock:
            if now < self._broken_until:
                return None
            known = self._next.get(provider_id, 0.0)
            if known <= now:
                self._next[provider_id] = now + _QUIET_SECONDS
                return 0.0
            if known <= now + _QUIET_SECONDS:
                # One more at the end of the quiet second, for all that come until then.
                self._next[provider_id] = known + _QUIET_SECONDS
                return known - now
            return None

    def rest(self) -> None:
        """The broker did not take a call."""
        with self._lock:
            self._broken_until = time.monotonic() + _BROKEN_SECONDS
            self._next.clear()


_calls = _Calls()


def wake_providers(provider_ids: Iterable[int]) -> None:
    """Workers know that these providers are owed something; raises nothing, and loses nothing if nobody hears it."""
    for provider_id in provider_ids:
        delay = _calls.delay_for(provider_id)
        if delay is None:
            continue
        try:
            deliver.apply_async((provider_id,), countdown=delay)
        except (OperationalError, BrokerError, OSError) as error:
            _calls.rest()
            logger.warning("wakeup.failed", extra={"error": type(error).__name__})
            return


def wake_erasers(request_ids: Iterable[int]) -> None:
    """Workers know of these erasure requests; raises nothing, and the sweep finds what nobody heard of."""
    _send(erase, request_ids)


def wake_collectors(export_ids: Iterable[int]) -> None:
    """Workers know of these access exports; raises nothing, and the sweep finds what nobody heard of."""
    _send(collect_access, export_ids)


def wake_purge() -> None:
    """Workers know that a run may go on; raises nothing, and the next hour finds what nobody heard of."""
    _call(purge_events)


def wake_rescrub() -> None:
    """Workers know that a run of re-scrub may go on; raises nothing, and the sweep finds what nobody heard of."""
    _call(rescrub)


def _call(task: Task[[], None]) -> None:
    try:
        task.apply_async()
    except (OperationalError, BrokerError, OSError) as error:
        logger.warning("wakeup.failed", extra={"error": type(error).__name__})


def _send(task: Task[[int], None], ids: Iterable[int]) -> None:
    for each in ids:
        try:
            task.apply_async((each,))
        except (OperationalError, BrokerError, OSError) as error:
            logger.warning("wakeup.failed", extra={"error": type(error).__name__})
            return
