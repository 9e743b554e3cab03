"""Collecting exports: in steps of some seconds, each one transaction with the row of its export locked."""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import partial
from time import monotonic
from typing import Any, Final

import msgspec
from django.utils import timezone

from telemetry.models import AccessExport, AccessPart, ArchiveFile, ArchiveState, ExportState, HeldEvent
from telemetry.services.access.requests import expiry_of
from telemetry.services.access.sealed import seal_part
from telemetry.services.archiving.rewriting import ArchivedRow, count_changes
from telemetry.services.erasure.archives import next_file
from telemetry.services.erasure.people import matcher_of
from telemetry.services.erasure.places import HELD_PORTION, Search, held_about
from telemetry.services.quarantine.sealed import open_envelope
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.subjects import FoundEvent, Slice, events_in, slices_after
from tenants.actors import SYSTEM
from tenants.context import ALL, set_tenant_context, tenant_context
from tenants.models import Installation
from tenants.services import audit

__all__ = ["collect", "due_exports"]

STEP_SECONDS: Final = 3.0
# Events of one sealed part: a few hundred kilobytes.
PART: Final = 500


def collect(export_id: int, *, now: datetime | None = None) -> bool:
    """One step of the export is done and committed; whether more is left. Any number of workers may call it at once."""
    with tenant_context(ALL):
        rows = AccessExport.objects.select_for_update(skip_locked=True, of=("self",)).select_related("tenant")
        export = rows.filter(pk=export_id, state=ExportState.COLLECTING).first()
        if export is None:
            return False
        set_tenant_context((export.tenant_id,))
        return _step(export, now or timezone.now())


def due_exports() -> list[int]:
    """The exports that are to be collected, the oldest first; one query."""
    with tenant_context(ALL):
        rows = AccessExport.objects.filter(state=ExportState.COLLECTING).order_by("pk")
        return list(rows.values_list("pk", flat=True))


class _Collecting:
    """The export in this worker's hands: where it looks, and the parts that it adds."""

    def __init__(self, export: AccessExport) -> None:
        installations = Installation.objects.filter(tenant_id=export.tenant_id).select_related("app").order_by()
        self.places = {each.pk: {"app": each.app.slug, "environment": each.environment} for each in installations}
        self.search = Search(
            tenant_id=export.tenant_id,
            installations={each.pk: each.public_id for each in installations},
            matcher=matcher_of(export.tenant, export.pseudonyms, export.probe_epoch),
            pseudonyms=export.pseudonyms,
        )
        self._export = export

    def add(self, events: Sequence[dict[str, Any]]) -> None:
        """The events are in new parts, once the transaction commits."""
        export, number = self._export, self._export.position.get("parts", 0)
        for start in range(0, len(events), PART):
            part = events[start : start + PART]
            # Without the brackets, so that parts can be strung together.
            content = msgspec.json.encode(part)[1:-1]
            AccessPart.objects.create(
                tenant_id=export.tenant_id,
                export=export,
                number=number,
                events=len(part),
                sealed=seal_part(export, content),
            )
            number += 1
        export.events += len(events)
        export.position = {**export.position, "parts": number}


def _step(export: AccessExport, now: datetime) -> bool:
    collecting, ends_at = _Collecting(export), monotonic() + STEP_SECONDS
    place, last = export.position.get("place", 0), export.position.get("last")
    while place < len(_PLACES):
        last = _PLACES[place](collecting, last, ends_at)
        place = place + 1 if last is None else place
        if monotonic() > ends_at:
            break
    export.position = {**export.position, "place": place, "last": last}
    if place == len(_PLACES):
        export.state, export.ready_at, export.expires_at = ExportState.READY, now, expiry_of(now)
        audit.record(
            actor=SYSTEM,
            action="access.collected",
            target=export,
            tenant_id=export.tenant_id,
            details={"case": str(export.case_id), "events": export.events},
        )
    export.save()
    return export.state == ExportState.COLLECTING


def _from_store(collecting: _Collecting, last: Any, ends_at: float) -> Any:
    search = collecting.search
    for part in slices_after(None if last is None else msgspec.convert(last, Slice)):
        found = list(events_in(part, search.installations, search.matcher.is_about))
        collecting.add(list(_stored(collecting, found)))
        if monotonic() > ends_at:
            return msgspec.to_builtins(part)
    return None


def _stored(collecting: _Collecting, found: Sequence[FoundEvent]) -> Iterator[dict[str, Any]]:
    """The events as they are stored; without those past their day, which nobody sees any more."""
    batches: dict[tuple[int, datetime], list[FoundEvent]] = {}
    for event in found:
        batches.setdefault((event.installation_id, event.received_at), []).append(event)
    for (installation_id, received_at), events in sorted(batches.items(), key=lambda each: each[0][1]):
        names = sorted({event.name for event in events})
        for row in EVENT_STORE.fetch(installation_id, received_at, names, [event.id for event in events]):
            yield {
                "place": "store",
                **collecting.places[installation_id],
                "id": row.id,
                "event": row.name,
                "eventVersion": row.version,
                "occurredAt": row.occurred_at,
                "receivedAt": row.received_at,
                "expiresAt": row.expires_at,
                "privacy": row.privacy,
                "properties": row.properties,
                "context": row.context,
            }


def _from_archive(collecting: _Collecting, last: Any, ends_at: float) -> Any:
    """File after file; raises ``ArchiveFailed`` for one that cannot be read."""
    behind = last or 0
    while (file := next_file(collecting.search, behind)) is not None:
        behind = file.pk
        if file.state != ArchiveState.KEPT:
            # Its events are still in the store.
            continue
        found: list[dict[str, Any]] = []
        count_changes(file=file, change=partial(_archived, collecting, file, found))
        collecting.add(found)
        if monotonic() > ends_at:
            return behind
    return None


def _archived(collecting: _Collecting, file: ArchiveFile, found: list[dict[str, Any]], row: ArchivedRow) -> ArchivedRow:
    if collecting.search.matcher.holds_id([row.properties, row.context]):
        found.append(
            {
                "place": "archive",
                **collecting.places[file.installation_id],
                "id": row.id,
                "event": row.name,
                "eventVersion": row.version,
                "occurredAt": row.occurred_at,
                "receivedAt": row.received_at,
                "expiresAt": file.expires_at,
                "privacy": row.privacy,
                "properties": row.properties,
                "context": row.context,
            }
        )
    return row


def _from_quarantine(collecting: _Collecting, last: Any, ends_at: float) -> Any:
    behind = last or 0
    while True:
        held = HeldEvent.objects.filter(installation_id__in=collecting.search.installations, pk__gt=behind)
        portion = list(held.order_by("pk")[:HELD_PORTION])
        collecting.add([_held(collecting, row) for row in portion if held_about(row, collecting.search)])
        if len(portion) < HELD_PORTION:
            return None
        behind = portion[-1].pk
        if monotonic() > ends_at:
            return behind


def _held(collecting: _Collecting, row: HeldEvent) -> dict[str, Any]:
    envelope = open_envelope(row.tenant_id, bytes(row.sealed))
    return {
        "place": "quarantine",
        **collecting.places[row.installation_id],
        "id": row.event_id,
        "event": row.event_name,
        "receivedAt": row.received_at,
        "expiresAt": row.expires_at,
        "refusedFor": row.reason,
        # Unreadable once its secret is gone: then nobody can know more of it than this.
        "sent": None if envelope is None else msgspec.to_builtins(envelope),
    }


_PLACES: Final[Sequence[Callable[[_Collecting, Any, float], Any]]] = (
    _from_store,
    _from_archive,
    _from_quarantine,
)
