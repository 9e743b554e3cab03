"""The quarantine over HTTP."""

from functools import partial

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import MENDING
from studio.api.v1.quarantine.serializers import (
    DiscardedEvents,
    Discarding,
    HeldGroupPage,
    HeldGroupQuery,
    RehearsalAnswer,
    ReplayAnswer,
    filter_of,
    write_group,
    write_rehearsal,
    write_replay,
)
from studio.arrivals import events_arrived
from telemetry.core.mending import Mending
from telemetry.selectors.quarantine import group_by_id, held_groups, held_row
from telemetry.services.quarantine.replaying import discard, rehearse, replay
from tenants.actors import require, require_somewhere

__all__ = ["DiscardView", "HeldGroupsView", "RehearsalView", "ReplayView"]


class HeldGroupsView(ApiView):
    """``/api/v1/quarantine``."""

    queries = {"GET": HeldGroupQuery}

    @extend_schema(operation_id="listHeldGroups", parameters=parameters_of(HeldGroupQuery), responses=HeldGroupPage)
    def get(self, request: Request) -> Response:
        """Refused events that are held, by what was wrong, in the tenants in which the caller has a role.

        Nothing of what was sent is in the answer.
        """
        require_somewhere(actor_of(request), "view")
        query = read_query(request, HeldGroupQuery)
        groups = held_groups(filter_of(query))
        start = (query.page - 1) * query.page_size
        items = tuple(write_group(held_row(values)) for values in groups[start : start + query.page_size])
        page = HeldGroupPage(page=query.page, page_size=query.page_size, total=groups.count(), items=items)
        return Response(page)


class RehearsalView(ApiView):
    """``/api/v1/quarantine/{id}/rehearse``."""

    @extend_schema(operation_id="rehearseReplay", request=Mending, responses=RehearsalAnswer, examples=[MENDING])
    def post(self, request: Request, group_id: int) -> Response:
        """What would become of the group's events if they were mended so and taken in now; nothing changes.

        Needs the ability `quarantine.handle`.
        """
        actor, group = actor_of(request), group_by_id(group_id)
        require(actor, "quarantine.handle", group.installation.tenant_id)
        mending = decode_body(request, Mending)
        return Response(write_rehearsal(rehearse(actor=actor, group=group, mending=mending)))


class ReplayView(ApiView):
    """``/api/v1/quarantine/{id}/replay``."""

    @extend_schema(operation_id="replayHeldEvents", request=Mending, responses=ReplayAnswer, examples=[MENDING])
    def post(self, request: Request, group_id: int) -> Response:
        """The group's events, at most 1,000, are mended so and taken in as if they came now, once.

        They count as received again. Those that would still be refused stay held. Needs the ability
        `quarantine.handle`. 400 if the mending would show what the event's contract hides, 404 once the event that
        `id` names is gone, 409 `conflict` if none of the events can be opened.
        """
        actor, group = actor_of(request), group_by_id(group_id)
        require(actor, "quarantine.handle", group.installation.tenant_id)
        mending = decode_body(request, Mending)
        done = replay(actor=actor, group=group, mending=mending)
        transaction.on_commit(partial(events_arrived, "quarantine", done.outcomes, done.provider_ids))
        return Response(write_replay(done))


class DiscardView(ApiView):
    """``/api/v1/quarantine/{id}/discard``."""

    @extend_schema(operation_id="discardHeldEvents", request=Discarding, responses=DiscardedEvents)
    def post(self, request: Request, group_id: int) -> Response:
        """The group's events are gone for good; that they were received and refused stays counted.

        Needs the ability `quarantine.handle`.
        """
        actor, group = actor_of(request), group_by_id(group_id)
        require(actor, "quarantine.handle", group.installation.tenant_id)
        decode_body(request, Discarding)
        return Response(DiscardedEvents(discarded=discard(actor=actor, group=group)))
