"""Events to the studio whose config the tracker follows."""

import gzip
import logging
import os
import time
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import ClassVar

import msgspec

from telemetry.core.errors import Unavailable
from telemetry.core.events import Accepted, Dispatch, Written
from telemetry.core.reports import Report, report_accepted
from telemetry.sdk.address import check_address, check_api_key
from telemetry.sdk.draining import DrainPace
from telemetry.sdk.http import Answer, request
from telemetry.sdk.process import finish_at_exit, renew_in_children
from telemetry.sdk.provider import DeliveryStats
from telemetry.sdk.queue import BackgroundQueue, QueueSettings
from telemetry.sdk.sender import Answered, Sender
from telemetry.sdk.spool import Spool
from telemetry.sdk.spool_directory import SpoolDirectory

__all__ = ["InternalProvider", "TransportStats"]

logger = logging.getLogger("telemetry.sdk")

_ANSWER_BYTES = 4 * 1024 * 1024
# The batch itself is what is wrong; everything else may pass, also a key or an address that somebody puts right.
_FINAL = frozenset({400, 413, 415, 422})
# Twice a second, so that a killed process loses less than a second of events.
_DEFAULT_SETTINGS = QueueSettings(batch_size=500, linger=0.5, first_retry=1.0, longest_retry=60.0)
_DISK_BYTES = 64 * 1024 * 1024
_MEMORY_BYTES = 8 * 1024 * 1024


class TransportStats(msgspec.Struct, frozen=True, kw_only=True):
    """What happened on the way to the studio, in events of this process.

    ``rejected`` and ``duplicate`` are some of those that were sent: the studio has counted them as such. ``recovered``
    were left behind by earlier processes and sent by this one; ``recovered_waiting`` are still to be sent, and
    ``recovered_lost`` were dropped or refused. ``spooled_bytes`` is what waits in memory or on disk.
    """

    delivery: DeliveryStats
    rejected: int
    duplicate: int
    recovered: int
    recovered_waiting: int
    recovered_lost: int
    spooled_bytes: int


