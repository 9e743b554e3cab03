"""Legal holds: events that neither their days nor a person's wish remove, until the hold is lifted."""

from collections.abc import Collection
from datetime import datetime
from typing import Final

from django.db import transaction
from django.utils import timezone

from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.models import LegalHold, ReceiptKind
from telemetry.services.receipts import record_receipt
from telemetry.services.subjects import EPOCHS_AHEAD, subject_pseudonyms
from telemetry.stores.removals import lock_removals
from tenants.actors import Actor, require
from tenants.models import Installation, Tenant
from tenants.services import audit

__all__ = ["LONGEST_REASON", "active_holds", "is_held", "lift_hold", "place_hold"]

LONGEST_REASON: Final = 400


@transaction.atomic
def place_hold(
    *,
    actor: Actor,
    tenant: Tenant,
    reason: str,
    installation: Installation | None = None,
    event_name: str = "",
    subject: str = "",
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> LegalHold:
    """Nothing that the hold describes is purged or erased any more, once the transaction commits.

    Every part that is given narrows it; none at all holds everything of the tenant. ``subject`` is a person's id as
    apps send it; only its keyed pseudonyms are stored, also those under the next keys of the tenant. Waits for the
    step of a purge that is under way. Needs ``hold.manage``. Leaves an audit entry and a receipt. Raises
    ``InvalidDocument``, also for an installation of another tenant.
    """
    require(actor, "hold.manage", tenant.pk)
    errors = list(_errors(tenant, reason, installation, starts_at, ends_at))
    if errors:
        raise InvalidDocument(errors, what="hold")
    subjects = subject_pseudonyms(tenant, subject, ahead=EPOCHS_AHEAD) if subject else []
    lock_removals()
    hold = LegalHold.objects.create(
        tenant=tenant,
        installation=installation,
        event_name=event_name.strip(),
        subjects=subjects,
        starts_at=starts_at,
        ends_at=ends_at,
        reason=reason.strip(),
        placed_by=actor.label,
    )
    _trace(actor, hold, "hold.placed", ReceiptKind.HOLD_PLACED)
    return hold


@transaction.atomic
def lift_hold(*, actor: Actor, hold: LegalHold, because: str) -> LegalHold:
    """What the hold alone kept is purged by the next run if its days are over, and may be erased again.

    Needs ``hold.manage``. Leaves an audit entry and a receipt. Raises ``Conflict`` if it is lifted already, and
    ``InvalidDocument`` without a reason.
    """
    require(actor, "hold.manage", hold.tenant_id)
    if errors := list(_reason_errors(because, "because")):
        raise InvalidDocument(errors, what="hold")
    lifted = LegalHold.objects.filter(pk=hold.pk, lifted_at=None).update(
        lifted_at=timezone.now(), lifted_by=actor.label, lifted_because=because.strip()
    )
    if not lifted:
        raise Conflict("the hold is lifted already")
    hold.refresh_from_db()
    _trace(actor, hold, "hold.lifted", ReceiptKind.HOLD_LIFTED)
    return hold


def active_holds(tenant_id: int) -> list[LegalHold]:
    """The tenant's holds in force, as far as the context shows them; one query."""
    return list(LegalHold.objects.filter(tenant_id=tenant_id, lifted_at=None).order_by("pk"))


def is_held(
    holds: Collection[LegalHold],
    *,
    installation_id: int,
    name: str,
    subjects: Collection[str],
    received_at: datetime,
    occurred_at: datetime,
) -> bool:
    """Whether one of the tenant's holds keeps an event that is not in the store, such as an archived one.

    ``subjects`` are the pseudonyms in its context. The same answer as ``telemetry.stores.removals.HELD``.
    """
    return any(
        hold.lifted_at is None
        and hold.installation_id in (None, installation_id)
        and hold.event_name in ("", name)
        and (not hold.subjects or not set(hold.subjects).isdisjoint(subjects))
        and (_within(hold, received_at) or _within(hold, occurred_at))
        for hold in holds
    )


def _within(hold: LegalHold, instant: datetime) -> bool:
    after_start = hold.starts_at is None or instant >= hold.starts_at
    return after_start and (hold.ends_at is None or instant < hold.ends_at)


def _errors(
    tenant: Tenant,
    reason: str,
    installation: Installation | None,
    starts_at: datetime | None,
    ends_at: datetime | None,
) -> list[FieldError]:
    errors = _reason_errors(reason, "reason")
    if installation is not None and installation.tenant_id != tenant.pk:
        errors.append(FieldError("not_found", "installation", "must be one of the tenant's installations"))
    if starts_at is not None and ends_at is not None and starts_at >= ends_at:
        errors.append(FieldError("out_of_range", "endsAt", "must be after startsAt"))
    return errors


def _reason_errors(reason: str, path: str) -> list[FieldError]:
    if 0 < len(reason.strip()) <= LONGEST_REASON:
        return []
    message = f"must name the case and no person, in 1 to {LONGEST_REASON} characters"
    return [FieldError("required", path, message)]


def _trace(actor: Actor, hold: LegalHold, action: str, kind: ReceiptKind) -> None:
    """What stands in both: what is held, never who, and not the words of the reason, which may name somebody."""
    facts = {
        "hold": hold.pk,
        "installation": None if hold.installation is None else str(hold.installation.public_id),
        "event": hold.event_name or None,
        "by_subject": bool(hold.subjects),
        "starts_at": None if hold.starts_at is None else hold.starts_at.isoformat(),
        "ends_at": None if hold.ends_at is None else hold.ends_at.isoformat(),
    }
    audit.record(actor=actor, action=action, target=hold, tenant_id=hold.tenant_id, details=facts)
    record_receipt(tenant=hold.tenant, kind=kind, facts=facts, actor=actor)
