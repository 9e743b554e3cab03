"""Providers over HTTP."""

from functools import partial
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
from studio.api.shapes import PageQuery
from studio.api.v1.base import ApiView
from studio.api.v1.providers.serializers import (
    DeliveryPage,
    DeliveryQuery,
    NewProvider,
    ProviderItem,
    ProviderPage,
    Resend,
    Resent,
    write_delivery,
    write_provider,
)
from studio.wakeups import wake_providers
from telemetry.models import DeliveryState, ProviderKind
from telemetry.selectors.providers import deliveries, provider_by_id, providers
from telemetry.services.providers import connect_provider, resend_dead_letters
from tenants.actors import require, require_somewhere
from tenants.selectors import installation_by_public_id

__all__ = ["DeliveriesView", "ProviderView", "ProvidersView", "ResendView"]


class ProvidersView(ApiView):
    """``/api/v1/providers``."""

    queries = {"GET": PageQuery}

    @extend_schema(operation_id="listProviders", parameters=parameters_of(PageQuery), responses=ProviderPage)
    def get(self, request: Request) -> Response:
        """The providers of the tenants in which the caller has a role. No credential is shown."""
        require_somewhere(actor_of(request), "view")
        return Response(page_of(providers(), read_query(request, PageQuery), write_provider))

    @extend_schema(operation_id="connectProvider", request=NewProvider, responses={201: ProviderItem})
    def post(self, request: Request) -> Response:
        """The installation's events go there from now on.

        Needs the ability `provider.manage`, and a login: where events go would outlive a stolen key. 400 for an address
        that leads into an internal network; 409 if the name is taken.
        """
        require_somewhere(actor_of(request), "provider.manage")
        body = decode_body(request, NewProvider)
        provider = connect_provider(
            actor=actor_of(request),
            installation=installation_by_public_id(body.installation),
            name=body.name,
            kind=ProviderKind(body.kind),
            settings=body.settings,
            credential=body.credential,
            highest_level=body.highest_level,
        )
        return Response(write_provider(provider), status=201)


class ProviderView(ApiView):
    """``/api/v1/providers/{id}``."""

    @extend_schema(operation_id="getProvider", responses=ProviderItem)
    def get(self, request: Request, provider_id: UUID) -> Response:
        """One provider. Needs the ability `view` in its tenant."""
        provider = provider_by_id(provider_id)
        require(actor_of(request), "view", provider.tenant_id)
        return Response(write_provider(provider))


class DeliveriesView(ApiView):
    """``/api/v1/providers/{id}/deliveries``."""

    queries = {"GET": DeliveryQuery}

    @extend_schema(operation_id="listDeliveries", parameters=parameters_of(DeliveryQuery), responses=DeliveryPage)
    def get(self, request: Request, provider_id: UUID) -> Response:
        """What waits, went or was given up; dead letters unless another state is asked for."""
        provider = provider_by_id(provider_id)
        require(actor_of(request), "view", provider.tenant_id)
        query = read_query(request, DeliveryQuery)
        return Response(page_of(deliveries(provider, DeliveryState(query.state)), query, write_delivery))


class ResendView(ApiView):
    """``/api/v1/providers/{id}/resend``."""

    @extend_schema(operation_id="resendDeadLetters", request=Resend, responses=Resent)
    def post(self, request: Request, provider_id: UUID) -> Response:
        """One dead letter, or all, wait as if they were new. Needs the ability `provider.operate` in the tenant."""
        provider = provider_by_id(provider_id)
        require(actor_of(request), "provider.operate", provider.tenant_id)
        body = decode_body(request, Resend)
        count = resend_dead_letters(actor=actor_of(request), provider=provider, delivery_id=body.delivery)
        transaction.on_commit(partial(wake_providers, [provider.pk]))
        return Response(Resent(deliveries=count))
