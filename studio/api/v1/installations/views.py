"""Installations as a list, and one by one."""

from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.pages import page_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.config.answers import CONFIG_RESPONSES, config_answer, past_answer, preview_answer
from studio.api.v1.config.serializers import ExplainedAppConfig, PersonConfigQuery
from studio.api.v1.installations.serializers import (
    InstallationItem,
    InstallationPage,
    InstallationQuery,
    write_installation,
)
from tenants.actors import require, require_somewhere
from tenants.models import Installation
from tenants.selectors import installation_by_public_id, installations_in_context

__all__ = ["EffectiveConfigView", "InstallationView", "InstallationsView", "found_installations"]


class InstallationsView(ApiView):
    """``/api/v1/installations``."""

    queries = {"GET": InstallationQuery}

    @extend_schema(
        operation_id="listInstallations", parameters=parameters_of(InstallationQuery), responses=InstallationPage
    )
    def get(self, request: Request) -> Response:
        """The installations of the tenants in which the caller has a role."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, InstallationQuery)
        return Response(page_of(found_installations(query), query, write_installation))


class InstallationView(ApiView):
    """``/api/v1/installations/{id}``."""

    @extend_schema(operation_id="getInstallation", responses=InstallationItem)
    def get(self, request: Request, installation_id: UUID) -> Response:
        """One installation. Needs the ability `view` in its tenant."""
        installation = installation_by_public_id(installation_id)
        require(actor_of(request), "view", installation.tenant_id)
        return Response(write_installation(installation))


class EffectiveConfigView(ApiView):
    """``/api/v1/installations/{id}/effective-config``."""

    queries = {"GET": PersonConfigQuery}

    @extend_schema(
        operation_id="getEffectiveConfig",
        parameters=parameters_of(PersonConfigQuery),
        responses={200: ExplainedAppConfig, **CONFIG_RESPONSES},
    )
    def get(self, request: Request, installation_id: UUID) -> HttpResponse:
        """What the installation's apps fetch from `/api/v1/config`, for people. Needs the ability `view`.

        `at` answers for any instant: what was in force then, and with `explain` who had said so.
        """
        query = read_query(request, PersonConfigQuery)
        installation = installation_by_public_id(installation_id)
        require(actor_of(request), "view", installation.tenant_id)
        if query.preview is not None:
            return preview_answer(installation, query.preview)
        if query.at is not None or query.event:
            return past_answer(installation, query)
        return config_answer(request, installation, explain=query.explain)


def found_installations(query: InstallationQuery) -> QuerySet[Installation]:
    """The installations of the context's tenants that are asked for, by tenant, app and environment."""
    wanted = {"tenant__slug": query.tenant, "app__slug": query.app, "environment": query.environment}
    return installations_in_context().filter(**{column: value for column, value in wanted.items() if value is not None})
