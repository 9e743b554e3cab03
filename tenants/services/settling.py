"""What time alone has changed, brought into the rows: statuses, revisions, the audit trail.

Nobody waits for it: what is planned holds from its instant on, see ``docs/adr/0005-planned-changes.md``. It keeps lists
right, tells the streams, and leaves a trace.
"""

from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Final, NamedTuple

from django.db import connection, transaction
from django.db.models.functions import Now

from tenants.actors import SYSTEM
from tenants.history import live_period_at
from tenants.models import (
    ConfigPeriod,
    ConfigRevisionCounter,
    ConfigStatus,
    FloorExceptionRecord,
    Installation,
    TenantAppConfig,
)
from tenants.planned_changes import NEXT_CHANGE, PLANNED_CHANGES
from tenants.services import audit
from tenants.services.config_revision import Stamp, stamp_installations, take_stamp

__all__ = ["SLICE", "follow_periods", "settle", "settle_due"]

# Installations per transaction: each takes some milliseconds, and other changes to configs wait meanwhile.
SLICE: Final = 50

DUE: Final = f"""
SELECT planned.at, planned.kind, planned.id
FROM tenants_installation installation CROSS JOIN LATERAL ({PLANNED_CHANGES}) planned
WHERE installation.id = %(id)s AND planned.at > installation.settled_at AND planned.at <= %(at)s
ORDER BY planned.at, planned.kind, planned.id
"""  # noqa: S608 - constants only


LOOK_AHEAD: Final = f"UPDATE tenants_configrevisioncounter SET next_change_at = ({NEXT_CHANGE})"  # noqa: S608


class Due(NamedTuple):
    """The instant at which a period or an exception started or ended."""

    at: datetime
    kind: str
    id: int


@transaction.atomic
def settle_due() -> int:
    """Up to ``SLICE`` installations at which something was due are settled, and have a new config revision.

    Returns how many there were: fewer than ``SLICE`` means that nothing is left. Running it twice, or at the same time,
    changes nothing more. In a context that shows all tenants.
    """
    # Asked first without the lock: mostly nothing is due, and then nobody else should wait.
    if not ConfigRevisionCounter.objects.filter(next_change_at__lte=Now()).exists():
        return 0
    stamp = take_stamp()
    due = Installation.objects.filter(next_change_at__lte=stamp.at).order_by("next_change_at", "pk")
    ids = list(due.values_list("pk", flat=True)[:SLICE])
    if ids:
        settle(ids, stamp)
        stamp = stamp_installations(ids, stamp)
    if len(ids) < SLICE:
        with connection.cursor() as cursor:
            cursor.execute(LOOK_AHEAD, {"at": stamp.at})
    return len(ids)


def settle(installation_ids: Collection[int], stamp: Stamp) -> None:
    """The versions' statuses are those of the instant of ``stamp``, and what happened since is in the audit trail.

    For callers that hold the counter's lock, before they change anything and stamp the installations. One query unless
    something was due.
    """
    due = Installation.objects.filter(pk__in=installation_ids, next_change_at__lte=stamp.at).order_by("pk")
    for installation_id in due.values_list("pk", flat=True):
        _settle(installation_id, stamp)


def _settle(installation_id: int, stamp: Stamp) -> None:
    with connection.cursor() as cursor:
        cursor.execute(DUE, {"id": installation_id, "at": stamp.at})
        due = [Due(*row) for row in cursor.fetchall()]
    periods = {each.id for each in due if each.kind == "period"}
    for period in ConfigPeriod.objects.filter(pk__in=periods, starts_at__lte=stamp.at).select_related("config"):
        _set_status(period, ConfigStatus.SUPERSEDED)
    follow_periods(installation_id, stamp.at)
    _record_all(installation_id, due)


def follow_periods(installation_id: int, at: datetime) -> None:
    """Exactly the version whose period counts at the instant is ``published``. Up to three queries."""
    published = TenantAppConfig.objects.filter(installation_id=installation_id, status=ConfigStatus.PUBLISHED)
    published.update(status=ConfigStatus.SUPERSEDED)
    live = live_period_at(installation_id, at)
    if live is not None:
        _set_status(live, ConfigStatus.PUBLISHED)


def _set_status(period: ConfigPeriod, status: ConfigStatus) -> None:
    """The version of a period that has started has the status, and says since when and by whom it is published."""
    version = period.config
    version.status = status
    if version.published_at is None:
        version.published_at, version.published_by_label = period.starts_at, period.planned_by_label
    version.save(update_fields=["status", "published_at", "published_by_label"])


def _record_all(installation_id: int, due: Iterable[Due]) -> None:
    for each in due:
        if each.kind == "period":
            _record_period(each)
        else:
            _record_exception(installation_id, each)


def _record_period(due: Due) -> None:
    period = ConfigPeriod.objects.select_related("config").get(pk=due.id)
    audit.record(
        actor=SYSTEM,
        action=f"config.version.{'started' if due.at == period.starts_at else 'ended'}",
        target=period.config,
        tenant_id=period.tenant_id,
        details={"number": period.config.number, "at": due.at.isoformat(), "planned_by": period.planned_by_label},
    )


def _record_exception(installation_id: int, due: Due) -> None:
    exception = FloorExceptionRecord.objects.select_related("app", "tenant").get(pk=due.id)
    audit.record(
        actor=SYSTEM,
        action=f"floor.exception.{'started' if due.at == exception.starts_at else 'ended'}",
        target=exception,
        tenant_id=exception.tenant_id,
        details={
            "installation": installation_id,
            "at": due.at.isoformat(),
            "granted_by": exception.granted_by_label,
        },
    )
