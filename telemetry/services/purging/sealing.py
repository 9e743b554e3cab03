"""Sealing partitions that are over: what was counted as it was written is added up, so nothing has to be read."""

import logging
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Final

from django.db import OperationalError, transaction
from django.utils import timezone

from telemetry.core.retention import HOLD
from telemetry.stores.counts import fold_deltas, seal_counted
from telemetry.stores.due import (
    class_of_table,
    event_partitions,
    has_rows,
    known_partitions,
    midnight,
    name_of,
    rows_counted,
)
from telemetry.stores.partitions import Partition
from telemetry.stores.purging import close_partitions, drop_events, seal_partition
from telemetry.stores.removals import lock_removals
from tenants.context import ALL, tenant_context

__all__ = ["drop_outlived", "seal_partitions"]

logger = logging.getLogger(__name__)

GoOn = Callable[[], bool]
# PostgreSQL's statistics lag behind by a minute at most.
SETTLING: Final = timedelta(minutes=10)
NO_HASTE: Final[GoOn] = lambda: True  # noqa: E731 - a default that is called


def seal_partitions(*, today: date | None = None, go_on: GoOn = NO_HASTE) -> bool:
    """Every partition of events that is over is counted; whether none is left.

    Those whose counts agree with the database's own at once; the others, in which somebody wrote or removed without
    counting, are read, each in its own transaction, until ``go_on`` says no. What holds keep is not counted: rows are
    moved there long after its days. A partition whose lock is not to be had waits for the next run, and so does one
    that was over only just now: what the database counted is told with a delay.
    """
    day, known = today or timezone.now().date(), known_partitions()
    over = [
        each
        for each in known.all
        if each.ends_on <= day and class_of_table(each.parent) is not HOLD and name_of(each) not in known.sealed
    ]
    for partition in _add_up(over, day) if over else ():
        if timezone.now() - midnight(partition.ends_on) < SETTLING:
            continue
        if not go_on():
            return False
        _read(partition)
    return True


def _add_up(partitions: Sequence[Partition], today: date) -> list[Partition]:
    """Those of the partitions that have to be read; the others are sealed. All counts are in one place."""
    with tenant_context(ALL):
        lock_removals()
        closed = {name_of(each): each for each in _closed(partitions)}
        fold_deltas(today)
        done = seal_counted(list(closed))
    return [partition for name, partition in closed.items() if name not in done]


def _closed(partitions: Sequence[Partition]) -> list[Partition]:
    """Those whose lock is to be had: all at once, or one by one if some are not."""
    try:
        with transaction.atomic():
            return close_partitions(partitions)
    except OperationalError as error:
        if len(partitions) == 1:
            _log_delay(partitions[0], error)
            return []
    return [partition for each in partitions for partition in _closed([each])]


def _read(partition: Partition) -> None:
    try:
        with tenant_context(ALL):
            lock_removals()
            # Another worker may have been here.
            if not rows_counted([partition]) and seal_partition(partition):
                logger.info("purge.read", extra={"partition": name_of(partition)})
    except OperationalError as error:
        _log_delay(partition, error)


def _log_delay(partition: Partition, error: OperationalError) -> None:
    logger.warning("purge.delayed", extra={"partition": name_of(partition), "error": type(error).__name__})


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
            _log_delay(partition, error)
    return dropped


def _drop_if_empty(partition: Partition, *, is_hold: bool) -> bool:
    if is_hold and not has_rows(partition):
        seal_partition(partition)
    else:
        close_partitions([partition])
    return rows_counted([partition]).get(partition) == 0 and drop_events([partition]) > 0
