"""The config that apps fetch."""

from django.http import HttpResponse
from rest_framework.request import Request

from studio.api.auth import KeyAuthentication, actor_of, installation_of
from studio.api.queries import read_query
from studio.api.v1.base import ApiView
from studio.api.v1.config.answers import config_answer
from studio.api.v1.config.serializers import ConfigQuery
from tenants.actors import require

__all__ = ["ConfigView"]


class ConfigView(ApiView):
    """``/api/v1/config``, for the key of an installation."""

    authentication_classes = [KeyAuthentication]
    queries = {"GET": ConfigQuery}

    def get(self, request: Request) -> HttpResponse:
        """200 or 304 with the effective config; a key with ``config:secret`` gets the pseudonym key in it too."""
        query = read_query(request, ConfigQuery)
        actor, installation = actor_of(request), installation_of(request)
        require(actor, "config.read", installation.tenant_id)
        with_secret = actor.can("config.read_secret", installation.tenant_id)
        return config_answer(request, installation, explain=query.explain, with_secret=with_secret)
