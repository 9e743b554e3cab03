"""Planning what is to be removed: with a fixed cut-off, one run for each tenant that has something due."""

from collections.abc import Collection, Iterable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.conf import settings
from django.db import connection

from telemetry.core.layers import event_reference
from telemetry.models import OPEN_STATES, PurgeItem, PurgeRun, PurgeState
from telemetry.services.purging.clock import cutoff_at, is_trusted
from telemetry.services.purging.finishing import abandon_run
from telemetry.services.purging.terms import (
    ChangedRetention,
    applied_states,
    apply_changes,
    archived_events,
    changed_retention,
)
from telemetry.stores.due import DueGroup, LongerGroup, Question, due_groups, longer_groups
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.selectors import installations_in_context

__all__ = ["CLOCK", "LARGE", "PlannedItem", "plan_runs", "planned_items"]

# Why a run waits for a person.
LARGE, CLOCK = "large", "clock"
# Rows of one statement.
BATCH: Final = 1000
LOCK: Final = "SELECT pg_try_advisory_xact_lock(hashtextextended('studio_purge_plan', 0))"


class PlannedItem(NamedTuple):
    """What is due of one event of an installation: what goes, into the archive or for good, and what a hold keeps."""

    tenant_id: int
    installation_id: int
    name: str
    version: int
    is_archived: bool
    rows: int
    size_bytes: int
    held: int
    oldest: DueGroup
    newest: DueGroup


def planned_items(groups: Iterable[DueGroup], archived: Collection[tuple[int, str]]) -> list[PlannedItem]:
    """The groups by event: what a run does, and what a preview shows; most rows first."""
    by_event: dict[tuple[int, str, int], list[DueGroup]] = {}
    for group in groups:
        by_event.setdefault(group.event, []).append(group)
    items = [_item(event, of_event, archived) for event, of_event in by_event.items()]
    return sorted(items, key=lambda item: (-item.rows, item.name, item.version, item.installation_id))


def _item(
    event: tuple[int, str, int], groups: Sequence[DueGroup], archived: Collection[tuple[int, str]]
) -> PlannedItem:
    installation_id, name, version = event
    return PlannedItem(
        tenant_id=groups[0].tenant_id,
        installation_id=installation_id,
        name=name,
        version=version,
        is_archived=(installation_id, event_reference(name, version)) in archived,
        rows=sum(group.rows for group in groups),
        size_bytes=sum(group.size_bytes for group in groups),
        held=sum(group.held for group in groups),
        oldest=min(groups, key=lambda group: group.day),
        newest=max(groups, key=lambda group: group.day),
    )


def plan_runs(*, now: datetime) -> list[PurgeRun]:
    """Each tenant that has something due has an open run, those that are new are given back.

    A run with more rows than ``STUDIO_PURGE_APPROVAL_ROWS`` waits for approval; so does every run while the clock is in
    doubt. One that waits is replaced once its plan is out of date. A tenant whose run is under way gets the next one
    when that is done. Running it twice, or at the same time, plans nothing more.
    """
    with tenant_context(ALL):
        if not _is_planner():
            return []
        cutoff, is_sure = cutoff_at(now), is_trusted(now)
        by_tenant: dict[int, list[Installation]] = {}
        for installation in installations_in_context():
            by_tenant.setdefault(installation.tenant_id, []).append(installation)
        opened = _open_runs(now)
        free = [key for key in by_tenant if key not in opened or opened[key].state == PurgeState.WAITING]
        installations = [each for key in free for each in by_tenant[key]]
        states = applied_states(installations)
        changes = changed_retention(installations, states)
        archived = archived_events(changes, states)
        terms = [term for change in changes for term in change.terms]
        question = Question(cutoff, terms, free)
        groups, longer = due_groups(question), longer_groups(question)
        plan = _Plan(cutoff, changes, planned_items(groups, archived), longer, is_sure=is_sure)
        runs = [run for key in free if (run := plan.of_tenant(key, opened.get(key))) is not None]
        PurgeRun.objects.bulk_create(runs)
        PurgeItem.objects.bulk_create([row for run in runs for row in plan.items_of(run)], batch_size=BATCH)
        return runs


