"""Counting partitions that are over, once each, so that planning need not read the events."""

import logging
from collections.abc import Callable
from datetime import date
from typing import Final

from django.db import OperationalError
from django.utils import timezone

from telemetry.core.retention import HOLD
from telemetry.stores.due import class_of_table, event_partitions, has_rows, name_of, rows_counted, sealed_names
from telemetry.stores.partitions import Partition
from telemetry.stores.purging import close_partition, drop_events, seal_partition
from telemetry.stores.removals import lock_removals
from tenants.context import ALL, tenant_context

__all__ = ["drop_outlived", "seal_partitions"]

logger = logging.getLogger(__name__)

GoOn = Callable[[], bool]
NO_HASTE: Final[GoOn] = lambda: True  # noqa: E731 - a default that is called


def seal_partitions(*, today: date | None = None, go_on: GoOn = NO_HASTE) -> bool:
    """Every partition of events that is over is counted, each in its own transaction; whether none is left.

    What holds keep is not: rows are moved there long after its days. Stops when ``go_on`` says no. A partition whose
    lock is not to be had waits for the next run.
    """
    day, sealed = today or timezone.now().date(), sealed_names()
    for partition in event_partitions():
        if partition.ends_on > day or class_of_table(partition.parent) is HOLD or name_of(partition) in sealed:
            continue
        if not go_on():
            return False
        try:
            with tenant_context(ALL):
                lock_removals()
                # Another worker may have been here.
                if rows_counted(partition) is None:
                    seal_partition(partition)
        except OperationalError as error:
            logger.warning("purge.delayed", extra={"partition": name_of(partition), "error": type(error).__name__})
    return True


def drop_outlived(*, today: date | None = None) -> int:
    """Partitions that are empty and that nothing can come into any more are gone; how many.

    Those past all days of their class, and empty ones of holds that are over.
    """
    day, dropped = today or timezone.now().date(), 0
    for partition in event_partitions():
        retention_class = class_of_table(partition.parent)
        if (day - partition.ends_on).days < max(int(retention_class), 1):
            continue
        try:
            with tenant_context(ALL):
                lock_removals()
                dropped += _drop_if_empty(partition, is_hold=retention_class is HOLD)
        except OperationalError as error:
            logger.warning("purge.delayed", extra={"partition": name_of(partition), "error": type(error).__name__})
    return dropped


def _drop_if_empty(partition: Partition, *, is_hold: bool) -> bool:
    if is_hold and not has_rows(partition):
        seal_partition(partition)
    else:
        close_partition(partition)
    return rows_counted(partition) == 0 and drop_events(partition)
