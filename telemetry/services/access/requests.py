"""Access requests: asked for by a privacy officer, downloaded for some days."""

import uuid
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta

import msgspec
from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.models import AccessExport, AccessPart, ExportState
from telemetry.services.access.sealed import is_set_up, open_part
from telemetry.services.erasure.people import Person, checked_ids, month_after
from tenants.actors import Actor, require
from tenants.context import ALL, tenant_context
from tenants.models import Tenant
from tenants.services import audit

__all__ = ["download_access", "expire_exports", "expiry_of", "request_access"]

PORTION = 100


@transaction.atomic
def request_access(
    *,
    actor: Actor,
    subjects: Sequence[str],
    tenants: Sequence[Tenant],
    pseudonyms: Sequence[str] = (),
    reference: str = "",
) -> list[AccessExport]:
    """One export for each tenant, which a job collects. ``subjects`` and ``pseudonyms`` as for ``request_erasure``.

    Needs ``access.handle`` in every tenant. Raises ``InvalidDocument``, which never repeats an id, also where the
    operators have set no key to keep an export under.
    """
    for tenant in tenants:
        require(actor, "access.handle", tenant.pk)
    ids = checked_ids(subjects, pseudonyms, reference=reference)
    if not is_set_up():
        message = "cannot be kept: the operators of this studio have to set STUDIO_CREDENTIAL_KEYS first"
        raise InvalidDocument([FieldError("not_set_up", "", message)], what="export")
    case_id, now = uuid.uuid4(), timezone.now()
    exports = [
        AccessExport(
            case_id=case_id,
            tenant=tenant,
            reference=reference.strip(),
            pseudonyms=[*person.pseudonyms, *person.ahead],
            probe_epoch=person.probe_epoch,
            created_by_label=actor.label,
            created_at=now,
            due_on=month_after(now.date()),
        )
        for tenant, person in ((tenant, Person.at(tenant, ids, pseudonyms)) for tenant in tenants)
    ]
    for export in exports:
        export.save(force_insert=True)
        _record(actor, "access.requested", export, keys=export.probe_epoch)
    return exports


@transaction.atomic
def download_access(*, actor: Actor, export: AccessExport) -> Iterator[bytes]:
    """The export as JSON text, part by part, each read in a context of its own; the download is in the audit trail.

    Needs ``access.handle`` in the tenant. Raises ``Conflict`` when it is not ready, or over.
    """
    require(actor, "access.handle", export.tenant_id)
    now = timezone.now()
    ready = AccessExport.objects.filter(pk=export.pk, state=ExportState.READY, expires_at__gt=now)
    if not ready.update(downloads=F("downloads") + 1):
        raise Conflict("the export is not there: it is still being collected, or its days are over")
    export.refresh_from_db()
    _record(actor, "access.downloaded", export, events=export.events)
    return _document(export, _head(export))


def expire_exports(*, now: datetime) -> int:
    """A slice of the exports past their days is empty, and says of nobody any more that they asked; how many."""
    with tenant_context(ALL):
        over = AccessExport.objects.filter(state=ExportState.READY, expires_at__lte=now).order_by("pk")
        ids = list(over.values_list("pk", flat=True)[:PORTION])
        AccessPart.objects.filter(export__in=ids).delete()
        return AccessExport.objects.filter(pk__in=ids).update(state=ExportState.EXPIRED, pseudonyms=[])


def expiry_of(ready_at: datetime) -> datetime:
    """Until when an export may be downloaded that is ready at this instant."""
    return ready_at + timedelta(days=settings.STUDIO_ACCESS_EXPORT_DAYS)


def _head(export: AccessExport) -> bytes:
    """How the document begins, up to its list of events."""
    head = {
        "export": export.public_id,
        "tenant": export.tenant.slug,
        "reference": export.reference,
        "requestedAt": export.created_at,
        "collectedAt": export.ready_at,
        "eventCount": export.events,
    }
    return msgspec.json.encode(head)[:-1] + b',"events":['


def _document(export: AccessExport, head: bytes) -> Iterator[bytes]:
    yield head
    numbers = range(export.position.get("parts", 0))
    is_first = True
    for number in numbers:
        with tenant_context((export.tenant_id,)):
            part = AccessPart.objects.filter(export=export, number=number).first()
            events = None if part is None else open_part(export, bytes(part.sealed))
        if events:
            yield (b"" if is_first else b",") + events
            is_first = False
    yield b"]}\n"


def _record(actor: Actor, action: str, export: AccessExport, **details: int) -> None:
    facts = {"case": str(export.case_id), "reference": export.reference, **details}
    audit.record(actor=actor, action=action, target=export, tenant_id=export.tenant_id, details=facts)
