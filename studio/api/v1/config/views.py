"""The config that apps fetch."""

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from studio.api.auth import KeyAuthentication, actor_of, installation_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.config.answers import (
    CONFIG_RESPONSES,
    OWN,
    SHARED,
    config_answer,
    preview_answer,
    require_config,
)
from studio.api.v1.config.serializers import AppConfigQuery, ExplainedAppConfig
from tenants.actors import require

__all__ = ["ConfigView"]


class ConfigView(ApiView):
    """``/api/v1/config``, for the key of an installation."""

    authentication_classes = [KeyAuthentication]
    queries = {"GET": AppConfigQuery}

    @extend_schema(
        operation_id="getConfig",
        parameters=parameters_of(AppConfigQuery),
        responses={200: ExplainedAppConfig, **CONFIG_RESPONSES},
    )
    def get(self, request: Request) -> HttpResponse:
        """The effective config of the key's installation. Needs the scope `config:read`.

        With the scope `config:secret` the tenant's pseudonym key is in it too. Send the ETag back in `If-None-Match`:
        304 means that nothing has changed.
        """
        query = read_query(request, AppConfigQuery)
        actor, installation = actor_of(request), installation_of(request)
        if query.preview is not None:
            require(actor, "config.read_preview", installation.tenant_id)
            return preview_answer(installation, query.preview)
        with_secret = require_config(actor, installation)
        headers = OWN if query.explain or with_secret else SHARED
        return config_answer(request, installation, explain=query.explain, with_secret=with_secret, headers=headers)
