"""Reading violations: groups in the context's tenants, and how many came by day."""

from collections.abc import Iterable, Mapping
from datetime import date, datetime, timedelta
from typing import Final, Literal
from uuid import UUID

import msgspec
from django.db.models import Q, QuerySet

from telemetry.core.errors import NotFound
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.models import ViolationDay, ViolationRecord, ViolationState
from tenants.models import Installation

__all__ = [
    "ORDERS",
    "ViolationFilter",
    "ViolationOrder",
    "counts_by_day",
    "installations_with_violations",
    "siblings_of",
    "violation_by_id",
    "violations",
    "violations_since",
]

ViolationOrder = Literal["last_seen", "count", "first_seen"]
ORDERS: Final[Mapping[ViolationOrder, tuple[str, ...]]] = {
    "last_seen": ("-last_seen_at", "-id"),
    "count": ("-count", "-last_seen_at", "-id"),
    "first_seen": ("-first_seen_at", "-id"),
}
# What still asks for somebody.
WAITING: Final = (ViolationState.OPEN, ViolationState.ACKNOWLEDGED)


class ViolationFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which violations are looked for; what is empty does not narrow them down.

    ``text`` is part of the event's name or of the place; ``seen_since`` an instant: those that came after it.
    ``states`` empty means those that still ask for somebody.
    """

    text: str = ""
    installation: UUID | None = None
    event: str = ""
    code: str = ""
    app_version: str = ""
    states: tuple[ViolationState, ...] = ()
    seen_since: datetime | None = None


def violations(wanted: ViolationFilter, order: ViolationOrder = "last_seen") -> QuerySet[ViolationRecord]:
    """The groups of the tenants in the context that are looked for, with installation, tenant and app."""
    if any(UNUSABLE_CHARACTER.search(text) for text in (wanted.text, wanted.event, wanted.code, wanted.app_version)):
        return ViolationRecord.objects.none()
    found = ViolationRecord.objects.filter(state__in=wanted.states or WAITING)
    if wanted.text:
        found = found.filter(Q(event_name__icontains=wanted.text) | Q(path__icontains=wanted.text))
    if wanted.installation is not None:
        found = found.filter(installation__public_id=wanted.installation)
    exact = {"event_name": wanted.event, "code": wanted.code, "app_version": wanted.app_version}
    found = found.filter(**{column: value for column, value in exact.items() if value})
    if wanted.seen_since is not None:
        found = found.filter(last_seen_at__gte=wanted.seen_since)
    return found.select_related("installation__tenant", "installation__app").order_by(*ORDERS[order])


def violations_since(
    installation: Installation, start: datetime, *, codes: Iterable[str], event: str = "", limit: int
) -> list[ViolationRecord]:
    """The groups of these kinds that were seen at the installation since then, the most frequent first; one query."""
    rows = ViolationRecord.objects.filter(installation=installation, last_seen_at__gte=start, code__in=list(codes))
    if event:
        rows = rows.filter(event_name=event)
    return list(rows.order_by("-count", "id")[:limit])


def violation_by_id(violation_id: int) -> ViolationRecord:
    """The group, with installation, tenant and app; ``NotFound``, also when it is another tenant's."""
    rows = ViolationRecord.objects.select_related("installation__tenant", "installation__app")
    found = rows.filter(pk=violation_id).order_by().first()
    if found is None:
        raise NotFound("there is no such violation")
    return found


def siblings_of(violation: ViolationRecord, *, limit: int = 50) -> list[ViolationRecord]:
    """The groups of the same mistake at the same installation, one per version of the app, what came last first."""
    rows = ViolationRecord.objects.filter(
        installation_id=violation.installation_id,
        event_name=violation.event_name,
        path=violation.path,
        code=violation.code,
    )
    return list(rows.order_by("-last_seen_at", "-id")[:limit])


def counts_by_day(violation_ids: Iterable[int], *, until: date, days: int) -> dict[int, list[int]]:
    """Per group, how many came on each of the ``days`` up to and including ``until``, oldest first; one query."""
    first = until - timedelta(days=days - 1)
    counts: dict[int, list[int]] = {violation_id: [0] * days for violation_id in violation_ids}
    rows = ViolationDay.objects.filter(violation_id__in=counts, day__range=(first, until)).order_by()
    for violation_id, day, count in rows.values_list("violation_id", "day", "count"):
        counts[violation_id][(day - first).days] = count
    return counts


def installations_with_violations(*, limit: int) -> list[Installation]:
    """The first ``limit`` installations, by tenant and app, that have any violation; one query."""
    some = ViolationRecord.objects.order_by().values("installation_id")
    rows = Installation.objects.filter(pk__in=some).select_related("tenant", "app")
    return list(rows.order_by("tenant__slug", "app__slug", "environment")[:limit])
