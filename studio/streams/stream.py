"""One open stream, as the process that serves it sees it."""

import asyncio
import math
import random
from datetime import datetime
from typing import Final
from uuid import UUID

import msgspec

from telemetry.services.configs import config_etag

__all__ = ["BEAT_SECONDS", "Admitted", "Stream"]

# Proxies close what says nothing for a minute, some of them sooner; clients take three silent beats for a dead line.
BEAT_SECONDS: Final = 15.0
# Streams end by themselves, each at another moment, so that they spread over processes that were added meanwhile.
SHORTEST_SECONDS, LONGEST_SECONDS = 600.0, 1200.0
# How long a client should wait before it connects again, in milliseconds; ours wait by rules of their own.
RETRY_MILLISECONDS: Final = 5000

BEAT: Final = b": ping\n\n"
WELCOME: Final = f"retry: {RETRY_MILLISECONDS}\n: welcome\n\n".encode()


class Admitted(msgspec.Struct, frozen=True, kw_only=True):
    """Who may listen: a key, by row id, and the installation that it listens for; ``revision`` is that of now."""

    key_id: int
    expires_at: datetime | None
    installation_id: int
    public_id: UUID
    with_secret: bool
    revision: int


class Stream:
    """What a client is to be told next. Its own coroutine waits and sends; everybody else only leaves it a note.

    A note that has not been sent gives way to a newer one: only the latest revision matters.
    """

    __slots__ = ("_end", "_note", "_waiter", "admitted", "beats_at", "ends_at", "revision")

    def __init__(self, admitted: Admitted, *, now: float, seconds_left: float = math.inf) -> None:
        """``now`` is the loop's time; ``seconds_left`` is how long the key lasts."""
        self.admitted = admitted
        self.revision = admitted.revision
        self.beats_at = now + BEAT_SECONDS
        self.ends_at = now + min(random.uniform(SHORTEST_SECONDS, LONGEST_SECONDS), seconds_left)  # noqa: S311 - no secret
        self._note: bytes | None = None
        self._end = False
        self._waiter: asyncio.Future[None] | None = None

    def welcome(self, last_event_id: str) -> bytes:
        """The first bytes: the present revision, unless it is what the client says that it heard last."""
        return WELCOME if last_event_id == str(self.revision) else WELCOME + self._event()

    def tell(self, revision: int) -> None:
        """The client hears of the revision, if it is another than the one it heard of."""
        if revision != self.revision:
            self.revision = revision
            self._leave(self._event())

    def beat(self, now: float) -> None:
        """The client hears that the line works, unless it has not yet taken what it was sent before."""
        self.beats_at = now + BEAT_SECONDS
        if self._note is None:
            self._leave(BEAT)

    def end(self) -> None:
        """The stream ends once it has said what it has to say."""
        self._end = True
        self._wake()

    async def next(self) -> bytes | None:
        """What to send next, as soon as there is something; ``None`` at the end."""
        while self._note is None and not self._end:
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        note, self._note = self._note, None
        return note

    def _leave(self, note: bytes) -> None:
        self._note = note
        self._wake()

    def _wake(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    def _event(self) -> bytes:
        admitted = self.admitted
        etag = config_etag(admitted.public_id, self.revision, with_secret=admitted.with_secret)
        data = msgspec.json.encode({"revision": self.revision, "etag": etag})
        return b"id: %d\nevent: config\ndata: %b\n\n" % (self.revision, data)
