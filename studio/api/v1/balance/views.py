"""The balance over HTTP."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.queries import read_query
from studio.api.schema import parameters_of
from studio.api.v1.balance.serializers import BalanceAnswer, BalanceQuery, span_of, write_balance
from studio.api.v1.base import ApiView
from telemetry.services.balance import draw_up_balance
from tenants.actors import require
from tenants.selectors import installation_by_public_id

__all__ = ["BalanceView"]


class BalanceView(ApiView):
    """``/api/v1/installations/{id}/balance``."""

    queries = {"GET": BalanceQuery}

    @extend_schema(operation_id="getBalance", parameters=parameters_of(BalanceQuery), responses=BalanceAnswer)
    def get(self, request: Request, installation_id: UUID) -> Response:
        """What became of every event that the installation received. Needs the ability `view` in its tenant.

        `received` is exactly the sum of its five outcomes, and `stored` that of `live` and `gone`.
        """
        query = read_query(request, BalanceQuery)
        installation = installation_by_public_id(installation_id)
        require(actor_of(request), "view", installation.tenant_id)
        start, end = span_of(query, timezone.now())
        return Response(write_balance(draw_up_balance(installation, start, end, name=query.event)))
