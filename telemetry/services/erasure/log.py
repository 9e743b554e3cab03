"""The log of erasures beside the database: after a backup was restored, those whom it brought back are erased again.

One small file in the archive's storage for each confirmed request, which knows the person by keyed pseudonyms alone.
"""

import logging
from collections.abc import Iterator
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec
from django.core.files.base import ContentFile

from telemetry.core.errors import Unavailable
from telemetry.models import ErasureRequest, ErasureState
from telemetry.services.erasure.people import month_after
from telemetry.services.erasure.requests import begin
from telemetry.stores.archive.storing import archive_storage
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Tenant
from tenants.services import audit

__all__ = ["Reapplied", "reapply_erasures", "write_log"]

logger = logging.getLogger(__name__)

DIRECTORY: Final = "erasures"


class LogEntry(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """A confirmed request, as far as it takes to carry it out once more."""

    id: UUID
    case: UUID
    tenant: str
    reference: str
    pseudonyms: list[str]
    probe_epoch: int
    salt: str
    digest: str
    kept_away_until: datetime | None
    confirmed_at: datetime
    confirmed_by: str


class Reapplied(NamedTuple):
    """How many requests are carried out again, and how many name a tenant that there is not."""

    requests: int
    unknown: int


def write_log(request: ErasureRequest) -> None:
    """The request, which comes with its tenant, is in the log; again changes nothing. Raises ``Unavailable``."""
    entry = LogEntry(
        id=request.public_id,
        case=request.case_id,
        tenant=request.tenant.slug,
        reference=request.reference,
        pseudonyms=request.pseudonyms,
        probe_epoch=request.probe_epoch,
        salt=request.salt,
        digest=request.digest,
        kept_away_until=request.ends_at,
        confirmed_at=request.confirmed_at or request.created_at,
        confirmed_by=request.confirmed_by_label,
    )
    name = f"{DIRECTORY}/{request.public_id.hex}.json"
    try:
        storage = archive_storage()
        if not storage.exists(name):
            storage.save(name, ContentFile(msgspec.json.encode(entry)))
    except Exception as error:  # noqa: BLE001 - storages raise what their packages raise
        logger.error("erasure.log_failed", extra={"error": type(error).__name__})
        raise Unavailable("the log of erasures cannot be written") from None


def reapply_erasures(*, now: datetime) -> Reapplied:
    """Every request of the log is being carried out again; workers do the rest. Running it twice changes nothing more.

    For after a restore: what came back of a person is erased once more, and their events are kept away. Raises
    ``Unavailable`` when the log cannot be read.
    """
    requests = unknown = 0
    for entry in _entries():
        with tenant_context(ALL):
            tenant = Tenant.objects.filter(slug=entry.tenant).first()
            if tenant is None:
                unknown += 1
                continue
            _again(entry, tenant, now)
            requests += 1
    return Reapplied(requests, unknown)


def _again(entry: LogEntry, tenant: Tenant, now: datetime) -> None:
    rows = ErasureRequest.objects.select_for_update().filter(public_id=entry.id, tenant=tenant)
    request = rows.first() or ErasureRequest(
        public_id=entry.id,
        case_id=entry.case,
        tenant=tenant,
        reference=entry.reference,
        probe_epoch=entry.probe_epoch,
        salt=entry.salt,
        digest=entry.digest,
        ends_at=entry.kept_away_until,
        created_by_label=entry.confirmed_by,
        created_at=entry.confirmed_at,
        due_on=month_after(now.date()),
    )
    if request.state in (ErasureState.ERASING, ErasureState.VERIFYING):
        return
    request.pseudonyms = entry.pseudonyms
    request.fence = request.finished_at = request.erased_at = None
    request.erased = []
    # The marks name the row.
    request.save()
    begin(request, entry.confirmed_by, now=now)
    request.save()
    details = {"case": str(entry.case), "reference": entry.reference}
    audit.record(actor=SYSTEM, action="erasure.reapplied", target=request, tenant_id=tenant.pk, details=details)


def _entries() -> Iterator[LogEntry]:
    storage = archive_storage()
    try:
        _, names = storage.listdir(DIRECTORY)
    except FileNotFoundError:
        return
    except Exception as error:  # noqa: BLE001 - storages raise what their packages raise
        raise _unreadable(error) from None
    for name in sorted(each for each in names if each.endswith(".json")):
        try:
            with storage.open(f"{DIRECTORY}/{name}") as file:
                entry = msgspec.json.decode(file.read(), type=LogEntry)
        except Exception as error:  # noqa: BLE001 - storages raise what their packages raise
            raise _unreadable(error) from None
        yield entry


def _unreadable(error: Exception) -> Unavailable:
    logger.error("erasure.log_unreadable", extra={"error": type(error).__name__})
    return Unavailable("the log of erasures cannot be read")
