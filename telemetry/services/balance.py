"""The balance: every received event has one outcome, and every stored one is kept or accounted for."""

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from telemetry.selectors.balance import Counts, Removals, counts_by_event, removals_by_event
from telemetry.stores.chosen import EVENT_STORE
from tenants.models import Installation

__all__ = ["Balance", "EventBalance", "draw_up_balance"]


class EventBalance(NamedTuple):
    """One event in a span of time, by when it came; ``name`` is empty for all events that no spec knows.

    ``live`` counts the stored ones that are there now; ``removals`` tell how others left, of the days (UTC) that lie
    whole in the span.
    """

    name: str
    version: int
    last_received_at: datetime | None
    counts: Counts
    live: int
    removals: Removals = Removals()

    @property
    def gone(self) -> int:
        """How many of the stored ones are not there any more."""
        return self.counts.stored - self.live

    @property
    def other_gone(self) -> int:
        """How many of those left on days that lie in the span in part, where nobody can tell how."""
        return self.gone - sum(self.removals)

    @property
    def is_balanced(self) -> bool:
        """Whether each received event has one outcome, none is there uncounted, and none left that is counted twice."""
        return self.counts.is_balanced and self.other_gone >= 0


class Balance(NamedTuple):
    """All events that an installation received in [start, end), most received first, and their sum."""

    start: datetime
    end: datetime
    events: Sequence[EventBalance]

    @property
    def total(self) -> EventBalance:
        """All events together."""
        counts = Counts()
        for event in self.events:
            counts = counts.plus(event.counts)
        latest = max((event.last_received_at for event in self.events if event.last_received_at), default=None)
        removals = Removals(*(sum(ways) for ways in zip(*(event.removals for event in self.events), strict=True)))
        return EventBalance("", 0, latest, counts, sum(event.live for event in self.events), removals)

    @property
    def is_balanced(self) -> bool:
        """Whether every event is."""
        return all(event.is_balanced for event in self.events)


def draw_up_balance(installation: Installation, start: datetime, end: datetime, *, name: str | None = None) -> Balance:
    """What became of everything received in [start, end), whose ends are whole minutes, of one event or of all.

    In a tenant context that shows the installation. Three queries. A batch that is received in between is in one of the
    two answers only: ask for minutes that are over to be exact.
    """
    # Live ones first: what comes in between can only make more of what was counted, and never look like too much.
    live = EVENT_STORE.counts(installation.pk, start, end)
    counted = {(each.name, each.version): each for each in counts_by_event(installation.pk, start, end, name=name)}
    # An event that was stored and never counted must show, too.
    uncounted = {key for key in live if key not in counted and name in (None, key[0])}
    removed = removals_by_event(installation.pk, start, end, name=name)
    events = [
        EventBalance(*key, each.last_received_at, each.counts, live.get(key, 0), removed.get(key, Removals()))
        for key, each in counted.items()
    ]
    events += [EventBalance(*key, None, Counts(), live[key]) for key in sorted(uncounted)]
    return Balance(start, end, events)
