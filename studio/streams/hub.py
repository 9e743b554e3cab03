"""All open streams of one process: how many there may be, and who is told what."""

import asyncio
import random
from collections import Counter
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from typing import Final

from studio.api.errors import TooManyStreams
from studio.streams.stream import Stream
from telemetry.core.errors import Unavailable

__all__ = ["Hub", "Look"]

# Seconds between looks at who is due for a beat or at the end: a beat may come that much late.
TICK_SECONDS: Final = 0.5
# A client that was turned away comes back after so many seconds; each is told another number.
SHORTEST_PAUSE, LONGEST_PAUSE = 30, 90


# Of these keys, by row id, those that work now, with the revision of their installation's config.
Look = Callable[[Collection[int]], Awaitable[Mapping[int, int]]]


class Hub:
    """The streams of a process. Everything here happens on one event loop."""

    def __init__(self, look: Look, *, most: int, most_per_key: int) -> None:
        self._look = look
        self._most, self._most_per_key = most, most_per_key
        self._streams: set[Stream] = set()
        self._per_key: Counter[int] = Counter()
        self._looks_begun = 0
        self._is_closing = False

    def __len__(self) -> int:
        return len(self._streams)

    @property
    def looks_begun(self) -> int:
        """How often all streams have been looked at; see ``open``."""
        return self._looks_begun

    def refuse_when_full(self) -> None:
        """Return if there is room for one more; raises ``Unavailable``, which says when to come back."""
        if self._is_closing or len(self._streams) >= self._most:
            pause = random.randint(SHORTEST_PAUSE, LONGEST_PAUSE)  # noqa: S311 - no secret
            raise Unavailable("this process serves as many streams as it may", retry_after=pause)

    @contextmanager
    def open(self, stream: Stream) -> Iterator[None]:
        """Within the block the stream is told what happens.

        Raises ``Unavailable`` when the process is full and ``TooManyStreams`` when the key has its share. Whoever read
        the stream's revision before it was opened compares ``looks_begun``: if it has moved, ``look_at`` the stream.
        """
        self.refuse_when_full()
        key_id = stream.admitted.key_id
        if self._per_key[key_id] >= self._most_per_key:
            raise TooManyStreams(
                f"this key has {self._most_per_key} streams open here already; close one, or poll",
                retry_after=LONGEST_PAUSE,
            )
        self._streams.add(stream)
        self._per_key[key_id] += 1
        try:
            yield
        finally:
            self._streams.discard(stream)
            self._per_key[key_id] -= 1
            if not self._per_key[key_id]:
                del self._per_key[key_id]

    async def look_at_all(self) -> None:
        """Every stream has been told the revision of this moment, or ends because its key does not work any more."""
        self._looks_begun += 1
        await self._look_at(list(self._streams))

    async def look_at(self, stream: Stream) -> None:
        """The same for one stream."""
        await self._look_at([stream])

    async def keep_time(self) -> None:
        """Beats go out and streams end when they are due; runs until it is cancelled."""
        loop = asyncio.get_running_loop()
        while True:
            now = loop.time()
            for stream in list(self._streams):
                if now >= stream.ends_at:
                    stream.end()
                elif now >= stream.beats_at:
                    stream.beat(now)
            await asyncio.sleep(TICK_SECONDS)

    def close(self) -> None:
        """All streams end, and no more are taken."""
        self._is_closing = True
        for stream in self._streams:
            stream.end()

    async def _look_at(self, streams: list[Stream]) -> None:
        if not streams:
            return
        revisions = await self._look({stream.admitted.key_id for stream in streams})
        for stream in streams:
            revision = revisions.get(stream.admitted.key_id)
            if revision is None:
                stream.end()
            else:
                stream.tell(revision)
