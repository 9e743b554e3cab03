"""Following a studio's config: poll, keep the last good copy, never go back."""

import logging
import math
import random
import threading
import time
from collections.abc import Callable
from typing import Literal

import msgspec

from telemetry.core.errors import TelemetryError
from telemetry.core.events import PseudonymKey
from telemetry.sdk.disk_copy import DiskCopy
from telemetry.sdk.pacing import PollPace, RevisionGuard
from telemetry.sdk.process import renew_in_children
from telemetry.sdk.rules import Rules, RuleSource
from telemetry.sdk.stream import ChangeStream
from telemetry.sdk.studio import ConfigState, Failure, Fetched, LoadedConfig, StudioClient, Unchanged, load_config

__all__ = ["ConfigStatus", "StudioRules"]

logger = logging.getLogger("telemetry.sdk")

# Over how many seconds a fleet spreads what it asks when all of it hears of a change.
_SPREAD_SECONDS = 2.0


class ConfigStatus(msgspec.Struct, frozen=True, kw_only=True):
    """Where a tracker's config stands: the state of the last poll, the revision in use, and whether it is from disk."""

    state: ConfigState
    revision: int | None
    is_from_disk: bool


class StudioRules(RuleSource):
    """The rules that a studio publishes, kept fresh by one daemon thread that polls with jitter.

    ``pause`` is what lies between the last question and the next, in seconds.

    The last good config stays in use whatever the studio answers, and with a disk copy also over a restart. A config
    is read and compiled before it and its ETag replace the old ones. An older revision never replaces a newer one,
    unless every answer for a quarter of an hour is older: then the studio was restored from a backup. State changes
    are logged once each, without address or key. A forked child keeps the config and polls by itself from its first
    event on.

    With ``follow="stream"`` a second thread hears of changes at once; polling goes on all the same. With
    ``maximum_staleness`` (seconds) a config that the studio has not confirmed for so long counts as unknown, until it
    is confirmed again: events wait, because the rules may have changed meanwhile.
    """

    def __init__(
        self,
        client: StudioClient,
        *,
        poll_interval: float = 60.0,
        disk_copy: DiskCopy | None = None,
        key: PseudonymKey | None = None,
        follow: Literal["poll", "stream"] = "poll",
        maximum_staleness: float | None = None,
        on_change: Callable[[ConfigStatus], None] | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """``poll_interval`` is in seconds; ``key``, if given, is used instead of the one that the studio sends.

        ``on_change`` hears of each config once it is in use, in the thread that fetched it; what it raises is logged.
        """
        if follow not in ("poll", "stream"):
            raise ValueError("follow must be 'poll' or 'stream'")
        if maximum_staleness is not None and not maximum_staleness > 0:
            raise ValueError("maximum_staleness must be more than 0 seconds")
        self._follows_stream = follow == "stream"
        self._maximum_staleness = maximum_staleness
        self._on_change = on_change
        self._monotonic, self._uniform = monotonic, uniform
        self._confirmed_at = -math.inf
        self._due_at = math.inf
        self._client = client
        self._disk_copy = disk_copy
        self._key = key
        self._pace = PollPace(poll_interval, uniform=uniform)
        self._guard = RevisionGuard(monotonic=monotonic)
        self.pause = poll_interval
        self._rules: Rules | None = None
        self._status = ConfigStatus(state=ConfigState.STARTING, revision=None, is_from_disk=False)
        self._etag: str | None = None
        self._when_ready: Callable[[], None] = _nobody_waits
        self._is_closed = False
        self._start_afresh()
        renew_in_children(self)
        self._load_disk_copy()

    def _start_afresh(self) -> None:
        self._asking = threading.RLock()
        self._starting = threading.RLock()
        self._end = threading.Event()
        self._news = threading.Event()
        self._stream: ChangeStream | None = None
        self._is_ready = threading.Event()
        self._thread: threading.Thread | None = None
        if self._rules is not None:
            self._is_ready.set()

    def renew_after_fork(self) -> None:
        """Keep the config, forget the parent's thread; the next event starts one."""
        self._start_afresh()

    @property
    def status(self) -> ConfigStatus:
        """Where the config stands now."""
        return self._status

    def rules_for(self, name: str, version: int | None) -> Rules | None:  # noqa: ARG002  one config holds for all
        """Return the rules of the last good config, or ``None`` while none may be used; polls from now on."""
        if self._thread is None:
            self.start()
        return None if self._is_stale() else self._rules

    def has_rules(self) -> bool:
        """True while a config is known and not too old."""
        return self._rules is not None and not self._is_stale()

    def follow(self, when_ready: Callable[[], None]) -> None:
        """Call ``when_ready`` with each new config, and at once when there is one."""
        self._when_ready = when_ready
        if self._rules is not None:
            when_ready()

    def start(self) -> None:
        """Ask now and poll from now on, in the background; harmless when polling already or closed."""
        with self._starting:
            if self._thread is None and not self._is_closed:
                self._thread = threading.Thread(target=self._poll, name="telemetry-config", daemon=True)
                self._thread.start()
                if self._follows_stream:
                    self._stream = self._client.stream(on_news=self._hear)
                    self._stream.start()

    def ready(self, timeout: float) -> bool:
        """True as soon as a config is known, from the studio or from disk; false after ``timeout`` seconds without."""
        return self._is_ready.wait(max(0.0, timeout))

    def refresh(self) -> bool:
        """Ask the studio now, in this thread; true when the config in use is the newest. Raises nothing."""
        with self._asking:
            answer = self._client.fetch(self._etag)
            if isinstance(answer, Failure):
                self._enter(answer.state, detail=answer.status)
                self.pause = self._pace.after_failure(
                    has_config=self._rules is not None, retry_after=answer.retry_after
                )
                return False
            self.pause = self._pace.after_success()
            if isinstance(answer, Unchanged):
                self._guard.confirm()
                was_stale = self._is_stale()
                self._confirm()
                self._enter(ConfigState.CURRENT)
                if was_stale:
                    self._when_ready()
                return True
            return self._take(answer)

    def shutdown(self, timeout: float) -> bool:
        """End polling; true when the thread ended within ``timeout`` seconds."""
        deadline = time.monotonic() + timeout
        with self._starting:
            self._is_closed = True
        self._end.set()
        self._news.set()
        stream, thread = self._stream, self._thread
        is_done = stream is None or stream.close(timeout)
        if thread is None or thread is threading.current_thread():
            return is_done
        thread.join(max(0.0, deadline - time.monotonic()))
        return is_done and not thread.is_alive()

    def _poll(self) -> None:
        end = self._end
        while not end.is_set():
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001  no mistake, not even our own, may end polling for good
                logger.error("config.poll_failed error=%s", type(error).__name__)
            self._wait(end, self.pause)

    def _wait(self, end: threading.Event, pause: float) -> None:
        """Return after the pause (seconds), or earlier when something was heard and its moment has come."""
        ends_at = time.monotonic() + pause
        while not end.is_set():
            left = min(ends_at, self._due_at) - time.monotonic()
            if left <= 0:
                break
            self._news.wait(min(left, threading.TIMEOUT_MAX))
            self._news.clear()
        self._due_at = math.inf

    def _hear(self, etag: str | None) -> None:
        """The studio said that the config with this tag is the present one, or (``None``) that it may have changed."""
        if etag is None or etag != self._etag:
            # A whole fleet hears at the same moment and must not ask at the same moment.
            self._due_at = min(self._due_at, time.monotonic() + self._uniform(0.0, _SPREAD_SECONDS))
            self._news.set()

    def _is_stale(self) -> bool:
        limit = self._maximum_staleness
        return limit is not None and self._monotonic() - self._confirmed_at > limit

    def _confirm(self) -> None:
        self._confirmed_at = self._monotonic()
        if self._disk_copy is not None and self._maximum_staleness is not None:
            self._disk_copy.confirm()

    def _take(self, fetched: Fetched) -> bool:
        loaded = fetched.loaded
        if not self._guard.admits(loaded.revision, known=self._status.revision):
            self._enter(ConfigState.OLDER, detail=loaded.revision)
            return False
        # The rules first, the ETag after: a crash in between costs one more download, never a config that is missed.
        is_change = self._status.revision != loaded.revision
        self._use(loaded, is_from_disk=False)
        self._confirm()
        self._etag = fetched.etag
        self._enter(ConfigState.CURRENT)
        self._save(loaded.document)
        self._when_ready()
        if is_change:
            self._tell_of_change()
        return True

    def _tell_of_change(self) -> None:
        if self._on_change is None:
            return
        try:
            self._on_change(self._status)
        except Exception as error:  # noqa: BLE001  the app's own code must not end the following
            logger.error("config.callback_failed error=%s", type(error).__name__)

    def _use(self, loaded: LoadedConfig, *, is_from_disk: bool) -> None:
        self._rules = loaded.rules if self._key is None else loaded.rules.with_key(self._key)
        self._status = msgspec.structs.replace(self._status, revision=loaded.revision, is_from_disk=is_from_disk)
        self._is_ready.set()

    def _enter(self, state: ConfigState, *, detail: int | None = None) -> None:
        if state is not self._status.state:
            self._status = msgspec.structs.replace(self._status, state=state)
            level = logging.INFO if state is ConfigState.CURRENT else logging.WARNING
            logger.log(level, "config.%s detail=%s revision=%s", state, detail, self._status.revision)

    def _load_disk_copy(self) -> None:
        if self._disk_copy is None:
            return
        document = self._disk_copy.read()
        if document is None:
            return
        try:
            # Without its ETag: the pseudonym key is not on disk, and a 304 would never bring it.
            self._use(load_config(document), is_from_disk=True)
            self._confirmed_at = self._monotonic() - self._disk_copy.age()
        except TelemetryError as error:
            logger.warning("config.disk_copy_ignored error=%s", type(error).__name__)

    def _save(self, document: bytes) -> None:
        if self._disk_copy is None:
            return
        try:
            self._disk_copy.write(document)
        except OSError as error:
            # The config is in use all the same; the next change tries again.
            logger.warning("config.disk_copy_not_written error=%s", type(error).__name__)


def _nobody_waits() -> None:
    """Stand in until a tracker follows."""
