"""Letting archived files go: when their time is over, and when nobody needs them any more."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import UUID

import msgspec
from django.db.models import Q
from django.utils import timezone

from telemetry.core.errors import ArchiveFailed
from telemetry.models import ArchiveFile, ArchiveState, LegalHold, ReceiptKind
from telemetry.models.archive_file import READABLE_STATES
from telemetry.services.archiving.files import facts_of, fetch_verified, guarded, keys_of_file, manifest_of, removed_of
from telemetry.services.holds import active_holds, is_held
from telemetry.services.receipts import record_receipt
from telemetry.stores.archive.parquet import read_rows
from telemetry.stores.archive.storing import discard_file, unfinished_keys, workspace
from telemetry.stores.digests import NAMES
from telemetry.stores.removals import count_unarchived, lock_removals
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context

__all__ = ["expire_files", "remove_leftovers"]

logger = logging.getLogger(__name__)

# Files that one call looks at: some seconds, most of it for the storage.
PORTION: Final = 50
# Writing and verifying takes some seconds, and a task two minutes at most: whoever began earlier was killed.
ABANDONED_AFTER: Final = timedelta(hours=1)
_ENDED: Final = [state for state in ArchiveState if state not in (*READABLE_STATES, ArchiveState.WRITING)]


def expire_files(*, now: datetime | None = None) -> int:
    """Kept files whose time is over are expired, unless a legal hold keeps one of their events; how many.

    Each in a transaction of its own with a receipt; their events count as purged from then on. Running it twice, or at
    the same time, changes nothing more. A file that cannot be read while a hold may concern it stays.
    """
    due = now or timezone.now()
    with tenant_context(ALL):
        files = list(
            ArchiveFile.objects.filter(state=ArchiveState.KEPT, expires_at__lte=due)
            .select_related("installation__tenant")
            .order_by("expires_at")
        )
    return sum(_expire(file) for file in files)


def remove_leftovers(*, now: datetime | None = None) -> int:
    """Nothing is in the storage of up to 50 files that are of no use any more; how many of them are gone now.

    Those are files that were restored, replaced or expired, and what somebody began to write and did not finish within
    an hour. A storage that fails is asked again by the next call. Running it twice changes nothing more.
    """
    before = (now or timezone.now()) - ABANDONED_AFTER
    with tenant_context(ALL):
        unsettled = ArchiveFile.objects.filter(state__in=[ArchiveState.WRITING, ArchiveState.VERIFIED])
        unsettled.filter(created_at__lt=before).update(state=ArchiveState.DISCARDED)
        left = ArchiveFile.objects.filter(state__in=_ENDED, removed_at__isnull=True).select_related("installation")
        files = list(left.order_by("id")[:PORTION])
    gone = sum(_remove(file) for file in files)
    _remove_unfinished()
    return gone


def _expire(file: ArchiveFile) -> bool:
    with tenant_context((file.tenant_id,)):
        holds = _concerning(file)
    if holds and _holds_some(file, holds):
        return False
    with tenant_context((file.tenant_id,)):
        lock_removals()
        if [hold.pk for hold in _concerning(file)] != [hold.pk for hold in holds]:
            # Placed meanwhile: the next run looks into the file.
            return False
        kept = ArchiveFile.objects.filter(pk=file.pk, state=ArchiveState.KEPT)
        if not kept.update(state=ArchiveState.EXPIRED, settled_at=timezone.now()):
            return False
        count_unarchived(removed_of(file), "purged")
        tenant = file.installation.tenant
        record_receipt(tenant=tenant, kind=ReceiptKind.ARCHIVE_EXPIRED, facts=facts_of(file), actor=SYSTEM)
    return True


def _concerning(file: ArchiveFile) -> list[LegalHold]:
    """The holds that may keep one of the file's events."""
    names = {"", *(event.name for event in manifest_of(file).events)}
    return [
        hold
        for hold in active_holds(file.tenant_id)
        if hold.installation_id in (None, file.installation_id) and hold.event_name in names
    ]


def _holds_some(file: ArchiveFile, holds: Sequence[LegalHold]) -> bool:
    try:
        with workspace() as directory, guarded():
            copy = directory / "copy.parquet"
            fetch_verified(file, file.installation, copy)
            return any(_is_held(file, holds, row) for portion in read_rows(copy) for row in portion)
    except ArchiveFailed:
        return True


def _is_held(file: ArchiveFile, holds: Sequence[LegalHold], row: tuple[Any, ...]) -> bool:
    fields = dict(zip(NAMES, row, strict=True))
    context = msgspec.json.decode(fields["context"])
    subjects = [context.get(name) for name in ("userId", "sessionId", "deviceId", "actor")]
    return is_held(
        holds,
        installation_id=file.installation_id,
        name=fields["name"],
        subjects=[subject for subject in subjects if isinstance(subject, str)],
        received_at=fields["received_at"],
        occurred_at=fields["occurred_at"],
    )


def _remove(file: ArchiveFile) -> bool:
    try:
        discard_file(*keys_of_file(file, file.installation))
    except ArchiveFailed:
        return False
    with tenant_context((file.tenant_id,)):
        ArchiveFile.objects.filter(pk=file.pk).update(removed_at=timezone.now())
    return True


def _remove_unfinished() -> None:
    """What lies under unfinished names and nobody is writing is gone."""
    try:
        found = {_id_in(key): key for key in unfinished_keys()}
        with tenant_context(ALL):
            busy = ArchiveFile.objects.filter(
                Q(public_id__in=[each for each in found if each]), state=ArchiveState.WRITING
            )
            writing = set(busy.values_list("public_id", flat=True))
        discard_file(*(key for public_id, key in found.items() if public_id is not None and public_id not in writing))
    except ArchiveFailed:
        logger.warning("archive.leftovers_stay")


def _id_in(key: str) -> UUID | None:
    try:
        return UUID(key.rpartition("/")[2].removesuffix(".parquet"))
    except ValueError:
        return None
