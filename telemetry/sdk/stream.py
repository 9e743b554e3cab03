"""Hearing at once that a studio's config has changed: one connection on which the studio says so.

What is heard is only *that* something changed; the config itself is fetched as ever. Polling goes on beside it.
"""

import logging
import random
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import Any

import msgspec

from telemetry.core.errors import Unavailable
from telemetry.sdk.address import check_address, check_api_key
from telemetry.sdk.http import OpenAnswer, open_answer
from telemetry.sdk.pacing import PollPace

__all__ = ["ChangeStream"]

logger = logging.getLogger("telemetry.sdk")

# The studio says something every 15 seconds; after three silent beats the line counts as dead.
_SILENCE_SECONDS = 45.0
# The pause before the first attempt to connect again, jittered; it doubles up to five minutes.
_RETRY_SECONDS = 2.0
# A line of ours is shorter by far; whoever sends longer ones is no studio.
_MOST_LINE_BYTES = 65_536


class ChangeStream:
    """Listens on one daemon thread and connects again for as long as it is not closed.

    ``on_news(etag)`` is called from that thread with the tag of each config that is heard of, and with ``None`` after
    each connection, when something may have been missed. It must not raise.
    """

    def __init__(
        self,
        url: str,
        api_key: str,
        *,
        on_news: Callable[[str | None], None],
        uniform: Callable[[float, float], float] = random.uniform,
    ) -> None:
        self._url = f"{check_address(url)}/api/v1/config/stream"
        self._api_key = check_api_key(api_key)
        self._on_news = on_news
        self._pace = PollPace(_RETRY_SECONDS, uniform=uniform)
        self._end = threading.Event()
        self._open: OpenAnswer | None = None
        self._last_id: str | None = None
        self._thread = threading.Thread(target=self._run, name="telemetry-config-stream", daemon=True)

    def __repr__(self) -> str:
        return "ChangeStream()"

    def start(self) -> None:
        """Listen from now on."""
        self._thread.start()

    def close(self, timeout: float) -> bool:
        """Listen no more; true when the thread ended within ``timeout`` seconds."""
        self._end.set()
        opened = self._open
        if opened is not None:
            opened.hang_up()
        if self._thread is threading.current_thread():
            return True
        self._thread.join(max(0.0, timeout))
        return not self._thread.is_alive()

    def _run(self) -> None:
        while not self._end.is_set():
            try:
                pause = self._listen()
            except Exception as error:  # noqa: BLE001  no mistake, not even our own, may end listening for good
                logger.error("config.stream_failed error=%s", type(error).__name__)
                pause = self._pace.after_failure(has_config=True, retry_after=None)
            self._end.wait(pause)

    def _listen(self) -> float:
        """Listen until the stream ends; the pause (seconds) before the next attempt."""
        try:
            with open_answer(self._url, headers=self._headers(), timeout=_SILENCE_SECONDS) as answer:
                self._open = answer
                if answer.status != 200:
                    return self._pace.after_failure(has_config=True, retry_after=answer.retry_after)
                self._pace.after_success()
                self._on_news(None)
                for event in _events(answer.lines(_MOST_LINE_BYTES)):
                    self._hear(event)
        except Unavailable:
            return self._pace.after_failure(has_config=True, retry_after=None)
        finally:
            self._open = None
        # Streams end every few minutes on purpose, all of a server's at once when it stops.
        return self._pace.after_success()

    def _headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._api_key}", "Accept": "text/event-stream"}
        return headers if self._last_id is None else headers | {"Last-Event-ID": self._last_id}

    def _hear(self, event: dict[str, str]) -> None:
        identity = event.get("id", "")
        # It goes back as a header; what could break out of one is not worth remembering.
        if identity.isascii() and identity.isprintable() and 0 < len(identity) <= 100:
            self._last_id = identity
        if event.get("event") == "config":
            self._on_news(_etag_of(event.get("data", "")))


def _events(lines: Iterator[bytes]) -> Iterator[dict[str, str]]:
    """The fields of each event; of a field that is repeated, the last. Source: HTML Standard, section 9.2.6."""
    fields: dict[str, str] = {}
    for line in lines:
        text = line.decode("utf-8", "replace").rstrip("\r\n")
        if not text:
            if fields:
                yield fields
            fields = {}
        elif not text.startswith(":"):
            name, _, value = text.partition(":")
            fields[name] = value.removeprefix(" ")


def _etag_of(data: str) -> str | None:
    news: Any = None
    with suppress(msgspec.DecodeError):
        news = msgspec.json.decode(data)
    etag = news.get("etag") if isinstance(news, dict) else None
    return etag if isinstance(etag, str) else None
