"""What the deeds on versions of overrides share; for the services that know who may and what follows."""

from datetime import datetime

from django.db.models import F, Max

from telemetry.core.errors import Conflict, FieldError, NotFound, StaleRevision
from tenants.actors import Actor
from tenants.history import live_period_at
from tenants.mappers import Document
from tenants.models import ConfigPeriod, ConfigStatus, Installation, TenantAppConfig
from tenants.services import audit
from tenants.services.checks import refuse_errors, text_error
from tenants.services.config_revision import Stamp, foresee

__all__ = [
    "OPEN",
    "add_period",
    "add_version",
    "end_of",
    "lock_installation",
    "record_deed",
    "refuse_bad_publication",
    "require_live",
    "reviewed_version",
]

OPEN = (ConfigStatus.DRAFT, ConfigStatus.PREVIEW)


def lock_installation(installation: Installation) -> None:
    """Until the transaction ends, nobody else adds a version; ``NotFound`` if the context does not show it.

    Always after the counter's lock, where both are taken.
    """
    if not Installation.objects.select_for_update(no_key=True).filter(pk=installation.pk).order_by().exists():
        raise NotFound("there is no such installation")


def add_version(
    actor: Actor,
    installation: Installation,
    document: Document,
    status: ConfigStatus,
    *,
    based_on: TenantAppConfig | None,
) -> TenantAppConfig:
    versions = TenantAppConfig.objects.filter(installation=installation)
    last = versions.aggregate(last=Max("number"))["last"]
    return TenantAppConfig.objects.create(
        installation=installation,
        tenant_id=installation.tenant_id,
        number=(last or 0) + 1,
        status=status,
        document=document.text,
        checksum=document.checksum,
        based_on=based_on,
        created_by_label=actor.label,
    )


def refuse_bad_publication(
    what: str,
    change_summary: str,
    stamp: Stamp,
    *,
    starts_at: datetime | None = None,
    ends_at: datetime | None = None,
) -> None:
    start = stamp.at if starts_at is None else starts_at
    is_late = starts_at is not None and starts_at <= stamp.at
    is_short = ends_at is not None and ends_at <= start
    refuse_errors(
        what,
        text_error("change_summary", change_summary, required=True),
        FieldError("out_of_range", "starts_at", "expected an instant in the future") if is_late else None,
        FieldError("out_of_range", "ends_at", "expected an instant after the start") if is_short else None,
    )


def require_live(installation_id: int, expected_number: int | None, stamp: Stamp) -> ConfigPeriod | None:
    """The period that counts now, if its version is the one that was expected."""
    period = live_period_at(installation_id, stamp.at)
    number = None if period is None else period.config.number
    if number != expected_number:
        raise StaleRevision(
            "no version is live any more; reload" if number is None else f"version {number} went live meanwhile; reload"
        )
    return period


def reviewed_version(config: TenantAppConfig, expected_checksum: str) -> TenantAppConfig:
    """The version as it was reviewed, if it is free to go live."""
    versions = TenantAppConfig.objects.filter(pk=config.pk, status__in=OPEN, checksum=expected_checksum)
    reviewed = versions.select_for_update(no_key=True).first()
    if reviewed is None:
        raise StaleRevision("this version was changed or published by somebody else; reload it")
    if reviewed.periods.exclude(starts_at=F("ends_at")).exists():
        raise Conflict(f"version {reviewed.number} is planned already; cancel that first")
    return reviewed


def add_period(
    actor: Actor, config: TenantAppConfig, starts_at: datetime, ends_at: datetime | None, stamp: Stamp
) -> ConfigPeriod:
    foresee(stamp, starts_at, ends_at)
    return ConfigPeriod.objects.create(
        installation_id=config.installation_id,
        tenant_id=config.tenant_id,
        config=config,
        starts_at=starts_at,
        ends_at=ends_at,
        planned_by_label=actor.label,
        planned_at=stamp.at,
    )


def end_of(ends_at: datetime | None) -> dict[str, str]:
    return {} if ends_at is None else {"ends_at": ends_at.isoformat()}


def record_deed(actor: Actor, action: str, config: TenantAppConfig, **details: int | str | None) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=config,
        tenant_id=config.tenant_id,
        details={"number": config.number, "checksum": config.checksum, **details},
    )
