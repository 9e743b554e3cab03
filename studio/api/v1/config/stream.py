"""Being told when the config changes: letting a client in; ``studio.streams`` does the telling."""

from typing import Final

from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.request import Request

from studio.api.auth import KeyAuthentication, actor_of, installation_of, key_of
from studio.api.errors import ErrorBody, Misdirected
from studio.api.renderers import EventStreamRenderer
from studio.api.v1.base import ApiView
from studio.api.v1.config.answers import require_config
from studio.streams.stream import Admitted
from telemetry.selectors.configs import config_revision

__all__ = ["SERVES_STREAMS", "ConfigStreamView", "Welcome"]

# Set in ``META`` by the process that serves streams. No header can set it: those get a prefix.
SERVES_STREAMS: Final = "studio.serves_streams"


class Welcome(HttpResponse):
    """The head of a stream, and who was let in; the body is for ``studio.streams`` to write."""

    def __init__(self, admitted: Admitted) -> None:
        # A proxy that collects answers before it passes them on would hold every event back.
        headers = {"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}
        super().__init__(content_type=EventStreamRenderer.media_type, headers=headers)
        self.admitted = admitted


class ConfigStreamView(ApiView):
    """``/api/v1/config/stream``, for the key of an installation."""

    authentication_classes = [KeyAuthentication]
    renderer_classes = [EventStreamRenderer]

    @extend_schema(
        operation_id="streamConfig",
        parameters=[
            OpenApiParameter(
                "Last-Event-ID",
                OpenApiTypes.STR,
                OpenApiParameter.HEADER,
                description="The id of the last event that the client heard. If it is the present one, none is sent.",
            )
        ],
        responses={
            (200, EventStreamRenderer.media_type): OpenApiTypes.STR,
            421: OpenApiResponse(
                ErrorBody, description="A proxy sent the request to a process that serves no streams."
            ),
        },
    )
    def get(self, request: Request) -> HttpResponse:
        """Server-sent events: `config` with `revision` and `etag` at the start and whenever the config changes.

        The config itself is not in it: fetch it, some moments apart from other clients. Needs the scope `config:read`.
        A comment comes every 15 seconds; streams end after 10 to 20 minutes, when the key stops working, or when the
        process stops. Connect again then, and keep polling all the while.
        """
        actor, installation, key = actor_of(request), installation_of(request), key_of(request)
        with_secret = require_config(actor, installation)
        if not request.META.get(SERVES_STREAMS):
            raise Misdirected(
                "this process serves no streams; the proxy in front must send this address to one that does"
            )
        return Welcome(
            Admitted(
                key_id=key.pk,
                expires_at=key.expires_at,
                installation_id=installation.pk,
                public_id=installation.public_id,
                with_secret=with_secret,
                revision=config_revision(installation.pk),
            )
        )
