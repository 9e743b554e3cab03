"""The config as an answer: with its tag, compressed if the client can read that, or "you have it already".

The DRF view and ``studio.api.fast_config`` write the same answers, from the parts that are here.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiResponse

from studio.api.encodings import PACKERS, SMALLEST_BYTES, choose_coding
from studio.api.errors import JSON, ErrorBody
from studio.api.etags import has_current, takes_any
from telemetry.selectors.configs import config_revision
from telemetry.services.configs import ConfigDocument, config_document, config_etag
from tenants.actors import Actor, require
from tenants.models import Installation

__all__ = ["CONFIG_RESPONSES", "OWN", "SHARED", "WholeConfig", "config_answer", "require_config", "whole"]

# For the schema: what else than 200 an address that answers with a config may answer.
CONFIG_RESPONSES = {
    304: OpenApiResponse(description="The client has the current config; its ETag is in If-None-Match."),
    409: OpenApiResponse(ErrorBody, description="No published spec is bound to the installation."),
}

VARY: Final = "Authorization, Accept-Encoding"
# "no-cache" means: keep it, and ask each time whether it is still current. With "public" a CDN may be the one that
# keeps and asks, with the key of whoever asks it; see docs/operations.md. The tag names installation and variant, so a
# key is never told that another's config is current for it.
SHARED: Final[Mapping[str, str]] = {"Cache-Control": "public, no-cache", "Vary": VARY}
# What holds the pseudonym key, or is for people, stays with the one who asked.
OWN: Final[Mapping[str, str]] = {"Cache-Control": "private, no-cache", "Vary": VARY}


class WholeConfig(NamedTuple):
    """The body of a 200, and the coding that it is in, if any."""

    body: bytes
    coding: str | None


def require_config(actor: Actor, installation: Installation) -> bool:
    """Whether the caller's configs hold the pseudonym key; raises ``NotAllowed`` if it may not read configs at all."""
    require(actor, "config.read", installation.tenant_id)
    return actor.can("config.read_secret", installation.tenant_id)


def whole(document: ConfigDocument, accept_encoding: str) -> WholeConfig:
    """The document in the coding that the client likes best; each is made once."""
    coding = choose_coding(accept_encoding)
    if coding is None or len(document.body) < SMALLEST_BYTES:
        return WholeConfig(document.body, None)
    return WholeConfig(document.packed(PACKERS[coding]), coding)


def config_answer(
    request: HttpRequest,
    installation: Installation,
    *,
    explain: bool,
    with_secret: bool = False,
    headers: Mapping[str, str] = OWN,
) -> HttpResponse:
    """200 with the installation's effective config, or 304 if the client's tag is current; both carry ``headers``.

    One query for a 304 and for a config that this process has built already, one more to build it. Raises ``Conflict``
    while no published spec is bound.
    """
    # The revision is read before the document, so an old document never goes out under a newer tag.
    revision = config_revision(installation.pk)
    tag = config_etag(installation.public_id, revision, explain=explain, with_secret=with_secret)
    if has_current(request, tag):
        return _not_modified(headers, tag)
    document = config_document(installation, revision, explain=explain, with_secret=with_secret)
    if takes_any(request):
        return _not_modified(headers, document.etag)
    body, coding = whole(document, request.headers.get("Accept-Encoding", ""))
    response = HttpResponse(body, content_type=JSON, headers={**headers, "ETag": document.etag})
    response["Content-Length"] = str(len(body))
    if coding is not None:
        response["Content-Encoding"] = coding
    return response


def _not_modified(headers: Mapping[str, str], tag: str) -> HttpResponse:
    response = HttpResponse(status=304, headers={**headers, "ETag": tag})
    del response["Content-Type"]
    return response
