"""Reading erasure requests and access exports, in the tenants in which somebody may handle them."""

from collections.abc import Collection, Sequence
from datetime import date
from typing import Any, NamedTuple
from uuid import UUID

from django.db.models import Q, QuerySet

from telemetry.core.errors import FieldError, InvalidDocument, NotFound
from telemetry.models import AccessExport, ErasureForward, ErasureRequest, ErasureState
from tenants.actors import Actor
from tenants.context import ALL
from tenants.models import Installation, Tenant

__all__ = [
    "PlaceRow",
    "access_export",
    "access_exports",
    "count_overdue",
    "erasure_request",
    "erasure_requests",
    "forwards_of",
    "is_overdue",
    "place_rows",
    "tenants_to_search",
]

# Nobody waits for these any more.
_OVER = (ErasureState.DONE, ErasureState.CANCELLED)


class PlaceRow(NamedTuple):
    """How many rows there are in a place; ``installation`` and ``event`` are ``None`` and empty where it has none."""

    place: str
    installation: Installation | None
    event: str
    rows: int


def erasure_requests(actor: Actor) -> QuerySet[ErasureRequest]:
    """The requests of the tenants in which the actor may handle them, with tenant and receipt, the newest first."""
    rows = ErasureRequest.objects.filter(_where(actor, "erasure.handle")).select_related("tenant", "receipt")
    return rows.order_by("-id")


def erasure_request(actor: Actor, public_id: UUID) -> ErasureRequest:
    """The request with its tenant and receipt; ``NotFound``, also where the actor may not handle it."""
    found = erasure_requests(actor).filter(public_id=public_id).first()
    if found is None:
        raise NotFound("there is no such erasure request")
    return found


def access_exports(actor: Actor) -> QuerySet[AccessExport]:
    """The exports of the tenants in which the actor may handle them, with their tenant, the newest first."""
    return AccessExport.objects.filter(_where(actor, "access.handle")).select_related("tenant").order_by("-id")


def access_export(actor: Actor, public_id: UUID) -> AccessExport:
    """The export with its tenant; ``NotFound``, also where the actor may not handle it."""
    found = access_exports(actor).filter(public_id=public_id).first()
    if found is None:
        raise NotFound("there is no such access export")
    return found


def count_overdue(actor: Actor, today: date) -> int:
    """How many requests have waited for longer than a month; one query."""
    return erasure_requests(actor).exclude(state__in=_OVER).filter(due_on__lt=today).order_by().count()


def is_overdue(request: ErasureRequest, today: date) -> bool:
    """Whether the month is over and the request is not."""
    return request.state not in _OVER and request.due_on < today


def forwards_of(requests: Collection[int]) -> dict[int, list[ErasureForward]]:
    """What was passed on to providers, by request; one query."""
    found: dict[int, list[ErasureForward]] = {request_id: [] for request_id in requests}
    for row in ErasureForward.objects.filter(request__in=requests).order_by("pk"):
        found[row.request_id].append(row)
    return found


def place_rows(*counts: Sequence[Sequence[Any]]) -> list[list[PlaceRow]]:
    """Counts as ``ErasureRequest`` keeps them, each with its installations, which come with app and tenant; one query.

    None if there are no counts.
    """
    ids = {installation for rows in counts for _, installation, _, _ in rows if installation}
    found = Installation.objects.select_related("app", "tenant").in_bulk(ids) if ids else {}
    return [
        [PlaceRow(place, found.get(installation), event, count) for place, installation, event, count in rows]
        for rows in counts
    ]


def tenants_to_search(actor: Actor, ability: str, slugs: Sequence[str] = ()) -> list[Tenant]:
    """The named tenants, or all in which the actor has the ability; ``InvalidDocument`` for names beyond those.

    A tenant that the actor may not know reads like one that does not exist. One query.
    """
    tenants = Tenant.objects.filter(_where(actor, ability, "pk")).order_by("slug")
    found = {tenant.slug: tenant for tenant in tenants}
    errors = [
        FieldError("unknown_tenant", f"tenants[{place}]", "there is no such tenant")
        for place, slug in enumerate(slugs)
        if slug not in found
    ]
    if not found and not errors:
        errors.append(FieldError("empty", "tenants", "there is no tenant to look in"))
    if errors:
        raise InvalidDocument(errors, what="request")
    return [found[slug] for slug in dict.fromkeys(slugs)] if slugs else list(found.values())


def _where(actor: Actor, ability: str, column: str = "tenant_id") -> Q:
    if actor.tenant_ids == ALL and actor.can(ability):
        return Q()
    return Q((f"{column}__in", [place for place in actor.grants if place and actor.can(ability, place)]))