def _open_runs(now: datetime) -> dict[int, PurgeRun]:
    """The open runs by tenant; those go no further that were planned and approved while the clock was ahead."""
    found: dict[int, PurgeRun] = {}
    for run in PurgeRun.objects.filter(state__in=OPEN_STATES).select_related("tenant"):
        if run.state == PurgeState.RUNNING and run.cutoff > now:
            abandon_run(run)
        else:
            found[run.tenant_id] = run
    return found


def _is_planner() -> bool:
    """Whether nobody else plans until this transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute(LOCK)
        (is_ours,) = cursor.fetchone()
    return bool(is_ours)


class _Plan:
    """What is to be done at all tenants that have no run under way."""

    def __init__(
        self,
        cutoff: datetime,
        changes: Sequence[ChangedRetention],
        items: Sequence[PlannedItem],
        longer: Sequence[LongerGroup],
        *,
        is_sure: bool,
    ) -> None:
        self._cutoff = cutoff
        self._is_sure = is_sure
        self._changes: dict[int, list[ChangedRetention]] = {}
        self._items: dict[int, list[PlannedItem]] = {}
        for change in changes:
            self._changes.setdefault(change.installation.tenant_id, []).append(change)
        for item in items:
            self._items.setdefault(item.tenant_id, []).append(item)
        self._longer = {group.tenant_id for group in longer}

    def of_tenant(self, tenant_id: int, waiting: PurgeRun | None) -> PurgeRun | None:
        """The tenant's new run, if it has one, which is to be saved; the one that waited has made room for it."""
        changes, items = self._changes.get(tenant_id, []), self._items.get(tenant_id, [])
        documents = [change.as_document() for change in changes]
        has_work = any(item.rows for item in items) or tenant_id in self._longer
        run = self._run(tenant_id, changes, items, documents)
        if waiting is not None and has_work and _is_same(waiting, run):
            return None
        if waiting is not None:
            PurgeRun.objects.filter(pk=waiting.pk, state=PurgeState.WAITING).update(state=PurgeState.REPLACED)
        if not has_work:
            apply_changes(tenant_id, documents)
            return None
        return run

    def items_of(self, run: PurgeRun) -> Iterable[PurgeItem]:
        """What the run, which is saved, is to do to each event; to be saved as well."""
        return _rows(run, self._items.get(run.tenant_id, []))

    def _run(
        self,
        tenant_id: int,
        changes: Sequence[ChangedRetention],
        items: Sequence[PlannedItem],
        documents: Sequence[dict[str, object]],
    ) -> PurgeRun:
        rows, limit = sum(item.rows for item in items), settings.STUDIO_PURGE_APPROVAL_ROWS
        why = "" if self._is_sure else CLOCK
        if not why and limit and rows > limit:
            why = LARGE
        return PurgeRun(
            tenant_id=tenant_id,
            state=PurgeState.WAITING if why else PurgeState.RUNNING,
            why_waiting=why,
            cutoff=self._cutoff,
            terms=[list(term) for change in changes for term in change.terms],
            applies=list(documents),
            planned_rows=rows,
            planned_bytes=sum(item.size_bytes for item in items),
        )


def _is_same(waiting: PurgeRun, run: PurgeRun) -> bool:
    """Whether what waits is what would be planned now, so that whoever looks at it finds it again."""
    fields = ("cutoff", "why_waiting", "terms", "applies", "planned_rows", "planned_bytes")
    return all(getattr(waiting, field) == getattr(run, field) for field in fields)


def _rows(run: PurgeRun, items: Iterable[PlannedItem]) -> list[PurgeItem]:
    return [
        PurgeItem(
            tenant_id=run.tenant_id,
            run=run,
            installation_id=item.installation_id,
            name=item.name,
            version=item.version,
            is_archived=item.is_archived,
            planned_rows=item.rows,
            planned_bytes=item.size_bytes,
            held_rows=item.held,
            oldest_on=item.oldest.day,
            newest_on=item.newest.day,
        )
        for item in items
    ]
