"""Looking at an installation's events over the API, again and again, without showing one twice."""

from collections import OrderedDict
from typing import Any, Final, NamedTuple

from telemetry.cli.remote import Studio
from telemetry.core.enums import EventOutcome

__all__ = ["LiveQuestion", "Look", "Watch"]

# Events whose delivery is asked for at once, the newest: as many as the studio takes.
_MOST_PENDING: Final = 100
# Stored events that are remembered: the stream of lines holds five hundred, and what was read from the store beside.
_MOST_REMEMBERED: Final = 2_000


class LiveQuestion(NamedTuple):
    """Which events are asked for: of one name or all, with one outcome or all."""

    event: str = ""
    outcome: EventOutcome | None = None


class Look(NamedTuple):
    """What is new, in the order in which it came: events, and how far earlier ones got.

    ``skipped`` counts what came too fast; ``is_live`` is false while only stored events can be told.
    """

    lines: list[dict[str, Any]]
    deliveries: list[dict[str, Any]]
    skipped: int
    is_live: bool


class Watch:
    """The looks at one installation: each begins where the last one ended."""

    def __init__(self, remote: Studio, installation: str, question: LiveQuestion) -> None:
        self._remote = remote
        self._installation = installation
        self._question = question
        self._cursor = ""
        self._since = ""
        self._pending: OrderedDict[str, str] = OrderedDict()
        self._seen: OrderedDict[str, None] = OrderedDict()

    def look(self) -> Look:
        """What is new since the last look that was answered; raises ``Unavailable`` if the studio does not answer."""
        answer = self._remote.live(self._installation, self._query())
        self._cursor = answer["cursor"]
        lines = [line for line in answer["lines"] if self._is_new(line)]
        deliveries = [each for each in answer["deliveries"] if self._has_moved(each)]
        for line in lines:
            self._since = max(self._since, line["receivedAt"])
            if not line["isSettled"]:
                self._wait_for(line["eventId"], line["steps"][-1]["note"])
        return Look(lines, deliveries, answer["skipped"], answer["isLive"])

    def _query(self) -> dict[str, str]:
        asked = {
            "event": self._question.event,
            "outcome": self._question.outcome or "",
            "after": self._cursor,
            "since": self._since if self._cursor else "",
            "pending": ",".join(self._pending),
        }
        return {name: str(value) for name, value in asked.items() if value}

    def _is_new(self, line: dict[str, Any]) -> bool:
        """Whether it was not shown yet: what was stored comes from the store and, later, from the stream again."""
        event_id = line["eventId"]
        if line["outcome"] != EventOutcome.STORED or event_id is None:
            return True
        if event_id in self._seen:
            return False
        self._seen[event_id] = None
        if len(self._seen) > _MOST_REMEMBERED:
            self._seen.popitem(last=False)
        return True

    def _has_moved(self, delivery: dict[str, Any]) -> bool:
        """Whether there is something new to say of it, which is remembered."""
        event_id, note = delivery["eventId"], delivery["step"]["note"]
        known = self._pending.get(event_id)
        if delivery["isSettled"]:
            self._pending.pop(event_id, None)
        else:
            self._pending[event_id] = note
        return bool(delivery["isSettled"] or note != known)

    def _wait_for(self, event_id: str, note: str) -> None:
        self._pending[event_id] = note
        if len(self._pending) > _MOST_PENDING:
            self._pending.popitem(last=False)
