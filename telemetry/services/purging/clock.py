"""Whether the studio's clock can be trusted with deleting things."""

from datetime import UTC, datetime, timedelta
from typing import Final

from django.db import connection
from django.utils import timezone

from telemetry.models import PurgeClock
from telemetry.stores.due import midnight

__all__ = ["LONGEST_GAP", "cutoff_at", "is_trusted", "now_by_both", "trust"]

# Beat plans each hour. A studio that was off for longer looks the same as a clock that jumped, so a person has to say.
LONGEST_GAP: Final = timedelta(hours=36)


def now_by_both() -> datetime:
    """The earlier one of what this machine and the database take for now; one query."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        (at_database,) = cursor.fetchone()
    now: datetime = min(timezone.now(), at_database)
    return now


def cutoff_at(now: datetime) -> datetime:
    """The beginning of the day (UTC): what ended before it is removed.

    By whole days, so that partitions of a day go as a whole, in the first run after midnight. Nobody is shown an event
    past its end meanwhile.
    """
    return midnight(now.astimezone(UTC).date())


def is_trusted(now: datetime) -> bool:
    """Whether less than 36 hours have passed since the clock was last known to be right; if so, it is again.

    One or two queries. True on the very first call. A clock that was put back is trusted: it removes nothing early.
    """
    clock, _ = PurgeClock.objects.get_or_create(pk=1, defaults={"trusted_at": now})
    if now - clock.trusted_at > LONGEST_GAP:
        return False
    trust(now)
    return True


def trust(now: datetime) -> None:
    """The clock is right, as of now: the last plan was made not long ago, or a person has looked. One query."""
    PurgeClock.objects.filter(pk=1, trusted_at__lt=now).update(trusted_at=now)
