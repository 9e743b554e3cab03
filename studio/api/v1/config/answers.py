"""The config as an answer: with its tag, compressed if the client can read that, or "you have it already".

The DRF view and ``studio.api.fast_config`` write the same answers, from the parts that are here.
"""

from collections.abc import Mapping
from typing import Final, NamedTuple, cast

from django.http import HttpRequest, HttpResponse
from drf_spectacular.utils import OpenApiResponse

from studio.api.encodings import PACKERS, SMALLEST_BYTES, choose_coding
from studio.api.errors import JSON, ErrorBody
from studio.api.etags import has_current, takes_any
from studio.api.v1.config.serializers import PersonConfigQuery
from telemetry.core.codec import encode_document
from telemetry.core.errors import NotFound
from telemetry.core.plain import to_plain
from telemetry.selectors.configs import config_revision
from telemetry.services.configs import (
    ConfigDocument,
    config_document,
    config_etag,
    layers_at,
    preview_config,
    resolve_layers,
)
from telemetry.services.explanations import explain_installation, explained_config
from tenants.actors import Actor, require
from tenants.mappers import override_of
from tenants.models import ConfigStatus, Installation
from tenants.selectors import config_by_number

__all__ = [
    "CONFIG_RESPONSES",
    "OWN",
    "SHARED",
    "WholeConfig",
    "config_answer",
    "past_answer",
    "preview_answer",
    "require_config",
    "whole",
]

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
    document = (_explained if explain else config_document)(installation, revision, with_secret=with_secret)
    if takes_any(request):
        return _not_modified(headers, document.etag)
    body, coding = whole(document, request.headers.get("Accept-Encoding", ""))
    response = HttpResponse(body, content_type=JSON, headers={**headers, "ETag": document.etag})
    response["Content-Length"] = str(len(body))
    if coding is not None:
        response["Content-Encoding"] = coding
    return response


def preview_answer(installation: Installation, number: int) -> HttpResponse:
    """200 with what version ``number``, which is up for review, would make; nobody keeps it, and its tag is its own.

    Raises ``NotFound`` for a version that is no preview: a normal answer never stands in for it.
    """
    config = config_by_number(installation, number)
    if config.status != ConfigStatus.PREVIEW:
        raise NotFound(f"version {number} is not up for review")
    found = preview_config(installation, override_of(config))
    document = cast("dict[str, object]", to_plain(found))
    del document["provenance"]
    tag = config_etag(installation.public_id, found.revision)
    headers = {
        "Cache-Control": "no-store",
        "Vary": VARY,
        "ETag": f'{tag[:-1]}-v{number}"',
        "X-Config-Preview": str(number),
    }
    return HttpResponse(encode_document(document), content_type=JSON, headers=headers)


def past_answer(installation: Installation, query: PersonConfigQuery) -> HttpResponse:
    """200 with what was in force at an instant, or with one event alone; explained if that is asked for.

    Raises ``Conflict`` while no published spec was bound, and before the installation was there.
    """
    names = [query.event] if query.event else None
    if query.explain:
        document = explained_config(explain_installation(installation, at=query.at, event_names=names))
    else:
        found = resolve_layers(layers_at(installation, query.at), event_names=names)
        document = cast("dict[str, object]", to_plain(found))
        del document["provenance"]
    return HttpResponse(encode_document(document), content_type=JSON, headers={"Cache-Control": "private, no-cache"})


def _explained(installation: Installation, revision: int, *, with_secret: bool) -> ConfigDocument:  # noqa: ARG001 - as ``config_document``
    """The config with the story of each value, of the revision of this moment."""
    explained = explain_installation(installation)
    found = explained.config.revision
    tag = config_etag(installation.public_id, found, explain=True, with_secret=with_secret)
    return ConfigDocument(encode_document(explained_config(explained, with_secret=with_secret)), tag, found)


def _not_modified(headers: Mapping[str, str], tag: str) -> HttpResponse:
    response = HttpResponse(status=304, headers={**headers, "ETag": tag})
    del response["Content-Type"]
    return response
