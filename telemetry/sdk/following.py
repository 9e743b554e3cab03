"""Following a studio's config: poll, keep the last good copy, never go back."""

import logging
import random
import threading
import time
from collections.abc import Callable

import msgspec

from telemetry.core.errors import TelemetryError
from telemetry.core.events import PseudonymKey
from telemetry.sdk.disk_copy import DiskCopy
from telemetry.sdk.pacing import PollPace, RevisionGuard
from telemetry.sdk.process import renew_in_children
from telemetry.sdk.rules import Rules, RuleSource
from telemetry.sdk.studio import ConfigState, Failure, Fetched, LoadedConfig, StudioClient, Unchanged, load_config

__all__ = ["ConfigStatus", "StudioRules"]

logger = logging.getLogger("telemetry.sdk")


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
    """

    def __init__(
        self,
        client: StudioClient,
        *,
        poll_interval: float = 60.0,
        disk_copy: DiskCopy | None = None,
        key: PseudonymKey | None = None,
        monotonic: Callable[[], float] = time.monotonic,
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        """``poll_interval`` is in seconds; ``key``, if given, is used instead of the one that the studio sends."""
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
        """Return the rules of the last good config, or ``None`` while there is none; polls from now on."""
        if self._thread is None:
            self.start()
        return self._rules

    def has_rules(self) -> bool:
        """True once a config is known."""
        return self._rules is not None

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
                self._enter(ConfigState.CURRENT)
                return True
            return self._take(answer)

    def shutdown(self, timeout: float) -> bool:
        """End polling; true when the thread ended within ``timeout`` seconds."""
        self._is_closed = True
        self._end.set()
        thread = self._thread
        if thread is None or thread is threading.current_thread():
            return True
        thread.join(max(0.0, timeout))
        return not thread.is_alive()

    def _poll(self) -> None:
        end = self._end
        while not end.is_set():
            try:
                self.refresh()
            except Exception as error:  # noqa: BLE001  no mistake, not even our own, may end polling for good
                logger.error("config.poll_failed error=%s", type(error).__name__)
            end.wait(self.pause)

    def _take(self, fetched: Fetched) -> bool:
        loaded = fetched.loaded
        if not self._guard.admits(loaded.revision, known=self._status.revision):
            self._enter(ConfigState.OLDER, detail=loaded.revision)
            return False
        # The rules first, the ETag after: a crash in between costs one more download, never a config that is missed.
        self._use(loaded, is_from_disk=False)
        self._etag = fetched.etag
        self._enter(ConfigState.CURRENT)
        self._save(loaded.document)
        self._when_ready()
        return True

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
        document = None if self._disk_copy is None else self._disk_copy.read()
        if document is None:
            return
        try:
            # Without its ETag: the pseudonym key is not on disk, and a 304 would never bring it.
            self._use(load_config(document), is_from_disk=True)
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
