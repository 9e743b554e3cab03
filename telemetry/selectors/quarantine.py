"""Reading what is held, in the context's tenants, as groups of events that were refused for the same reason."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple
from uuid import UUID

import msgspec
from django.db.models import Count, Max, Min, Q, QuerySet
from django.utils import timezone

from telemetry.core.errors import NotFound
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.models import HeldEvent
from tenants.models import Installation

__all__ = ["HeldFilter", "HeldGroup", "HeldRow", "group_by_id", "held_events", "held_groups", "held_row"]

_KIND = ("installation_id", "event_name", "reason")


class HeldFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which groups are looked for; what is empty does not narrow them down. ``text`` is part of event or reason."""

    text: str = ""
    installation: UUID | None = None


class HeldGroup(NamedTuple):
    """Events of one installation that were refused for one reason; ``row_id`` is one of them."""

    row_id: int
    installation: Installation
    event_name: str
    reason: str


class HeldRow(msgspec.Struct, frozen=True, kw_only=True):
    """A group as a row of the list; ``expires_at`` is when the first of its events goes.

    ``tenant`` and ``app`` are their slugs.
    """

    id: int
    tenant: str
    tenant_name: str
    app: str
    app_name: str
    environment: str
    installation: UUID
    event_name: str
    reason: str
    events: int
    first_at: datetime
    last_at: datetime
    expires_at: datetime


def held_groups(wanted: HeldFilter) -> QuerySet[Any, dict[str, Any]]:
    """The groups that are looked for, for ``held_row``; what came last first."""
    found = _unexpired()
    if UNUSABLE_CHARACTER.search(wanted.text):
        found = found.none()
    if wanted.text:
        found = found.filter(Q(event_name__icontains=wanted.text) | Q(reason__icontains=wanted.text))
    if wanted.installation is not None:
        found = found.filter(installation__public_id=wanted.installation)
    tenant = ("installation__tenant__slug", "installation__tenant__name")
    app = ("installation__app__slug", "installation__app__name")
    place = ("installation__public_id", "installation__environment")
    grouped = found.order_by().values(*_KIND, *tenant, *app, *place)
    rows: QuerySet[Any, dict[str, Any]] = grouped.annotate(
        one_of_them=Min("id"),
        events=Count("id"),
        first_at=Min("received_at"),
        last_at=Max("received_at"),
        goes_at=Min("expires_at"),
    ).order_by("-last_at", *_KIND)
    return rows


def held_row(values: Mapping[str, Any]) -> HeldRow:
    """A row of ``held_groups``."""
    return HeldRow(
        id=values["one_of_them"],
        tenant=values["installation__tenant__slug"],
        tenant_name=values["installation__tenant__name"],
        app=values["installation__app__slug"],
        app_name=values["installation__app__name"],
        environment=values["installation__environment"],
        installation=values["installation__public_id"],
        event_name=values["event_name"],
        reason=values["reason"],
        events=values["events"],
        first_at=values["first_at"],
        last_at=values["last_at"],
        expires_at=values["goes_at"],
    )


def group_by_id(row_id: int) -> HeldGroup:
    """The group of this event, with installation, tenant and app; ``NotFound``, also when it is another tenant's."""
    rows = _unexpired().select_related("installation__tenant", "installation__app").defer("sealed")
    row = rows.filter(pk=row_id).order_by().first()
    if row is None:
        raise NotFound("there is no such held event any more")
    return HeldGroup(row.pk, row.installation, row.event_name, row.reason)


def held_events(group: HeldGroup) -> QuerySet[HeldEvent]:
    """The group's events, the oldest first."""
    found = _unexpired().filter(installation_id=group.installation.pk, event_name=group.event_name, reason=group.reason)
    return found.order_by("received_at", "id")


def _unexpired() -> QuerySet[HeldEvent]:
    return HeldEvent.objects.filter(expires_at__gt=timezone.now())
