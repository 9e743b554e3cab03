"""Drafts from traffic over HTTP."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.traffic_drafts.serializers import InferredSpec, InferredSpecQuery, write_draft
from telemetry.services.traffic_drafts import infer_from_traffic
from tenants.actors import require
from tenants.selectors import installation_by_public_id

__all__ = ["InferredSpecView"]


class InferredSpecView(ApiView):
    """``/api/v1/installations/{id}/inferred-spec``."""

    queries = {"GET": InferredSpecQuery}

    @extend_schema(operation_id="inferSpec", parameters=parameters_of(InferredSpecQuery), responses=InferredSpec)
    def get(self, request: Request, installation_id: UUID) -> Response:
        """A draft of a spec from what came lately: types, required properties, listed values, what looks personal.

        Nothing is saved. It is made of stored events, which are redacted, and of names and types of what was refused
        or left out; `uncertainties` says where it is a guess. Needs the ability `view` in the installation's tenant.
        """
        query = read_query(request, InferredSpecQuery)
        installation = installation_by_public_id(installation_id)
        require(actor_of(request), "view", installation.tenant_id)
        draft = infer_from_traffic(
            installation,
            name=query.name,
            now=timezone.now(),
            days=query.days,
            sample=query.sample,
            event=query.event,
        )
        return Response(write_draft(draft))
