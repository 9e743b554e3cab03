"""Hiding after the fact, over HTTP: counting, deciding, and how far it is."""

from uuid import UUID

from django.db import transaction
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.installations.configs import installation_for
from studio.api.v1.rescrubs.serializers import RescrubDecision, RescrubItem, RescrubPage, RescrubQuery, write_run
from studio.wakeups import wake_rescrub
from telemetry.selectors.rescrubs import rescrub_by_id, rescrub_runs
from telemetry.services.rescrubbing.runs import ABILITY, ask_for_count, cancel_run, start_run
from tenants.actors import require, require_somewhere

__all__ = ["RescrubAskView", "RescrubCancelView", "RescrubStartView", "RescrubView", "RescrubsView"]


class RescrubsView(ApiView):
    """``/api/v1/rescrubs``."""

    queries = {"GET": RescrubQuery}

    @extend_schema(operation_id="listRescrubs", parameters=parameters_of(RescrubQuery), responses=RescrubPage)
    def get(self, request: Request) -> Response:
        """Runs that count and hide what was stored openly, in the tenants in which the caller has a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, RescrubQuery)
        return Response(page_of(rescrub_runs(), query, write_run))


class RescrubAskView(ApiView):
    """``/api/v1/installations/{id}/rescrub``."""

    @extend_schema(operation_id="countOpenValues", request=RescrubDecision, responses={201: RescrubItem})
    def post(self, request: Request, installation_id: UUID) -> Response:
        """A job counts what the installation's config hides by now and the store, archives and quarantine still show.

        Nothing is changed. Needs the ability `rescrub.manage`. 409 `conflict` while another run of the installation is
        open, and when no spec is published for it.
        """
        installation = installation_for(request, ABILITY, installation_id)
        decode_body(request, RescrubDecision)
        run = ask_for_count(actor=actor_of(request), installation=installation)
        transaction.on_commit(wake_rescrub)
        return Response(write_run(run), status=201)


class RescrubView(ApiView):
    """``/api/v1/rescrubs/{id}``."""

    @extend_schema(operation_id="getRescrub", responses=RescrubItem)
    def get(self, request: Request, rescrub_id: UUID) -> Response:
        """The run, with its counts by place and event. Needs the ability `view` in its tenant."""
        run = rescrub_by_id(rescrub_id)
        require(actor_of(request), "view", run.tenant_id)
        return Response(write_run(run))


class RescrubStartView(ApiView):
    """``/api/v1/rescrubs/{id}/start``."""

    @extend_schema(operation_id="startRescrub", request=RescrubDecision, responses=RescrubItem)
    def post(self, request: Request, rescrub_id: UUID) -> Response:
        """What was counted, and what came since, is hidden for good by a job, which leaves a receipt.

        Needs the ability `rescrub.manage`. 409 `conflict` unless the run is `ready`.
        """
        run = rescrub_by_id(rescrub_id)
        require(actor_of(request), ABILITY, run.tenant_id)
        decode_body(request, RescrubDecision)
        started = start_run(actor=actor_of(request), run=run)
        transaction.on_commit(wake_rescrub)
        return Response(write_run(started))


class RescrubCancelView(ApiView):
    """``/api/v1/rescrubs/{id}/cancel``."""

    @extend_schema(operation_id="cancelRescrub", request=RescrubDecision, responses=RescrubItem)
    def post(self, request: Request, rescrub_id: UUID) -> Response:
        """The run is called off; nothing was changed.

        Needs the ability `rescrub.manage`. 409 `conflict` once it was started.
        """
        run = rescrub_by_id(rescrub_id)
        require(actor_of(request), ABILITY, run.tenant_id)
        decode_body(request, RescrubDecision)
        return Response(write_run(cancel_run(actor=actor_of(request), run=run)))
