"""The archive as a place in which something about a person may be: its files are written anew without them.

Counting is a visit like any other. Erasing happens outside of any transaction, as a file is written and read back
before it takes the old one's place; the request is leased meanwhile, and counted with the swap.
"""

from collections import Counter
from collections.abc import Callable
from time import monotonic
from typing import Final

from django.utils import timezone

from telemetry.core.errors import Conflict, Unavailable
from telemetry.models import ArchiveFile, ArchiveState, LegalHold
from telemetry.models.archive_file import READABLE_STATES
from telemetry.services.archiving.expiring import remove_leftovers
from telemetry.services.archiving.rewriting import ArchivedRow, Rewritten, count_changes, rewrite_file
from telemetry.services.erasure.places import Count, Search, Turn, Visit, holds_on
from telemetry.services.holds import active_holds
from telemetry.stores.removals import Removed, count_unarchived, lock_removals
from telemetry.stores.subjects import FoundEvent, subjects_in
from tenants.context import tenant_context

__all__ = ["Archives", "HeldBack", "erase_file", "next_file"]

NAME: Final = "archive"


class HeldBack(Exception):
    """Legal holds keep an archived event of the person; nothing of its file has changed."""

    def __init__(self, holds: frozenset[int]) -> None:
        super().__init__("held")
        self.holds = holds


class Archives:
    """Files of the archive; those that are kept, and those that are about to be."""

    name = NAME

    def visit(self, search: Search, turn: Turn) -> Visit:
        """File after file until the time is over; raises ``ArchiveFailed`` for one that cannot be read.

        Raises ``Unavailable`` while something is written that may hold the person, or still lies where it was replaced.
        """
        rows, holds, behind = Count(), frozenset[int](), turn.last or 0
        if not behind:
            _demand_settled(search)
        while (file := next_file(search, behind)) is not None:
            looking = _Looking(search, file, active_holds(search.tenant_id))
            count_changes(file=file, change=looking.keep)
            rows += looking.rows
            holds |= looking.holds
            behind = file.pk
            if monotonic() > turn.ends_at:
                return Visit(rows, behind, holds)
        return Visit(rows, None, holds)


def next_file(search: Search, behind: int) -> ArchiveFile | None:
    """The tenant's next readable file, with installation and tenant; one query."""
    files = ArchiveFile.objects.filter(tenant_id=search.tenant_id, state__in=READABLE_STATES, pk__gt=behind)
    return files.select_related("installation__tenant").order_by("pk").first()


def erase_file(file: ArchiveFile, search: Search, *, run: str, count: Callable[[Count], None]) -> None:
    """Nothing in the archive's copy of the file is about the person any more, and the old file is deleted.

    Outside any transaction. ``count`` is called with what is gone, in the transaction that puts the new file in the
    old one's place. A file that is only about to be kept is let go instead: whoever wrote it begins anew. Killed at any
    point, it may be called again. Raises ``HeldBack``, ``ArchiveFailed``, and ``Conflict`` when the file was replaced
    meanwhile.
    """
    with tenant_context((search.tenant_id,)):
        # What an earlier attempt has begun and not brought to an end.
        begun = ArchiveFile.objects.filter(run=run, state__in=[ArchiveState.WRITING, ArchiveState.VERIFIED])
        begun.update(state=ArchiveState.DISCARDED, settled_at=timezone.now())
        holds = active_holds(search.tenant_id)
    looking = _Looking(search, file, holds)
    if file.state == ArchiveState.VERIFIED:
        if count_changes(file=file, change=looking.keep).removed:
            with tenant_context((search.tenant_id,)):
                files = ArchiveFile.objects.filter(pk=file.pk, state=ArchiveState.VERIFIED)
                files.update(state=ArchiveState.DISCARDED, settled_at=timezone.now())
    else:

        def swapped(_done: Rewritten, removed: tuple[Removed, ...]) -> None:
            lock_removals()
            if [hold.pk for hold in active_holds(search.tenant_id)] != [hold.pk for hold in holds]:
                raise Conflict("a legal hold was placed or lifted meanwhile")
            count_unarchived(removed, "erased")
            count(_counted(removed))

        rewrite_file(file=file, change=looking.without, run=run, swapped=swapped)
    remove_leftovers()


class _Looking:
    """One pass over a file: what is about the person, and which holds keep it."""

    def __init__(self, search: Search, file: ArchiveFile, holds: list[LegalHold]) -> None:
        self._search, self._file, self._all_holds = search, file, holds
        self.rows: Count = Count()
        self.holds: frozenset[int] = frozenset()

    def keep(self, row: ArchivedRow) -> ArchivedRow | None:
        """``None`` for what is about the person, which is counted."""
        if not self._search.matcher.holds_id([row.properties, row.context]):
            return row
        self.rows[NAME, self._file.installation_id, row.name] += 1
        self.holds |= holds_on(self._all_holds, [_as_found(self._file, row)])
        return None

    def without(self, row: ArchivedRow) -> ArchivedRow | None:
        """As ``keep``; raises ``HeldBack`` for what is held."""
        kept = self.keep(row)
        if self.holds:
            raise HeldBack(self.holds)
        return kept


def _as_found(file: ArchiveFile, row: ArchivedRow) -> FoundEvent:
    return FoundEvent(
        installation_id=file.installation_id,
        name=row.name,
        version=row.version,
        received_at=row.received_at,
        occurred_at=row.occurred_at,
        id=row.id,
        subjects=subjects_in(row.context),
    )


def _counted(removed: tuple[Removed, ...]) -> Count:
    rows: Count = Counter()
    for each in removed:
        rows[NAME, each.installation_id, each.name] += each.rows
    return rows


def _demand_settled(search: Search) -> None:
    """Nothing of the tenant lies in the storage beyond what is readable."""
    remove_leftovers()
    files = ArchiveFile.objects.filter(tenant_id=search.tenant_id, removed_at__isnull=True)
    if files.exclude(state__in=[*READABLE_STATES, ArchiveState.WRITING]).exists():
        raise Unavailable("the archive's storage still has files that were replaced or are over")
    if search.since is not None and files.filter(state=ArchiveState.WRITING, created_at__lt=search.since).exists():
        raise Unavailable("a file of the archive is being written")
