"""Freeing a tenant from a limit of the floor, for a while, by people who answer for privacy."""

from datetime import datetime, timedelta
from typing import Final

from django.db import transaction
from django.db.models import Q

from telemetry.core.config import FloorException
from telemetry.core.errors import Conflict, FieldError, NotFound
from telemetry.core.floor_exceptions import check_exception
from tenants.actors import Actor, require
from tenants.mappers import document_of
from tenants.models import App, FloorExceptionRecord, Installation, Tenant
from tenants.services import audit
from tenants.services.checks import refuse_errors, text_error
from tenants.services.config_revision import Stamp, foresee, stamp_installations, take_stamp
from tenants.services.settling import settle

__all__ = ["LONGEST", "grant_exception", "revoke_exception"]

# A quarter: long enough for a migration or an investigation. What has to hold for longer is a change of the floor.
LONGEST: Final = timedelta(days=90)
# Nobody can judge further ahead what will be needed.
FURTHEST_START: Final = timedelta(days=365)
ENDS: Final = f"expected an instant after the start, and at most {LONGEST.days} days after it"


@transaction.atomic
def grant_exception(
    *,
    actor: Actor,
    tenant: Tenant,
    app: App,
    installation: Installation | None = None,
    exception: FloorException,
    reason: str,
    starts_at: datetime | None = None,
    ends_at: datetime,
) -> FloorExceptionRecord:
    """The limit does not hold for the app at the tenant from ``starts_at`` (aware; unset: now) until ``ends_at``.

    ``installation`` narrows it to one environment. It ends by itself. Needs ``floor.except`` in the workspace. Raises
    ``InvalidDocument`` for an exception that does not fit its limit, without a reason, for instants that have passed or
    are too far away, and ``Conflict`` for an installation of another app or tenant.
    """
    require(actor, "floor.except")
    # The counter's lock comes first; the tenant's keeps an installation from being made at the same time.
    stamp = take_stamp()
    if not Tenant.objects.select_for_update(no_key=True).filter(pk=tenant.pk).order_by().exists():
        raise NotFound("there is no such tenant")
    document = document_of(exception, what="floor exception")
    _refuse(exception, reason, stamp, starts_at, ends_at)
    if installation is not None and (installation.tenant_id, installation.app_id) != (tenant.pk, app.pk):
        raise Conflict("the installation belongs to another tenant or app")
    installations = _installations(tenant.pk, app.pk, None if installation is None else installation.pk)
    settle(installations, stamp)
    record = FloorExceptionRecord.objects.create(
        tenant=tenant,
        app=app,
        installation=installation,
        document=document.text,
        reason=reason,
        starts_at=starts_at or stamp.at,
        ends_at=ends_at,
        granted_by_label=actor.label,
        granted_at=stamp.at,
    )
    foresee(stamp, record.starts_at, ends_at)
    stamp = stamp_installations(installations, stamp)
    details = {
        "exception": document.text,
        "reason": reason,
        "starts_at": record.starts_at.isoformat(),
        "ends_at": ends_at.isoformat(),
        "installation": None if installation is None else installation.pk,
        "config_revision": stamp.revision,
    }
    audit.record(actor=actor, action="floor.exception.granted", target=record, tenant_id=tenant.pk, details=details)
    return record


@transaction.atomic
def revoke_exception(*, actor: Actor, record: FloorExceptionRecord) -> FloorExceptionRecord:
    """The exception ends now, or does not start; the floor holds as before. Needs ``floor.except`` in the workspace.

    Raises ``Conflict`` if it has ended already.
    """
    require(actor, "floor.except")
    stamp = take_stamp()
    found = FloorExceptionRecord.objects.filter(pk=record.pk).first()
    if found is None:
        raise NotFound("there is no such exception")
    if found.revoked_at is not None or found.ends_at <= stamp.at:
        raise Conflict("this exception has ended already")
    installations = _installations(found.tenant_id, found.app_id, found.installation_id)
    settle(installations, stamp)
    details = {"planned_end": found.ends_at.isoformat()}
    found.ends_at = max(found.starts_at, stamp.at)
    found.revoked_at, found.revoked_by_label = stamp.at, actor.label
    found.save(update_fields=["ends_at", "revoked_at", "revoked_by_label"])
    stamp = stamp_installations(installations, stamp)
    audit.record(
        actor=actor,
        action="floor.exception.revoked",
        target=found,
        tenant_id=found.tenant_id,
        details={**details, "config_revision": stamp.revision},
    )
    return found


def _refuse(
    exception: FloorException, reason: str, stamp: Stamp, starts_at: datetime | None, ends_at: datetime
) -> None:
    start = starts_at or stamp.at
    is_past, is_far = start < stamp.at, start > stamp.at + FURTHEST_START
    in_span = start < ends_at <= start + LONGEST
    refuse_errors(
        "floor exception",
        *check_exception(exception),
        text_error("reason", reason, required=True),
        FieldError("out_of_range", "starts_at", "expected an instant within a year") if is_past or is_far else None,
        None if in_span else FieldError("out_of_range", "ends_at", ENDS),
    )


def _installations(tenant_id: int, app_id: int, installation_id: int | None) -> list[int]:
    """The ids of the installations where an exception with this scope holds."""
    here = Q() if installation_id is None else Q(pk=installation_id)
    installations = Installation.objects.filter(here, tenant_id=tenant_id, app_id=app_id)
    return list(installations.order_by("pk").values_list("pk", flat=True))
