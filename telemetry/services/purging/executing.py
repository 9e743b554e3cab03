"""Doing what is planned: step by step, each in one transaction that removes rows and counts them, or does neither.

There is nothing to repair after a kill. A step asks anew what is due, so whoever comes next goes on where the last one
stopped, and two at the same time take turns.
"""

import logging
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from time import sleep
from typing import Final

from django.db import OperationalError, connection
from django.db.models import F
from django.utils import timezone

from telemetry.models import PurgeItem, PurgeRun, PurgeState
from telemetry.services.purging import archiver
from telemetry.services.purging.finishing import finish_run
from telemetry.services.purging.terms import terms_of_run
from telemetry.stores.due import DueGroup, Question, due_groups, longer_groups, name_of, rows_counted
from telemetry.stores.partitions import Partition
from telemetry.stores.purging import close_partition, delete_due, drop_events, move_held, shorten
from telemetry.stores.removals import Removed, Way, add_to_balance, count_removed, lock_removals
from tenants.context import ALL, tenant_context

__all__ = ["ArchiveMismatch", "carry_on"]

logger = logging.getLogger(__name__)

GoOn = Callable[[], bool]

# Rows of one transaction: a tenth of a second or so, for which nobody else removes anything.
CHUNK: Final = 10_000
# A reader that holds a class for longer than this keeps its partition until the next run.
ATTEMPTS: Final = 8
PAUSE_SECONDS: Final = 0.05

ADD_TO_ITEM: Final = """
UPDATE telemetry_purgeitem SET rows = rows + %s, size_bytes = size_bytes + %s, archived_rows = archived_rows + %s,
    archived_bytes = archived_bytes + %s
WHERE run_id = %s AND installation_id = %s AND name = %s AND version = %s
"""


class ArchiveMismatch(Exception):
    """What was archived is not what was deleted; the step is undone."""


def carry_on(*, go_on: GoOn) -> bool:
    """Runs under way are done, as far as locks allow and ``go_on`` says yes, which is asked after each step.

    Whether something is left that could be done at once.
    """
    with tenant_context(ALL):
        runs = list(PurgeRun.objects.filter(state=PurgeState.RUNNING).select_related("tenant").order_by("pk"))
    # A clock that was put back since the plan was made: it is not time yet.
    runs = [run for run in runs if run.cutoff <= timezone.now()]
    work = Work(runs)
    if not work.remove(go_on) or not work.shorten(go_on):
        return True
    for run in runs:
        with tenant_context(ALL):
            lock_removals()
            if not work.due(run):
                finish_run(run)
    return False


