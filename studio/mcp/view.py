"""The endpoint: one JSON-RPC message in a POST, one answer as JSON; no sessions, no streams."""

from urllib.parse import urlsplit

from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request

from studio.api.auth import Caller, KeyAuthentication
from studio.api.errors import JSON, CrossSiteRequest
from studio.api.parsers import body_of
from studio.api.v1.base import ApiView
from studio.mcp.eras import Era, era_of
from studio.mcp.messages import Message, RpcError, read_message, write_error, write_result
from studio.mcp.server import Exchange, status_of

__all__ = ["McpView"]


class McpView(ApiView):
    """``/mcp``. Only keys open it: a login travels with whatever page a browser shows."""

    authentication_classes = [KeyAuthentication]
    http_method_names = ["post"]

    @extend_schema(exclude=True)
    def post(self, request: Request) -> HttpResponse:
        """The answer to the message; 202 without a body for a notification.

        Raises ``CrossSiteRequest`` for pages of other sites. Source: Streamable HTTP, "Security warning".
        """
        _refuse_other_sites(request)
        era: Era | None = None
        message: Message | None = None
        try:
            message = read_message(body_of(request).content)
            era = era_of(message, request.headers)
            if message.id is None:
                return HttpResponse(status=202)
            body, status = write_result(message.id, Exchange(_caller(request), era).result(message)), 200
        except RpcError as error:
            body, status = write_error(None if message is None else message.id, error), status_of(error, era)
        return HttpResponse(body, status=status, content_type=JSON, headers={"Cache-Control": "no-store"})


def _caller(request: Request) -> Caller:
    caller: object = request.auth
    assert isinstance(caller, Caller)  # noqa: S101 - HasCaller has seen to it
    return caller


def _refuse_other_sites(request: Request) -> None:
    origin = request.headers.get("Origin")
    if origin is not None and urlsplit(origin).netloc != request.get_host():
        raise CrossSiteRequest("pages of other sites have no access here")
