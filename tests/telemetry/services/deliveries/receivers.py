"""Receivers of web hooks: local servers that answer as a test tells them, and remember which events they took."""

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.sdk.servers import Asked, Reply, ScriptedServer, scripted_server

__all__ = ["Receiver", "receiver"]


class Receiver:
    """Counts the events of requests that it answered well, by id, and by delivery id."""

    def __init__(self, server: ScriptedServer) -> None:
        self.server = server
        self.url = f"{server.url}/hook"
        self.events: Counter[str] = Counter()
        self.deliveries: Counter[str] = Counter()
        self.sizes: list[int] = []
        # Answers to give first, one for each request.
        self.replies: list[Reply] = []
        # An event with this text anywhere is never wanted.
        self.poison: bytes | None = None
        self.always: Reply | None = None
        server.answer = self._answer

    def _answer(self, asked: Asked) -> Reply:
        found = json.loads(asked.body)["deliveries"]
        self.sizes.append(len(found))
        if self.replies:
            return self.replies.pop(0)
        if self.always is not None:
            return self.always
        if self.poison is not None and self.poison in asked.body:
            return Reply(400)
        self.events.update(each["event"]["id"] for each in found)
        self.deliveries.update(each["deliveryId"] for each in found)
        return Reply(200)


@contextmanager
def receiver() -> Iterator[Receiver]:
    """A receiver on a free port for the length of the block; whoever uses it has to allow its host."""
    with scripted_server() as server:
        yield Receiver(server)
