"""When an event happened, as far as the clock of its sender can be believed."""

from datetime import datetime, timedelta
from typing import Final

__all__ = ["FUTURE_TOLERANCE", "occurrence"]

# Travel and queueing on the way here look like a slow clock; below this the clock is taken as right.
_TRAVEL: Final = timedelta(seconds=30)
# Clocks that keep time with a server are never further ahead.
FUTURE_TOLERANCE: Final = timedelta(minutes=5)


def occurrence(occurred_at: datetime, *, sent_at: datetime | None, received_at: datetime) -> datetime:
    """The instant at which the event happened, by our clock; the sender's own word where there is no reason to doubt.

    ``sent_at`` is what the sender's clock showed when it sent the batch: how far it is off, the event is off too.
    What would still lie in the future happened, at the latest, when it was received.
    Source: https://segment.com/docs/connections/spec/common/#timestamps
    """
    instant = occurred_at
    if sent_at is not None and abs(received_at - sent_at) > _TRAVEL:
        try:
            instant = occurred_at + (received_at - sent_at)
        except OverflowError:
            return received_at
    return instant if instant <= received_at + FUTURE_TOLERANCE else received_at
