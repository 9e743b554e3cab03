"""What surrounds every request that programs make, views or not."""

from collections.abc import Callable
from typing import Final

from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase

from studio.api.denials import record_remembered
from studio.api.errors import answer_for, answer_for_status

__all__ = ["PREFIXES", "ApiMiddleware"]

# The API, the addresses of other people's clients, those of their clients that know a host but no path, and the catalog
# for machines.
PREFIXES: Final = ("/api/", "/ingest/", "/v1/", "/mcp")

# Django's and the web server's own pages; errors of ours are JSON, or protobuf for those who speak it.
TEXT: Final = "text/"


class ApiMiddleware:
    """For programs no error is a page: a wrong host, a failed commit or a bug have the API's error body too.

    Once the transaction of the view is over, a denied write is recorded.

    Stands first in ``MIDDLEWARE``, so that it sees what all others answer, debug pages included.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        """The answer, or the API's own for the same status in place of a page."""
        response = self.get_response(request)
        record_remembered(request)
        if response.status_code == 304:
            # Django writes 0, which would say that the body which the client has is empty. RFC 9110, section 8.6.
            response.headers.pop("Content-Length", None)
        if response.status_code >= 400 and _is_page(request, response):
            return answer_for_status(response.status_code)
        return response

    def process_exception(self, request: HttpRequest, error: Exception) -> HttpResponse | None:
        """The answer for an error between REST framework and the middleware: the transaction could not begin or end."""
        return answer_for(error) if request.path_info.startswith(PREFIXES) else None


def _is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    return request.path_info.startswith(PREFIXES) and response.headers.get("Content-Type", "").startswith(TEXT)
