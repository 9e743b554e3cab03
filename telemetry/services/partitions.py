"""Making partitions ahead of time, dropping those of ids and tallies that are over, and telling how long they last."""

import logging
import time
from collections.abc import Callable, Mapping, Set
from datetime import date, timedelta
from typing import Final

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone

from telemetry.stores.partitions import (
    AHEAD,
    Partition,
    add_partition,
    drop_partition,
    existing_partitions,
    outlived_partitions,
    wanted_partitions,
)

__all__ = ["days_prepared", "drop_partitions", "ensure_partitions"]

logger = logging.getLogger(__name__)

# A reader that holds a table for longer than this holds up one partition of many; the next run makes it.
ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 0.2


def ensure_partitions(today: date | None = None) -> int:
    """Every partition of the next two weeks exists, as far as locks allow; how many of them are new.

    Each is made in a transaction of its own, so that none waits for another's lock. Running it twice changes nothing
    more. One query, and one per new partition.
    """
    return sum(_patiently(add_partition, partition) for partition in _missing(today or timezone.now().date()))


def drop_partitions(today: date | None = None) -> int:
    """Tallies older than ``STUDIO_TALLY_DAYS`` and ids past all memory are gone, as far as locks allow; how many.

    The partitions of events are the purge's. Running it twice changes nothing more.
    """
    outlived = outlived_partitions(
        today or timezone.now().date(), existing_partitions(), tally_days=settings.STUDIO_TALLY_DAYS
    )
    return sum(_patiently(drop_partition, partition) for partition in list(outlived))


def days_prepared(existing: Mapping[str, Set[date]] | None = None) -> int:
    """For how many days, today included, everything has a place; two weeks at most.

    ``existing`` unset is asked for in one query.
    """
    first = timezone.now().date()
    gaps = [partition for partition in _missing(first, existing) if partition.ends_on > first]
    return min((max(0, (partition.starts_on - first).days) for partition in gaps), default=AHEAD.days)


def _missing(today: date, existing: Mapping[str, Set[date]] | None = None) -> list[Partition]:
    known = existing_partitions() if existing is None else existing
    wanted = wanted_partitions(today, maximum_age=timedelta(days=settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS))
    return [each for each in wanted if each.starts_on not in known.get(each.parent, ())]


def _patiently(deed: Callable[[Partition], bool], partition: Partition) -> bool:
    """Whether the deed changed anything; tried again while somebody holds a lock that it needs."""
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return deed(partition)
        except OperationalError as error:
            fields = {"parent": partition.parent, "starts_on": str(partition.starts_on), "attempt": attempt}
            logger.warning("partition.delayed", extra={**fields, "error": type(error).__name__})
            time.sleep(PAUSE_SECONDS * attempt)
    return False
