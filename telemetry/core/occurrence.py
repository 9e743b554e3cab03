"""When an event happened, as far as the clock of its sender can be believed."""

from datetime import datetime, timedelta
from typing import Final

__all__ = ["FUTURE_TOLERANCE", "SenderClock", "occurrence"]

# Travel and queueing on the way here look like a slow clock; below this the clock is taken as right.
_TRAVEL: Final = timedelta(seconds=30)
# Clocks that keep time with a server are never further ahead.
FUTURE_TOLERANCE: Final = timedelta(minutes=5)


class SenderClock:
    """How the clock of a sender stands to ours, by what it showed (``sent_at``) when we received what it sent.

    How far it is off, the events are off too; without ``sent_at`` there is no reason to doubt it.
    Source: https://segment.com/docs/connections/spec/common/#timestamps
    """

    __slots__ = ("_latest", "_received_at", "_shift")

    def __init__(self, *, sent_at: datetime | None, received_at: datetime) -> None:
        is_off = sent_at is not None and abs(received_at - sent_at) > _TRAVEL
        self._shift = received_at - sent_at if is_off and sent_at is not None else None
        self._received_at = received_at
        self._latest = received_at + FUTURE_TOLERANCE

    def occurrence(self, occurred_at: datetime) -> datetime:
        """The instant at which the event happened, by our clock; the same object where its sender is believed.

        What would still lie in the future happened, at the latest, when it was received.
        """
        instant = occurred_at
        if self._shift is not None:
            try:
                instant = occurred_at + self._shift
            except OverflowError:
                return self._received_at
        return instant if instant <= self._latest else self._received_at


def occurrence(occurred_at: datetime, *, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The instant at which one event happened, by our clock; see ``SenderClock``."""
    return SenderClock(sent_at=sent_at, received_at=received_at).occurrence(occurred_at)