class Work:
    """What the given runs have to do."""

    def __init__(self, runs: Sequence[PurgeRun]) -> None:
        self._runs = {run.tenant_id: run for run in runs}
        with tenant_context(ALL):
            items = PurgeItem.objects.filter(run__in=runs).order_by()
            archived = {item for item in items if item.is_archived}
            self._planned = {(item.tenant_id, item.installation_id, item.name, item.version) for item in items}
        self._archived = {(item.tenant_id, item.installation_id, item.name, item.version) for item in archived}

    def remove(self, go_on: GoOn) -> bool:
        """What is due is gone; whether it was not stopped before the end."""
        by_partition: dict[Partition, list[DueGroup]] = {}
        with tenant_context(ALL):
            for group in self._all_due():
                by_partition.setdefault(group.partition, []).append(group)
        for partition, groups in by_partition.items():
            if not self._drop_patiently(partition) and not self._delete(groups, go_on):
                return False
            if not go_on():
                return False
        return True

    def shorten(self, go_on: GoOn) -> bool:
        """What stays ends when its event's term says; whether it was not stopped before the end."""
        for run in self._runs.values():
            with tenant_context(ALL):
                groups = longer_groups(self._question(run))
            for group in groups:
                count = CHUNK
                while count == CHUNK:
                    with tenant_context(ALL):
                        lock_removals()
                        count = shorten(group.term, group.partition, group.day, tenant_id=group.tenant_id, limit=CHUNK)
                        PurgeRun.objects.filter(pk=run.pk).update(shortened_rows=F("shortened_rows") + count)
                    if not go_on():
                        return False
        return True

    def due(self, run: PurgeRun, only: Partition | None = None) -> list[DueGroup]:
        """What the run still has to remove; in a tenant context."""
        return [group for group in due_groups(self._question(run), only=only) if group.rows and self._may_go(group)]

    def _question(self, run: PurgeRun) -> Question:
        return Question(run.cutoff, terms_of_run(run), (run.tenant_id,))

    def _all_due(self, only: Partition | None = None) -> list[DueGroup]:
        """What all runs have to remove, with what is held beside it; runs of one day are asked about together."""
        by_cutoff: dict[datetime, list[PurgeRun]] = {}
        for run in self._runs.values():
            by_cutoff.setdefault(run.cutoff, []).append(run)
        found: list[DueGroup] = []
        for cutoff, runs in by_cutoff.items():
            terms = [term for run in runs for term in terms_of_run(run)]
            found += due_groups(Question(cutoff, terms, [run.tenant_id for run in runs]), only=only)
        return [group for group in found if self._may_go(group)]

    def _may_go(self, group: DueGroup) -> bool:
        event = (group.tenant_id, *group.event)
        return event in self._planned and (event not in self._archived or archiver.ARCHIVER is not None)

    def _is_archived(self, group: DueGroup) -> bool:
        return (group.tenant_id, *group.event) in self._archived

    def _drop_patiently(self, partition: Partition) -> bool:
        """Whether nothing more is to be done about the partition now: it is gone, or somebody reads it for long."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with tenant_context(ALL):
                    lock_removals()
                    return self._drop(partition)
            except OperationalError as error:
                fields = {"partition": name_of(partition), "attempt": attempt, "error": type(error).__name__}
                logger.warning("purge.delayed", extra=fields)
                sleep(PAUSE_SECONDS * attempt)
        return True

    def _drop(self, partition: Partition) -> bool:
        """Whether the partition is gone: if all in it is due, and once what is held is elsewhere. One step."""
        if partition.ends_on > timezone.now().date() or not close_partition(partition):
            return False
        total, groups = rows_counted(partition), self._all_due(partition)
        if total is None or total != sum(group.rows + group.held for group in groups):
            return False
        for group in groups:
            if group.held and move_held(group) != group.held:
                raise OperationalError("a hold has changed under way")
        going = [group for group in groups if group.rows]
        archived = [group for group in going if self._is_archived(group)]
        for tenant_id in sorted({group.tenant_id for group in archived}):
            self._archive([group for group in archived if group.tenant_id == tenant_id])
        self._count(((group, group.rows, group.size_bytes) for group in going), count=add_to_balance)
        runs = {self._runs[group.tenant_id].pk for group in going}
        PurgeRun.objects.filter(pk__in=runs).update(partitions=F("partitions") + 1)
        return drop_events(partition)

    def _delete(self, groups: Sequence[DueGroup], go_on: GoOn) -> bool:
        """What is due of these groups is gone; whether it was not stopped before the end."""
        waiting = [group for group in groups if group.rows]
        since: datetime | None = None
        while waiting:
            with tenant_context(ALL):
                lock_removals()
                waiting, since = self._delete_chunk(waiting, since)
            if not go_on():
                return not waiting
        return True

    def _delete_chunk(
        self, groups: Sequence[DueGroup], since: datetime | None
    ) -> tuple[list[DueGroup], datetime | None]:
        """One step; what is left, and from where in its first group."""
        room, gone, left = CHUNK, [], list(groups)
        while left and room > 0:
            group, cutoff = left[0], self._runs[left[0].tenant_id].cutoff
            if self._is_archived(group):
                room -= self._archive_and_delete(group)
                left.pop(0)
                continue
            deleted = delete_due(group, cutoff=cutoff, since=since, limit=room)
            gone.append((group, deleted.rows, deleted.size_bytes))
            if deleted.rows < room:
                left.pop(0)
                since = None
            else:
                since = deleted.last_received_at
            room -= deleted.rows
        self._count(gone)
        return left, since

    def _archive_and_delete(self, group: DueGroup) -> int:
        """All of the group that is due is archived and gone, or nothing of it."""
        rows = self._archive([group])
        deleted = delete_due(group, cutoff=self._runs[group.tenant_id].cutoff, since=None, limit=rows + 1)
        if deleted.rows != rows:
            raise ArchiveMismatch(f"{rows} rows were archived, and {deleted.rows} would be deleted")
        self._count([(group, deleted.rows, deleted.size_bytes)])
        return rows

    def _archive(self, groups: Sequence[DueGroup]) -> int:
        run, expected = self._runs[groups[0].tenant_id], sum(group.rows for group in groups)
        if archiver.ARCHIVER is None:
            raise ArchiveMismatch("nothing here archives events")
        rows = archiver.ARCHIVER(run=run, groups=groups)
        if rows != expected:
            raise ArchiveMismatch(f"{rows} rows were archived, and {expected} are due")
        return rows

    def _count(
        self,
        gone: Iterable[tuple[DueGroup, int, int]],
        *,
        count: Callable[[Iterable[Removed], Way], None] = count_removed,
    ) -> None:
        """The balance, the counts of what is stored and the runs know of these rows, by group, and their bytes."""
        removed: dict[bool, list[Removed]] = {True: [], False: []}
        sums: dict[tuple[int, int, str, int], list[int]] = {}
        for group, rows, size_bytes in gone:
            is_archived = self._is_archived(group)
            event = (group.tenant_id, group.installation_id, group.day, group.name, group.version)
            removed[is_archived].append(Removed(*event, rows, group.retention_class, size_bytes))
            item = sums.setdefault((self._runs[group.tenant_id].pk, *group.event), [0, 0, 0, 0])
            item[2 if is_archived else 0] += rows
            item[3 if is_archived else 1] += size_bytes
        count(removed[False], "purged")
        count(removed[True], "archived")
        with connection.cursor() as cursor:
            cursor.executemany(ADD_TO_ITEM, [(*item, *key) for key, item in sorted(sums.items())])
