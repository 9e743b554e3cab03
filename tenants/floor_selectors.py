"""Reading privacy floors and what is excepted from them; row-level security holds besides."""

from django.db.models import Q, QuerySet
from django.db.models.functions import Now

from telemetry.core.errors import NotFound
from tenants.models import App, FloorExceptionRecord, FloorRecord, Installation

__all__ = [
    "exceptions_in_state",
    "exceptions_of",
    "floor_exception",
    "floor_exceptions",
    "floor_record",
    "floors_of",
]


def floor_exceptions() -> QuerySet[FloorExceptionRecord]:
    """The exceptions of the tenants in the context, with all that they name, those that end last first."""
    rows = FloorExceptionRecord.objects.select_related("tenant", "app", "installation__tenant", "installation__app")
    return rows.order_by("-ends_at", "-pk")


def exceptions_of(installation: Installation) -> QuerySet[FloorExceptionRecord]:
    """The exceptions that hold or held at the installation, also those that were revoked; as ``floor_exceptions``."""
    here = Q(installation=None) | Q(installation=installation)
    return floor_exceptions().filter(here, tenant_id=installation.tenant_id, app_id=installation.app_id)


def exceptions_in_state(state: str) -> QuerySet[FloorExceptionRecord]:
    """Those that are ``planned``, ``live``, ``ended`` or ``revoked`` now; as ``floor_exceptions``."""
    if state == "revoked":
        return floor_exceptions().exclude(revoked_at=None)
    among = {
        "planned": Q(starts_at__gt=Now()),
        "live": Q(starts_at__lte=Now(), ends_at__gt=Now()),
        "ended": Q(ends_at__lte=Now()),
    }
    return floor_exceptions().filter(among[state], revoked_at=None)


def floor_exception(exception_id: int) -> FloorExceptionRecord:
    """The exception, with all that it names; ``NotFound``, also when it is another tenant's."""
    found = floor_exceptions().filter(pk=exception_id).order_by().first()
    if found is None:
        raise NotFound("there is no such exception")
    return found


def floor_record(app: App | None) -> FloorRecord | None:
    """The app's own floor, or the organisation's for ``None``, if it was ever saved; one query."""
    return FloorRecord.objects.filter(app=app).order_by().first()


def floors_of(app: App) -> tuple[FloorRecord | None, FloorRecord | None]:
    """The organisation's floor and the app's own, either may be ``None``; one query."""
    records = {record.app_id: record for record in FloorRecord.objects.filter(Q(app=app) | Q(app=None)).order_by()}
    return records.get(None), records.get(app.pk)
