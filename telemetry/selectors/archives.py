"""Files of the archive, as lists and pages show them."""

from datetime import date
from typing import NamedTuple
from uuid import UUID

from django.db.models import Count, Q, QuerySet, Sum

from telemetry.core.errors import NotFound
from telemetry.core.layers import event_reference
from telemetry.models import ArchiveFile, ArchiveState
from telemetry.models.archive_file import READABLE_STATES

__all__ = [
    "ArchiveFilter",
    "ArchiveTotals",
    "archive_by_id",
    "archive_files",
    "archive_totals",
    "events_in",
    "readable_files",
]


class ArchiveFilter(NamedTuple):
    """Which files: those that fit every field that is set. ``since`` and ``until`` are days of receipt, inclusive."""

    tenant_id: int | None = None
    installation: UUID | None = None
    event: str = ""
    since: date | None = None
    until: date | None = None
    state: str = ""
    file: UUID | None = None


class ArchiveTotals(NamedTuple):
    """How much the kept files hold."""

    files: int
    rows: int
    size_bytes: int


def archive_files(wanted: ArchiveFilter) -> QuerySet[ArchiveFile]:
    """The files of the context, newest day first, with installation, tenant and app; without those never finished."""
    found = ArchiveFile.objects.select_related("installation__tenant", "installation__app")
    found = found.exclude(state__in=[ArchiveState.WRITING, ArchiveState.DISCARDED])
    if wanted.tenant_id is not None:
        found = found.filter(tenant_id=wanted.tenant_id)
    if wanted.installation is not None:
        found = found.filter(installation__public_id=wanted.installation)
    if wanted.event:
        found = found.filter(manifest__events__contains=[{"name": wanted.event}])
    if wanted.since is not None:
        found = found.filter(received_until__date__gte=wanted.since)
    if wanted.until is not None:
        found = found.filter(received_from__date__lte=wanted.until)
    if wanted.file is not None:
        found = found.filter(public_id=wanted.file)
    if wanted.state:
        found = found.filter(state=wanted.state)
    return found


def readable_files(wanted: ArchiveFilter) -> QuerySet[ArchiveFile]:
    """Those of the files that hold events, oldest first."""
    return archive_files(wanted).filter(state__in=READABLE_STATES).order_by("starts_on", "id")


def archive_totals(wanted: ArchiveFilter) -> ArchiveTotals:
    """How much those of the files hold that are kept; one query."""
    is_kept = Q(state=ArchiveState.KEPT)
    sums = (
        archive_files(wanted)
        .order_by()
        .aggregate(
            files=Count("pk", filter=is_kept), rows=Sum("rows", filter=is_kept), size=Sum("size_bytes", filter=is_kept)
        )
    )
    return ArchiveTotals(sums["files"], sums["rows"] or 0, sums["size"] or 0)


def archive_by_id(public_id: UUID) -> ArchiveFile:
    """The file, with installation, tenant and app; raises ``NotFound`` if the context does not show it."""
    found = archive_files(ArchiveFilter()).filter(public_id=public_id).first()
    if found is None:
        raise NotFound("there is no such file in the archive")
    return found


def events_in(file: ArchiveFile) -> list[tuple[str, int]]:
    """The events that the file holds, as ``name@version``, with their rows; most rows first."""
    counts: dict[str, int] = {}
    for event in file.manifest.get("events", ()):
        reference = event_reference(event["name"], event["version"])
        counts[reference] = counts.get(reference, 0) + event["rows"]
    return sorted(counts.items(), key=lambda each: (-each[1], each[0]))
