"""Retention over HTTP: overviews, previews and runs."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.parsers import decode_body
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.examples import PURGE_APPROVAL, RETENTION_PREVIEW
from studio.api.v1.installations.configs import installation_for
from studio.api.v1.retention.serializers import (
    Approval,
    PreviewAnswer,
    PreviewRequest,
    RetentionAnswer,
    RunDetail,
    RunPage,
    RunQuery,
    write_overview,
    write_preview,
    write_run,
    write_run_detail,
)
from studio.wakeups import wake_purge
from telemetry.mappers import spec_from_records
from telemetry.selectors.retention import items_of, purge_run_by_id, purge_runs
from telemetry.selectors.specs import spec_by_name
from telemetry.services.purging.approving import approve_run
from telemetry.services.purging.previewing import preview_next_run, preview_override, preview_spec
from telemetry.services.retention_overview import overview_of
from tenants.actors import require, require_somewhere
from tenants.models import Installation
from tenants.selectors import installations_in_context

__all__ = [
    "NextRunView",
    "PurgeApprovalView",
    "RetentionPreviewView",
    "RetentionView",
    "RunView",
    "RunsView",
    "SpecPreviewView",
]

MOST_EVENTS = 1_000


class RetentionView(ApiView):
    """``/api/v1/installations/{id}/retention``."""

    @extend_schema(operation_id="getRetention", responses=RetentionAnswer)
    def get(self, request: Request, installation_id: UUID) -> Response:
        """What the installation keeps how long, and what is stored. Needs the ability `view` in its tenant."""
        installation = installation_for(request, "view", installation_id)
        return Response(write_overview(overview_of(installation, now=timezone.now())))


class RetentionPreviewView(ApiView):
    """``/api/v1/installations/{id}/retention/preview``."""

    @extend_schema(
        operation_id="previewRetention",
        request=PreviewRequest,
        responses=PreviewAnswer,
        examples=[RETENTION_PREVIEW],
    )
    def post(self, request: Request, installation_id: UUID) -> Response:
        """Exactly what a run would remove at the installation, now or if the override were published; nothing changes.

        Needs the ability `view` in its tenant. 409 `conflict` while no spec is published that it is bound to.
        """
        installation = installation_for(request, "view", installation_id)
        override, now = decode_body(request, PreviewRequest).override, timezone.now()
        if override is None:
            preview = preview_next_run([installation], now=now)
        else:
            preview = preview_override(installation, override, now=now)
        return Response(write_preview(preview, _places([installation])))


class SpecPreviewView(ApiView):
    """``/api/v1/specs/{name}/retention-preview``."""

    @extend_schema(operation_id="previewSpecRetention", responses=PreviewAnswer)
    def get(self, request: Request, name: str) -> Response:
        """Exactly what a run would remove if the draft were published now. Needs `view` in the workspace."""
        require(actor_of(request), "view")
        spec, installations = spec_from_records(spec_by_name(name)), list(installations_in_context())
        preview = preview_spec(installations, spec, now=timezone.now())
        return Response(write_preview(preview, _places(installations)))


class NextRunView(ApiView):
    """``/api/v1/purge-runs/next``."""

    @extend_schema(operation_id="previewNextRun", responses=PreviewAnswer)
    def get(self, request: Request) -> Response:
        """Exactly what the next run will remove, in the tenants in which the caller has a role; nothing changes."""
        require_somewhere(actor_of(request), "view")
        installations = list(installations_in_context())
        return Response(write_preview(preview_next_run(installations, now=timezone.now()), _places(installations)))


class RunsView(ApiView):
    """``/api/v1/purge-runs``."""

    queries = {"GET": RunQuery}

    @extend_schema(operation_id="listPurgeRuns", parameters=parameters_of(RunQuery), responses=RunPage)
    def get(self, request: Request) -> Response:
        """Runs of retention in the tenants in which the caller has a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, RunQuery)
        return Response(page_of(purge_runs(tenant=query.tenant, state=query.state or ""), query, write_run))


class RunView(ApiView):
    """``/api/v1/purge-runs/{id}``."""

    @extend_schema(operation_id="getPurgeRun", responses=RunDetail)
    def get(self, request: Request, run_id: int) -> Response:
        """One run, by event. Needs the ability `view` in its tenant."""
        run = purge_run_by_id(run_id)
        require(actor_of(request), "view", run.tenant_id)
        return Response(write_run_detail(run, list(items_of(run)[:MOST_EVENTS])))


class PurgeApprovalView(ApiView):
    """``/api/v1/purge-runs/{id}/approve``."""

    @extend_schema(operation_id="approvePurgeRun", request=Approval, responses=RunDetail, examples=[PURGE_APPROVAL])
    def post(self, request: Request, run_id: int) -> Response:
        """A run that waits goes on. Needs the ability `purge.approve` in its tenant.

        409 `stale_revision` if it would not remove as many events as `expectedRows` says, `conflict` if it does not
        wait any more.
        """
        actor, run = actor_of(request), purge_run_by_id(run_id)
        require(actor, "purge.approve", run.tenant_id)
        approve_run(actor=actor, run=run, expected_rows=decode_body(request, Approval).expected_rows)
        transaction.on_commit(wake_purge)
        return Response(write_run_detail(purge_run_by_id(run_id), list(items_of(run)[:MOST_EVENTS])))


def _places(installations: Iterable[Installation]) -> dict[int, tuple[UUID, str]]:
    return {each.pk: (each.public_id, each.tenant.slug) for each in installations}
