"""Arriving events over HTTP: each call is one look, and says where the next one begins."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.base import ApiView
from studio.api.v1.live.serializers import LiveAnswer, LiveQuery, wanted_of, write_look
from studio.live_lines import shown_lines
from telemetry.selectors.live_deliveries import live_deliveries
from telemetry.services.live_looks import first_look, next_look
from tenants.actors import require
from tenants.selectors import installation_by_public_id

__all__ = ["LiveView"]


class LiveView(ApiView):
    """``/api/v1/installations/{id}/live``."""

    queries = {"GET": LiveQuery}

    @extend_schema(operation_id="watchInstallation", parameters=parameters_of(LiveQuery), responses=LiveAnswer)
    def get(self, request: Request, installation_id: UUID) -> Response:
        """What arrived since the look before, redacted, with every step that each event went; ask again each second.

        Lines are kept only while somebody looks; what was stored before the first look comes with it. Needs the
        ability `view` in the installation's tenant.
        """
        query = read_query(request, LiveQuery)
        installation = installation_by_public_id(installation_id)
        require(actor_of(request), "view", installation.tenant_id)
        wanted, now = wanted_of(query), timezone.now()
        look = (
            next_look(installation, wanted, after=query.after, since=query.since, now=now)
            if query.after
            else first_look(installation, wanted, now=now)
        )
        news = live_deliveries(installation, query.pending)
        answer = Response(write_look(look, shown_lines(installation, look.lines), news))
        answer["Cache-Control"] = "no-store"
        return answer
