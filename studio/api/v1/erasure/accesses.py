"""How a provider is told of erasures, over HTTP."""

from typing import Annotated
from uuid import UUID

import msgspec
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from studio.api.auth import actor_of
from studio.api.parsers import decode_body
from studio.api.shapes import Shape
from studio.api.v1.base import ApiView
from telemetry.selectors.providers import provider_by_id
from telemetry.services.erasure.accesses import set_erasure_access
from tenants.actors import require

__all__ = ["ErasureAccessView", "NewErasureAccess"]


class NewErasureAccess(Shape, frozen=True, kw_only=True):
    """What erasing takes there, see the documentation of erasures. `credential` is written only: no answer has it."""

    settings: dict[str, str] = {}
    credential: Annotated[str, msgspec.Meta(max_length=4000)]


class ErasureAccessItem(Shape, frozen=True, kw_only=True):
    """How the provider is told, without the credential."""

    settings: dict[str, str]


class ErasureAccessView(ApiView):
    """``/api/v1/providers/{id}/erasure-access``."""

    @extend_schema(operation_id="setErasureAccess", request=NewErasureAccess, responses=ErasureAccessItem)
    def put(self, request: Request, provider_id: UUID) -> Response:
        """The provider is told of erasures with this access from now on.

        Needs the ability `provider.manage`, and a login. 400 for an address that leads into an internal network; 409
        for a kind that needs none (web hooks) or cannot be told (OpenTelemetry).
        """
        actor, provider = actor_of(request), provider_by_id(provider_id)
        require(actor, "provider.manage", provider.tenant_id)
        body = decode_body(request, NewErasureAccess)
        access = set_erasure_access(actor=actor, provider=provider, settings=body.settings, credential=body.credential)
        return Response(ErasureAccessItem(settings=access.settings))
