"""Reading what held at an instant: documents by their spans. Each takes what it is about first, then the instant."""

from collections.abc import Collection
from datetime import datetime

from django.db.models import Q

from tenants.models import BlueprintVersion, ConfigPeriod, FloorExceptionRecord, FloorVersion

__all__ = ["blueprint_at", "exceptions_by_number", "floors_at", "live_period_at"]


def live_period_at(installation_id: int, at: datetime) -> ConfigPeriod | None:
    """The period that counted at the instant, with its version; ``None`` while the app's defaults held. One query."""
    holding = Q(ends_at=None) | Q(ends_at__gt=at)
    periods = ConfigPeriod.objects.filter(holding, installation_id=installation_id, starts_at__lte=at)
    return periods.select_related("config").order_by("-starts_at", "-id").first()


def blueprint_at(app_id: int, at: datetime) -> BlueprintVersion | None:
    """The version of the app's blueprint that held at the instant; ``None`` before the app was there. One query."""
    return BlueprintVersion.objects.filter(app_id=app_id, saved_at__lte=at).order_by("-saved_at", "-number").first()


def floors_at(app_id: int, at: datetime) -> tuple[FloorVersion, ...]:
    """The versions of the organisation's floor and of the app's own that held at the instant, in this order.

    Those that were not there yet are left out. One query.
    """
    versions = FloorVersion.objects.filter(Q(floor__app=None) | Q(floor__app_id=app_id), saved_at__lte=at)
    newest = versions.order_by("floor_id", "-saved_at", "-number").distinct("floor_id").select_related("floor__app")
    return tuple(sorted(newest, key=lambda version: version.floor.app_id is not None))


def exceptions_by_number(numbers: Collection[int]) -> dict[int, FloorExceptionRecord]:
    """The exceptions with these numbers, as far as the context shows them. One query, none without numbers."""
    return FloorExceptionRecord.objects.in_bulk(list(numbers)) if numbers else {}