class InternalProvider:
    """Reports what became of *every* event, redacted, to the studio's batch API, in the background.

    The app's call only queues. Twice a second a thread writes what came into the spool, and another one sends the
    spool's events in compressed batches, oldest first: retried for as long as the studio is away, with growing,
    jittered pauses and no sooner than ``Retry-After`` asks; in halves when a batch is too large; and, after an outage,
    at no more than five times the usual rate. Delivery is at least once, and the studio counts each id once.

    With ``buffer_path`` the spool is on disk (owner only, redacted events only): what was not sent when the process
    ends or is killed is sent by the next one with the same path, address and key; a kill costs the last half second or
    so. Without, it is in memory, and what is left at the end is dropped and counted. When the spool is full, the
    oldest events are dropped and counted.
    """

    returns_at_once: ClassVar[bool] = True

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        provider_id: str = "internal",
        buffer_path: str | os.PathLike[str] | None = None,
        buffer_bytes: int | None = None,
        app_version: str | None = None,
        timeout: float = 10.0,
        settings: QueueSettings | None = None,
        pace: DrainPace | None = None,
    ) -> None:
        """``url`` is the studio's, ``api_key`` needs the scope ``ingest``; ``timeout`` (seconds) bounds one request.

        ``buffer_bytes`` bounds the spool after compression, in this process: 64 MiB on disk and 8 MiB in memory unless
        given. Raises InvalidDocument when the address is neither https nor loopback, or the key cannot travel.
        """
        self.id = provider_id
        address = check_address(url)
        self._url = f"{address}/api/v1/events/batch"
        self._headers = {
            "Content-Type": "application/json",
            "Content-Encoding": "gzip",
            "Authorization": f"Bearer {check_api_key(api_key)}",
        }
        self._app_version = app_version
        self._timeout = timeout
        self._directory = None
        if buffer_path is not None:
            self._directory = SpoolDirectory(buffer_path, url=address, api_key=api_key)
        limit = buffer_bytes or (_MEMORY_BYTES if buffer_path is None else _DISK_BYTES)
        self._spool = Spool(maximum_bytes=limit, directory=self._directory)
        self._pace = pace or DrainPace()
        chosen = settings or _DEFAULT_SETTINGS
        self._sender = Sender(self._spool, self._post, name=provider_id, pace=self._pace, settings=chosen)
        self._queue: BackgroundQueue[Accepted | Report] = BackgroundQueue(
            self._write, name=provider_id, settings=chosen
        )
        self._lost = 0
        renew_in_children(self)
        finish_at_exit(self)
        if self._spool.recover():
            self._sender.wake()

    def renew_after_fork(self) -> None:
        """Let the parent send what the parent has."""
        if self._directory is not None:
            self._directory.renew_after_fork()
        self._spool.renew_after_fork()
        self._pace = DrainPace()
        self._lost = 0

    def take(self, judged: Accepted | Report, /) -> bool:
        """Queue what became of one event; false when it was dropped because the queue is full or closed."""
        return self._queue.put(judged)

    def send(self, dispatch: Dispatch, /) -> bool:
        """Queue one event that was kept; trackers call ``take`` instead, which tells of all events."""
        return self.take(Written(dispatch=dispatch, metrics={}))

    def flush(self, timeout: float = 10.0) -> bool:
        """Send all that waits now; true when the studio had it within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        is_written = self._queue.flush(timeout)
        return self._sender.flush(deadline - time.monotonic()) and is_written

    def shutdown(self, timeout: float = 10.0) -> bool:
        """Take no more and try once to send what waits; true when nothing is lost.

        What could not be sent within ``timeout`` seconds stays on disk for the next process; without a disk buffer it
        is dropped. Calling it again is harmless.
        """
        deadline = time.monotonic() + timeout
        is_written = self._queue.shutdown(timeout)
        self._sender.shutdown(deadline - time.monotonic())
        lost = self._spool.close()
        self._lost += lost
        return is_written and not lost

    def delivery(self) -> DeliveryStats:
        """Counts of events since this process began to use the provider."""
        queued, spooled, own = self._queue.stats(), self._spool.stats(), self._sender.own
        return DeliveryStats(
            sent=own.taken,
            failed=own.refused + queued.failed,
            dropped=queued.dropped + spooled.dropped,
            waiting=queued.waiting + spooled.waiting,
        )

    def transport(self) -> TransportStats:
        """What happened on the way to the studio so far."""
        spooled, own, recovered = self._spool.stats(), self._sender.own, self._sender.recovered
        return TransportStats(
            delivery=self.delivery(),
            rejected=own.rejected,
            duplicate=own.duplicate,
            recovered=recovered.taken,
            recovered_waiting=spooled.recovered_waiting,
            recovered_lost=recovered.refused + spooled.recovered_dropped,
            spooled_bytes=spooled.bytes,
        )

    def _write(self, batch: Sequence[Accepted | Report]) -> None:
        items = [msgspec.json.encode(report_accepted(each) if isinstance(each, Accepted) else each) for each in batch]
        self._pace.came(len(items))
        self._spool.append(items)
        self._sender.wake()

    def _post(self, items: Sequence[bytes]) -> Answered:
        """Send one batch; raises Unavailable when it is worth another attempt."""
        answer = request(
            "POST",
            self._url,
            headers=self._headers,
            body=gzip.compress(self._body(items), compresslevel=6),
            timeout=self._timeout,
            maximum_bytes=_ANSWER_BYTES,
        )
        if 200 <= answer.status < 300:
            return _counts_of(answer, len(items))
        if answer.status not in _FINAL:
            raise Unavailable(f"the studio answered {answer.status}", retry_after=answer.retry_after)
        if len(items) > 1:
            # Too large, or one of them is not what the studio can read: it must not take the others with it.
            middle = len(items) // 2
            return self._post(items[:middle]) + self._post(items[middle:])
        logger.warning("provider.event_refused provider=%s status=%d", self.id, answer.status)
        return Answered(refused=1)

    def _body(self, items: Sequence[bytes]) -> bytes:
        around = {"sentAt": datetime.now(UTC), "appVersion": self._app_version, "events": ()}
        head = msgspec.json.encode({name: value for name, value in around.items() if value is not None})
        return head[:-1] + b',"reports":[' + b",".join(items) + b"]}"


class _Counts(msgspec.Struct):
    """What is read of the studio's answer."""

    rejected: int = 0
    duplicate: int = 0


def _counts_of(answer: Answer, count: int) -> Answered:
    try:
        counts = msgspec.json.decode(answer.body, type=_Counts)
    except msgspec.MsgspecError:
        counts = _Counts()
    return Answered(taken=count, rejected=counts.rejected, duplicate=counts.duplicate)
