"""``/metrics``, and the counting of what is answered."""

import secrets
import time
from collections.abc import Callable
from typing import Final

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from prometheus_client.exposition import choose_encoder

from studio.api.auth import bearer_text
from studio.metrics.database import DatabaseCollector
from studio.metrics.process import count_request, counted

__all__ = ["PATH", "MetricsMiddleware"]

PATH: Final = "/metrics"
# What leads nowhere: whoever tries addresses must not fill the memory with them.
_OTHER: Final = "other"


class MetricsMiddleware:
    """Answers ``/metrics`` to who has ``STUDIO_METRICS_TOKEN``, and counts every other request with its answer.

    Without the setting there is no such address. Like the probes, it is answered over plain HTTP and for any host
    name, because a scraper asks by address.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer to the request."""
        if request.path_info == PATH and settings.STUDIO_METRICS_TOKEN:
            return _tell(request)
        began = time.perf_counter()
        response = self.get_response(request)
        count_request(
            method=str(request.method),
            route=_route_of(request),
            status=response.status_code,
            seconds=time.perf_counter() - began,
        )
        return response


def _tell(request: HttpRequest) -> HttpResponse:
    given = bearer_text(request.headers.get("Authorization", "")) or ""
    if not secrets.compare_digest(given.encode(), settings.STUDIO_METRICS_TOKEN.encode()):
        return HttpResponse(status=401, headers={"WWW-Authenticate": 'Bearer realm="metrics"'})
    if request.method not in ("GET", "HEAD"):
        return HttpResponse(status=405, headers={"Allow": "GET, HEAD"})
    registry = counted()
    registry.register(DatabaseCollector())
    encode, content_type = choose_encoder(request.headers.get("Accept", ""))
    return HttpResponse(encode(registry), content_type=content_type, headers={"Cache-Control": "no-store"})


def _route_of(request: HttpRequest) -> str:
    """The address as it is routed, with names for what stands in it: never a name or id of somebody's thing."""
    match = request.resolver_match
    # Patterns of the form ^api/ catch what is unknown.
    return _OTHER if match is None or match.route.startswith("^") else f"/{match.route}"
