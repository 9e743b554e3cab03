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
from studio.api.v1.base import ApiView
from studio.api.v1.examples import NEW_PROVIDER, PROVIDER_CHANGE, PROVIDER_SWITCH, RESEND
from studio.api.v1.providers.serializers import (
    DeliveryItem,
    DeliveryPage,
    DeliveryQuery,
    NewProvider,
    ProviderChange,
    ProviderItem,
    ProviderPage,
    ProviderQuery,
    ProviderRemoval,
    ProviderSwitch,
    ProviderTrial,
    RemovedProvider,
    Resend,
    Resent,
    TrialAnswer,
    write_delivery,
    write_provider,
    write_trial,
)
from studio.wakeups import wake_providers
from telemetry.models import DeliveryState, ProviderKind, ProviderRecord
from telemetry.selectors.providers import Owed, deliveries, delivery_by_id, owed, provider_by_id, providers
from telemetry.services.providers import (
    change_provider,
    connect_provider,
    remove_provider,
    resend_dead_letters,
    switch_provider,
    try_provider,
)
from tenants.actors import require, require_somewhere
from tenants.selectors import installation_by_public_id

__all__ = [
    "DeliveriesView",
    "DeliveryView",
    "ProviderRemovalView",
    "ProviderView",
    "ProvidersView",
    "ResendView",
    "SwitchView",
    "TrialView",
]


class ProvidersView(ApiView):
    """``/api/v1/providers``."""

    queries = {"GET": ProviderQuery}

    @extend_schema(operation_id="listProviders", parameters=parameters_of(ProviderQuery), responses=ProviderPage)
    def get(self, request: Request) -> Response:
        """The providers of the tenants in which the caller has a role. No credential is shown."""
        require_somewhere(actor_of(request), "view")
        query = read_query(request, ProviderQuery)
        place = installation_by_public_id(query.installation) if query.installation else None
        rows, start = providers(place), (query.page - 1) * query.page_size
        shown = list(rows[start : start + query.page_size])
        counts = owed([row.pk for row in shown])
        items = tuple(write_provider(row, counts[row.pk]) for row in shown)
        return Response(ProviderPage(page=query.page, page_size=query.page_size, total=rows.count(), items=items))

    @extend_schema(
        operation_id="connectProvider",
        request=NewProvider,
        responses={201: ProviderItem},
        examples=[NEW_PROVIDER],
    )
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
        return Response(write_provider(provider, Owed()), status=201)


class ProviderView(ApiView):
    """``/api/v1/providers/{id}``."""

    @extend_schema(operation_id="getProvider", responses=ProviderItem)
    def get(self, request: Request, provider_id: UUID) -> Response:
        """One provider. Needs the ability `view` in its tenant."""
        provider = provider_by_id(provider_id)
        require(actor_of(request), "view", provider.tenant_id)
        return _shown(provider)

    @extend_schema(
        operation_id="changeProvider", request=ProviderChange, responses=ProviderItem, examples=[PROVIDER_CHANGE]
    )
    def put(self, request: Request, provider_id: UUID) -> Response:
        """The provider has these settings; what waits is sent with them at once.

        Needs the ability `provider.manage` in the tenant, and a login. 400 for an address that leads into an internal
        network, and for one that is new without its credential.
        """
        provider = provider_by_id(provider_id)
        require(actor_of(request), "provider.manage", provider.tenant_id)
        body = decode_body(request, ProviderChange)
        change_provider(
            actor=actor_of(request),
            provider=provider,
            settings=body.settings,
            credential=body.credential,
            highest_level=body.highest_level,
        )
        _wake(provider)
        return _shown(provider)


class SwitchView(ApiView):
    """``/api/v1/providers/{id}/switch``."""

    @extend_schema(
        operation_id="switchProvider", request=ProviderSwitch, responses=ProviderItem, examples=[PROVIDER_SWITCH]
    )
    def post(self, request: Request, provider_id: UUID) -> Response:
        """On: events from now on go there, and what still waits. Off: nothing goes there, and nothing more is owed.

        Needs the ability `provider.operate` in the tenant.
        """
        provider = provider_by_id(provider_id)
        require(actor_of(request), "provider.operate", provider.tenant_id)
        is_enabled = decode_body(request, ProviderSwitch).is_enabled
        switch_provider(actor=actor_of(request), provider=provider, is_enabled=is_enabled)
        _wake(provider)
        return _shown(provider)


class TrialView(ApiView):
    """``/api/v1/providers/{id}/try``."""

    @extend_schema(operation_id="tryProvider", request=ProviderTrial, responses=TrialAnswer)
    def post(self, request: Request, provider_id: UUID) -> Response:
        """One made-up event, `telemetry.connection_test`, is sent there now; how that went.

        Takes as long as the other side takes, ten seconds at most. Needs the ability `provider.operate` in the tenant.
        """
        provider = provider_by_id(provider_id)
        require(actor_of(request), "provider.operate", provider.tenant_id)
        decode_body(request, ProviderTrial)
        return Response(write_trial(try_provider(actor=actor_of(request), provider=provider)))


class ProviderRemovalView(ApiView):
    """``/api/v1/providers/{id}/remove``."""

    @extend_schema(operation_id="removeProvider", request=ProviderRemoval, responses=RemovedProvider)
    def post(self, request: Request, provider_id: UUID) -> Response:
        """The provider, its credential, what waits for it and its dead letters are gone for good.

        Needs the ability `provider.manage` in the tenant, and a login.
        """
        provider = provider_by_id(provider_id)
        require(actor_of(request), "provider.manage", provider.tenant_id)
        decode_body(request, ProviderRemoval)
        return Response(RemovedProvider(waiting=remove_provider(actor=actor_of(request), provider=provider)))


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


class DeliveryView(ApiView):
    """``/api/v1/providers/{id}/deliveries/{delivery}``."""

    @extend_schema(operation_id="getDelivery", responses=DeliveryItem)
    def get(self, request: Request, provider_id: UUID, delivery_id: int) -> Response:
        """Which events it is about, and how it went. Needs the ability `view` in the tenant."""
        provider = provider_by_id(provider_id)
        require(actor_of(request), "view", provider.tenant_id)
        return Response(write_delivery(delivery_by_id(provider, delivery_id)))


class ResendView(ApiView):
    """``/api/v1/providers/{id}/resend``."""

    @extend_schema(operation_id="resendDeadLetters", request=Resend, responses=Resent, examples=[RESEND])
    def post(self, request: Request, provider_id: UUID) -> Response:
        """One dead letter, or all, wait as if they were new. Needs the ability `provider.operate` in the tenant."""
        provider = provider_by_id(provider_id)
        require(actor_of(request), "provider.operate", provider.tenant_id)
        body = decode_body(request, Resend)
        count = resend_dead_letters(actor=actor_of(request), provider=provider, delivery_id=body.delivery)
        _wake(provider)
        return Response(Resent(deliveries=count))


def _shown(provider: ProviderRecord) -> Response:
    return Response(write_provider(provider, owed([provider.pk])[provider.pk]))


def _wake(provider: ProviderRecord) -> None:
    transaction.on_commit(partial(wake_providers, [provider.pk]))
