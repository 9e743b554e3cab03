"""The config as an answer: with its tag, compressed if the client can read that, or "you have it already"."""

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiResponse

from studio.api.encodings import accepts_gzip, compress
from studio.api.errors import ErrorBody
from studio.api.etags import has_current, takes_any
from telemetry.selectors.configs import config_revision
from telemetry.services.configs import config_document, config_etag
from tenants.models import Installation

__all__ = ["CONFIG_RESPONSES", "config_answer"]

# For the schema: what else than 200 an address that answers with a config may answer.
CONFIG_RESPONSES = {
    304: OpenApiResponse(description="The client has the current config; its ETag is in If-None-Match."),
    409: OpenApiResponse(ErrorBody, description="No published spec is bound to the installation."),
}

# A 304 repeats them. "no-cache" means: keep it, and ask each time whether it is still current.
HEADERS = {"Cache-Control": "private, no-cache", "Vary": "Authorization, Accept-Encoding"}


def config_answer(
    request: HttpRequest, installation: Installation, *, explain: bool, with_secret: bool = False
) -> HttpResponse:
    """200 with the installation's effective config, or 304 if the client's tag is current.

    One query for a 304 and for a config that this process has built already, one more to build it. Raises ``Conflict``
    while no published spec is bound.
    """
    # The revision is read before the document, so an old document never goes out under a newer tag.
    revision = config_revision(installation.pk)
    tag = config_etag(installation, revision, explain=explain, with_secret=with_secret)
    if has_current(request, tag):
        return _not_modified(tag)
    document = config_document(installation, revision, explain=explain, with_secret=with_secret)
    if takes_any(request):
        return _not_modified(document.etag)
    return _whole(request, document.body, document.etag)


def _not_modified(tag: str) -> HttpResponse:
    response = HttpResponse(status=304, headers={**HEADERS, "ETag": tag})
    del response["Content-Type"]
    return response


def _whole(request: HttpRequest, body: bytes, tag: str) -> HttpResponse:
    compressed = compress(body) if accepts_gzip(request.headers.get("Accept-Encoding", "")) else None
    response = HttpResponse(compressed or body, content_type="application/json", headers={**HEADERS, "ETag": tag})
    response["Content-Length"] = str(len(response.content))
    if compressed is not None:
        response["Content-Encoding"] = "gzip"
    return response
