"""Pages of other origins that may send events from browsers (CORS)."""

from typing import Final, TypeVar

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.cache import patch_vary_headers

from telemetry.core.errors import NotAllowed

__all__ = ["allow_origin", "preflight", "refuse_foreign_origin"]

Answer = TypeVar("Answer", bound=HttpResponseBase)

ANY: Final = "*"
# Seconds for which a browser need not ask again. Browsers cut longer times; two hours is the most that Chromium takes.
PREFLIGHT_SECONDS: Final = 7_200


def refuse_foreign_origin(request: HttpRequest) -> None:
    """Return if the request comes from no browser, or from a page that may send; raises ``NotAllowed``.

    The browser itself keeps a page from reading answers, but it sends simple requests, such as beacons, without asking.
    """
    origin = request.headers.get("Origin")
    if origin is not None and not _is_allowed(origin):
        raise NotAllowed("pages of this origin may not send events; see STUDIO_CLIENT_ORIGINS", ability="event.ingest")


def preflight(request: HttpRequest) -> HttpResponse:
    """The answer to a browser that asks whether it may send; the headers that it wants to send are all harmless."""
    answer = HttpResponse(status=204)
    answer["Access-Control-Allow-Methods"] = "GET, POST, OPTIONS"
    answer["Access-Control-Allow-Headers"] = request.headers.get("Access-Control-Request-Headers", "")
    answer["Access-Control-Max-Age"] = str(PREFLIGHT_SECONDS)
    return allow_origin(request, answer)


def allow_origin(request: HttpRequest, answer: Answer) -> Answer:
    """The answer, readable for the page that asked, if its origin may send. Cookies play no part."""
    origin = request.headers.get("Origin")
    if ANY in settings.STUDIO_CLIENT_ORIGINS:
        answer["Access-Control-Allow-Origin"] = ANY
    elif origin is not None and _is_allowed(origin):
        answer["Access-Control-Allow-Origin"] = origin
    patch_vary_headers(answer, ["Origin"])
    answer["Access-Control-Expose-Headers"] = "Retry-After"
    return answer


def _is_allowed(origin: str) -> bool:
    return ANY in settings.STUDIO_CLIENT_ORIGINS or origin.lower() in settings.STUDIO_CLIENT_ORIGINS
