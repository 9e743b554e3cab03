"""Entity tags: naming a state in an answer, and recognising it in a request."""

from django.http import HttpRequest
from django.utils.http import parse_etags

from studio.api.errors import PreconditionFailed, PreconditionRequired

__all__ = ["has_current", "names_tag", "require_match", "revision_tag", "takes_any"]


def revision_tag(revision: int) -> str:
    """The tag of something that counts its changes."""
    return f'"{revision}"'


def has_current(request: HttpRequest, tag: str) -> bool:
    """Whether ``If-None-Match`` names ``tag``, so that the client has the current state already; see ``names_tag``."""
    return names_tag(request.headers.get("If-None-Match", ""), tag)


def names_tag(header: str, tag: str) -> bool:
    """Whether the text of an ``If-None-Match`` names ``tag``.

    Lists are understood, weak and strong tags compare alike, and what is no tag is skipped; for ``*`` see
    ``takes_any``. Source: RFC 9110, sections 8.8.3.2 and 13.1.2.
    """
    return _opaque(tag) in map(_opaque, parse_etags(header))


def takes_any(request: HttpRequest) -> bool:
    """Whether ``If-None-Match`` is ``*``: the client has some state, and wants none if there is one at all."""
    return parse_etags(request.headers.get("If-None-Match", "")) == ["*"]


def require_match(request: HttpRequest, tag: str) -> None:
    """Return if ``If-Match`` names ``tag``, the current state.

    The caller passes what the tag stands for on to the service, so that a race is found too. A tag that a proxy has
    made weak on the way counts as well: it names the state all the same. Raises ``PreconditionRequired`` without the
    header, ``PreconditionFailed`` if it names another state.
    """
    header = request.headers.get("If-Match")
    if header is None:
        raise PreconditionRequired("the header If-Match must name the ETag of the state that was read")
    named = parse_etags(header)
    if named != ["*"] and _opaque(tag) not in map(_opaque, named):
        raise PreconditionFailed("the header If-Match names another state than the current one; read it again")


def _opaque(tag: str) -> str:
    return tag.removeprefix("W/")
