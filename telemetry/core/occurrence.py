"""When an event happened, as far as the clock of its sender can be believed."""

from datetime import datetime, timedelta
from typing import Final

__all__ = ["EARLIEST_TOLERANCE", "occurrence"]

# Travel and queueing on the way here look like a slow clock; below this the clock is taken as right.
_TRAVEL: Final = timedelta(seconds=30)
# Clocks that keep time with a server are never further ahead.
EARLIEST_TOLERANCE: Final = timedelta(minutes=5)


def occurrence(occurred_at: datetime, *, sent_at: datetime | None, received_at: datetime) -> tuple[datetime, bool]:
    """The instant at which the event happened, by our clock, and whether the sender's own word was changed.

    ``sent_at`` is what the sender's clock showed when it sent the batch: how far it is off, the event is off too.
    What would still lie in the future happened, at the latest, when it was received.
    Source: https://segment.com/docs/connections/spec/common/#timestamps
    """
    instant = occurred_at
    if sent_at is not None:
        skew = received_at - sent_at
        if abs(skew) > _TRAVEL:
            try:
                instant = occurred_at + skew
            except OverflowError:
                instant = received_at
    if instant > received_at + EARLIEST_TOLERANCE:
        instant = received_at
    return instant, instant != occurred_at
