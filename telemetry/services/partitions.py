"""Making partitions ahead of time, and telling how long the present ones last."""

import logging
import time
from datetime import date, timedelta
from typing import Final

from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone

from telemetry.stores.partitions import Partition, add_partition, existing_partitions, wanted_partitions

__all__ = ["days_prepared", "ensure_partitions"]

logger = logging.getLogger(__name__)

# A reader that holds a table for longer than this holds up one partition of many; the next run makes it.
ATTEMPTS: Final = 5
PAUSE_SECONDS: Final = 0.2


def ensure_partitions(today: date | None = None) -> int:
    """Every partition of the next two weeks exists, as far as locks allow; how many of them are new.

    Each is made in a transaction of its own, so that none waits for another's lock. Running it twice changes nothing
    more. One query, and one per new partition.
    """
    return sum(_add(partition) for partition in _missing(today or timezone.now().date()))


def days_prepared(today: date | None = None) -> int:
    """For how many days from ``today`` on, itself included, everything has a place; two weeks at most. One query."""
    first = today or timezone.now().date()
    gaps = [partition.starts_on for partition in _missing(first)]
    behind = min((day for day in gaps if day <= first), default=None)
    if behind is not None:
        return 0
    return min(((day - first).days for day in gaps), default=14)


def _missing(today: date) -> list[Partition]:
    existing = existing_partitions()
    wanted = wanted_partitions(today, maximum_age=timedelta(days=settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS))
    return [each for each in wanted if each.starts_on not in existing.get(each.parent, ())]


def _add(partition: Partition) -> bool:
    for attempt in range(1, ATTEMPTS + 1):
        try:
            with transaction.atomic():
                return add_partition(partition)
        except OperationalError as error:
            fields = {"parent": partition.parent, "starts_on": str(partition.starts_on), "attempt": attempt}
            logger.warning("partition.delayed", extra={**fields, "error": type(error).__name__})
            time.sleep(PAUSE_SECONDS * attempt)
    return False
