"""Doing what is planned: step by step, each in one transaction that removes rows and counts them, or does neither.

There is nothing to repair after a kill. A step asks anew what is due, so whoever comes next goes on where the last one
stopped, and two at the same time take turns.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from time import sleep
from typing import Final

from django.db import OperationalError
from django.db.models import F
from django.utils import timezone

from telemetry.core.errors import ArchiveFailed
from telemetry.models import PurgeItem, PurgeRun, PurgeState
from telemetry.services.archiving.writing import archive_next
from telemetry.services.purging.finishing import finish_runs
from telemetry.services.purging.progress import add_to_items, add_to_runs
from telemetry.services.purging.terms import terms_of_run
from telemetry.stores.base import RowSelection
from telemetry.stores.due import (
    DueGroup,
    KnownPartitions,
    Question,
    due_groups,
    longer_groups,
    midnight,
    name_of,
    rows_counted,
)
from telemetry.stores.partitions import Partition
from telemetry.stores.purging import close_partitions, delete_due, drop_events, move_held, shorten
from telemetry.stores.removals import Removed, Way, add_to_balance, count_removed, lock_removals
from tenants.context import ALL, tenant_context
from tenants.models import Installation

__all__ = ["carry_on"]

logger = logging.getLogger(__name__)

GoOn = Callable[[], bool]
Count = Callable[[Iterable[Removed], Way], None]

# Rows of one transaction: a tenth of a second or so, for which nobody else removes anything.
CHUNK: Final = 10_000
# Partitions of one step: together they cost one wait for the disk. Readers of their classes wait as long as that takes.
TOGETHER: Final = 8
# A reader that holds a class for longer than this keeps its partition until the next run.
ATTEMPTS: Final = 8
PAUSE_SECONDS: Final = 0.05


def carry_on(*, go_on: GoOn) -> bool:
    """Runs under way are done, as far as locks allow and ``go_on`` says yes, which is asked after each step.

    Whether something is left that could be done at once.
    """
    with tenant_context(ALL):
        found = PurgeRun.objects.filter(state=PurgeState.RUNNING).select_related("tenant").order_by("pk")
        # A clock that was put back since the plan was made: it is not time yet.
        runs = [run for run in found if run.cutoff <= timezone.now()]
        work = Work(runs)
    if not runs:
        return False
    # What is archived goes by the end that stands in its row.
    if not (work.shorten(go_on, only_archived=True) and work.remove(go_on) and work.shorten(go_on)):
        return True
    with tenant_context(ALL):
        lock_removals()
        unfinished = {group.tenant_id for group in work.all_due() if group.rows}
        finish_runs([run for run in runs if run.tenant_id not in unfinished])
    return False


class Work:
    """What the given runs have to do. Made in the context of all tenants, used outside of any."""

    def __init__(self, runs: Sequence[PurgeRun]) -> None:
        self._runs = {run.tenant_id: run for run in runs}
        columns = ("is_archived", "tenant_id", "installation_id", "name", "version")
        items = list(PurgeItem.objects.filter(run__in=runs).order_by().values_list(*columns))
        self._planned = {tuple(event) for _, *event in items}
        self._archived = {tuple(event) for is_archived, *event in items if is_archived}

    def remove(self, go_on: GoOn) -> bool:
        """What is due is gone; whether it was not stopped before the end."""
        by_partition: dict[Partition, list[DueGroup]] = {}
        with tenant_context(ALL):
            for group in self.all_due():
                by_partition.setdefault(group.partition, []).append(group)
            totals = rows_counted(by_partition)
        partitions = list(by_partition)
        # Of the others a part stays: nobody has to be kept out of them.
        whole = {each for each in partitions if totals.get(each) == _all_rows(by_partition[each])}
        for start in range(0, len(partitions), TOGETHER):
            some = partitions[start : start + TOGETHER]
            if not all(self._archive(by_partition[partition], go_on) for partition in some):
                return False
            settled = self._drop_together([partition for partition in some if partition in whole])
            for partition in some:
                if partition not in settled and not self._delete(by_partition[partition], go_on):
                    return False
            if not go_on():
                return False
        return True

    def shorten(self, go_on: GoOn, *, only_archived: bool = False) -> bool:
        """What stays ends when its event's term says; whether it was not stopped before the end."""
        for run in self._runs.values():
            archived = {event[1:] for event in self._archived}
            question = self._question(run)
            if only_archived:
                question = question._replace(terms=[term for term in question.terms if term[:3] in archived])
            if not question.terms:
                continue
            with tenant_context(ALL):
                groups = longer_groups(question)
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

    def _question(self, run: PurgeRun) -> Question:
        return Question(run.cutoff, terms_of_run(run), (run.tenant_id,))

    def all_due(self, known: KnownPartitions | None = None) -> list[DueGroup]:
        """What all runs have to remove, with what is held beside it; runs of one day are asked about together.

        In all partitions, or in those that are ``known``.
        """
        by_cutoff: dict[datetime, list[PurgeRun]] = {}
        for run in self._runs.values():
            by_cutoff.setdefault(run.cutoff, []).append(run)
        found: list[DueGroup] = []
        for cutoff, runs in by_cutoff.items():
            terms = [term for run in runs for term in terms_of_run(run)]
            found += due_groups(Question(cutoff, terms, [run.tenant_id for run in runs]), known=known)
        return [group for group in found if self._may_go(group)]

    def _may_go(self, group: DueGroup) -> bool:
        return (group.tenant_id, *group.event) in self._planned

    def _is_archived(self, group: DueGroup) -> bool:
        return (group.tenant_id, *group.event) in self._archived

    def _drop_together(self, partitions: Sequence[Partition]) -> set[Partition]:
        """Those about which nothing more is to be done now; in one step, or each in its own if a lock is missing."""
        if not partitions:
            return set()
        try:
            with tenant_context(ALL):
                lock_removals()
                return self._drop(partitions)
        except OperationalError as error:
            logger.info("purge.one_by_one", extra={"error": type(error).__name__})
        return {partition for partition in partitions if self._drop_patiently(partition)}

    def _drop_patiently(self, partition: Partition) -> bool:
        """Whether nothing more is to be done about the partition now: it is gone, or somebody reads it for long."""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                with tenant_context(ALL):
                    lock_removals()
                    return partition in self._drop([partition])
            except OperationalError as error:
                fields = {"partition": name_of(partition), "attempt": attempt, "error": type(error).__name__}
                logger.warning("purge.delayed", extra=fields)
                sleep(PAUSE_SECONDS * attempt)
        return True

    def _drop(self, partitions: Sequence[Partition]) -> set[Partition]:
        """Those that are gone: if all in them is due, and once what is held is elsewhere. One step."""
        today = timezone.now().date()
        closed = close_partitions([each for each in partitions if each.ends_on <= today])
        totals, due = rows_counted(closed), {each: list[DueGroup]() for each in closed}
        for group in self.all_due(KnownPartitions(closed, {name_of(each) for each in totals})):
            due[group.partition].append(group)
        going = {
            partition: groups
            for partition, groups in due.items()
            if totals.get(partition) == _all_rows(groups) and self._is_free(groups)
        }
        self._count(
            ((group, group.rows, group.size_bytes) for groups in going.values() for group in groups),
            count=add_to_balance,
        )
        runs = Counter(run for groups in going.values() for run in self._runs_of(groups))
        add_to_runs(runs)
        if going:
            drop_events(list(going))
        return set(going)

    def _runs_of(self, groups: Iterable[DueGroup]) -> set[int]:
        return {self._runs[group.tenant_id].pk for group in groups if group.rows}

    def _is_free(self, groups: Sequence[DueGroup]) -> bool:
        """Whether nothing is left of these but what is deleted for good; what is held is elsewhere then."""
        for group in groups:
            if group.held and move_held(group) != group.held:
                raise OperationalError("a hold has changed under way")
        return not any(self._is_archived(group) for group in groups if group.rows)

    def _delete(self, groups: Sequence[DueGroup], go_on: GoOn) -> bool:
        """What is due of these groups is gone; whether it was not stopped before the end."""
        waiting = [group for group in groups if group.rows and not self._is_archived(group)]
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

    def _archive(self, groups: Sequence[DueGroup], go_on: GoOn) -> bool:
        """What of the partition is to be archived is so, and not here any more; whether it was not stopped before.

        A storage that fails leaves what it was to take where it is: the run goes on with the rest, and tries again in
        an hour.
        """
        by_installation: dict[int, list[DueGroup]] = {}
        for group in groups:
            if group.rows and self._is_archived(group):
                by_installation.setdefault(group.installation_id, []).append(group)
        for of_installation in by_installation.values():
            try:
                if not self._archive_installation(of_installation, go_on):
                    return False
            except ArchiveFailed as error:
                fields = {"partition": name_of(of_installation[0].partition), "error": type(error).__name__}
                logger.error("purge.not_archived", extra=fields)
        return True

    def _archive_installation(self, groups: Sequence[DueGroup], go_on: GoOn) -> bool:
        partition, run = groups[0].partition, self._runs[groups[0].tenant_id]
        with tenant_context([run.tenant_id]):
            found = Installation.objects.select_related("tenant").get(pk=groups[0].installation_id)
        selection = RowSelection(
            installation_id=found.pk,
            retention_class=groups[0].retention_class,
            start=midnight(partition.starts_on),
            end=midnight(partition.ends_on),
            expires_by=run.cutoff,
            events=tuple(sorted({(group.name, group.version) for group in groups})),
        )

        def settled(removed: Sequence[Removed]) -> None:
            add_to_items([(run.pk, each) for each in removed], is_archived=True)

        while archive_next(
            installation=found,
            selection=selection,
            starts_on=partition.starts_on,
            run=f"purge {run.pk}",
            settled=settled,
        ):
            if not go_on():
                return False
        return True

    def _count(self, gone: Iterable[tuple[DueGroup, int, int]], *, count: Count = count_removed) -> None:
        """The balance, the counts of what is stored and the runs know of these rows, by group, and their bytes."""
        removed = [
            Removed(
                *(group.tenant_id, group.installation_id, group.day, group.name, group.version),
                *(rows, group.retention_class, size_bytes),
            )
            for group, rows, size_bytes in gone
            if rows
        ]
        count(removed, "purged")
        add_to_items([(self._runs[each.tenant_id].pk, each) for each in removed], is_archived=False)


def _all_rows(groups: Iterable[DueGroup]) -> int:
    return sum(group.rows + group.held for group in groups)
