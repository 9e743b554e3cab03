"""``GET /api/v1/config`` answered from memory, in front of Django; anything that is in doubt goes the long way.

What it answers is what the DRF view would answer at this moment, to the byte and header:

- who may, and what they get, is asked of the same functions as there, and remembered for as long as the config lease
  says that nothing has changed (``tenants.config_lease``: no query);
- headers that surround every answer (of REST framework and the middleware) are learnt from answers that went the long
  way, for each combination of what they can depend on.
"""

import hashlib
import math
import os
import time
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final, NamedTuple
from weakref import ref

from django.conf import settings
from django.db import Error, close_old_connections, transaction

from studio.api.auth import bearer_text, caller_name
from studio.api.errors import JSON
from studio.api.etags import names_tag
from studio.api.request_counts import RequestCounts
from studio.api.v1.config.answers import OWN, SHARED, require_config, whole
from studio.metrics.process import count_config_from_memory
from telemetry.core.errors import NotAllowed, TelemetryError
from telemetry.selectors.configs import config_freshness
from telemetry.services.configs import ConfigDocument, config_document, config_etag
from tenants.actors import actor_of_key
from tenants.config_lease import ConfigLease, KnownState, boot_seconds
from tenants.keys import refuse
from tenants.services import keys

__all__ = ["PATH", "FastConfig"]

PATH: Final = "/api/v1/config"

Environ = dict[str, Any]
Headers = list[tuple[str, str]]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# Keys that one process remembers, about 1 KB each. Beyond it, those that were learnt first make room.
MOST_GRANTS: Final = 20_000
# Combinations of what surrounding headers depend on; a client that invents hosts or types must not fill the memory.
MOST_SURROUNDINGS: Final = 256

OK: Final = f"{HTTPStatus.OK.value} {HTTPStatus.OK.phrase}"
NOT_MODIFIED: Final = f"{HTTPStatus.NOT_MODIFIED.value} {HTTPStatus.NOT_MODIFIED.phrase}"
# What this module writes itself; everything else in an answer surrounds it.
WRITTEN_HERE: Final = frozenset({"etag", "content-type", "content-length", "content-encoding", "cache-control", "vary"})


class Grant(NamedTuple):
    """What a key may fetch, as long as ``state`` is what is known and both ends are ahead.

    ``key_ends_at`` (seconds since 1970) is when the key expires or its use is to be noted, ``config_ends_at`` (by
    ``boot_seconds``) when a planned change begins to hold. ``document`` gives ``None`` until somebody wants it, and
    again when the memory of documents made room for others.
    """

    state: KnownState
    key_ends_at: float
    config_ends_at: float
    caller: str
    etag: str
    headers: tuple[tuple[str, str], ...]
    document: Callable[[], ConfigDocument | None]


class Found(NamedTuple):
    """A grant that holds now, and the document for the client; ``None`` if the client has it already."""

    grant: Grant
    document: ConfigDocument | None


class Answer(NamedTuple):
    """Status line, headers and body."""

    status: str
    headers: Headers
    body: list[bytes]


class FastConfig:
    """A WSGI application that answers for ``application`` where that is certain to be the same."""

    def __init__(self, application: Application) -> None:
        self._application = application
        self.lease = ConfigLease(stale_seconds=settings.STUDIO_CONFIG_STALE_SECONDS)
        self._counts = RequestCounts()
        # By digest of the header, with a secret of this process. ``None``: the long way said yes, and no more is known.
        self._grants: dict[bytes, Grant | None] = {}
        self._secret = os.urandom(32)
        self._surroundings: dict[tuple[object, ...], Headers] = {}

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        """The answer to any request."""
        if not _is_plain(environ):
            return self._application(environ, start_response)
        header = environ.get("HTTP_AUTHORIZATION", "")
        digest = hashlib.blake2b(header.encode(), key=self._secret, digest_size=16).digest()
        answer = self._answer(environ, header, digest)
        if answer is None:
            self.lease.start()
            return self._application(environ, self._watching(environ, digest, start_response))
        count_config_from_memory(unchanged=answer.status is NOT_MODIFIED)
        start_response(answer.status, answer.headers)
        return answer.body

    def _answer(self, environ: Environ, header: str, digest: bytes) -> Answer | None:
        """``None`` when in doubt. No query while nothing has changed."""
        # Before anything is read from the database, so that what is read then is at least as new.
        state = self.lease.current()
        surroundings = self._surroundings.get(_dependencies(environ))
        if state is None or surroundings is None or digest not in self._grants:
            return None
        named = environ.get("HTTP_IF_NONE_MATCH", "")
        found = self._remembered(digest, state, named) or self._ask(header, digest, state, named)
        if found is None or not self._counts.allow(found.grant.caller):
            return None
        headers = [*found.grant.headers, ("ETag", found.grant.etag), *surroundings]
        if found.document is None:
            return Answer(NOT_MODIFIED, headers, [])
        body, coding = whole(found.document, environ.get("HTTP_ACCEPT_ENCODING", ""))
        headers += [("Content-Type", JSON), ("Content-Length", str(len(body)))]
        if coding is not None:
            headers.append(("Content-Encoding", coding))
        return Answer(OK, headers, [body])

    def _remembered(self, digest: bytes, state: KnownState, named: str) -> Found | None:
        grant = self._grants.get(digest)
        if grant is None or grant.state is not state:
            return None
        if time.time() >= grant.key_ends_at or boot_seconds() >= grant.config_ends_at:
            return None
        if named and _names(named, grant.etag):
            return Found(grant, None)
        document = grant.document()
        return None if document is None else Found(grant, document)

    def _ask(self, header: str, digest: bytes, state: KnownState, named: str) -> Found | None:
        """The key is checked and its config looked up as the DRF view does it; remembered unless it is refused."""
        close_old_connections()
        try:
            with transaction.atomic():
                found = _look_up(header, state, named)
        except (TelemetryError, Error):
            self._grants.pop(digest, None)
            return None
        finally:
            close_old_connections()
        self._grants[digest] = found.grant
        return found

    def _watching(self, environ: Environ, digest: bytes, start_response: StartResponse) -> StartResponse:
        """``start_response`` that learns from an answer on the long way whether the key and the rest are good."""

        def start(status: str, headers: Headers, *rest: Any) -> Any:
            if status.startswith(("200", "304")):
                self._learn(environ, digest, headers)
            return start_response(status, headers, *rest)

        return start

    def _learn(self, environ: Environ, digest: bytes, headers: Headers) -> None:
        by_name = {name.lower(): value for name, value in headers}
        if not any(all(by_name.get(name.lower()) == value for name, value in own.items()) for own in (OWN, SHARED)):
            # Something has a say that this module does not know of: every answer goes the long way.
            return
        if len(self._surroundings) >= MOST_SURROUNDINGS:
            self._surroundings.clear()
        if len(self._grants) >= MOST_GRANTS:
            self._grants.clear()
        self._surroundings[_dependencies(environ)] = [each for each in headers if each[0].lower() not in WRITTEN_HERE]
        self._grants.setdefault(digest, None)


def _is_plain(environ: Environ) -> bool:
    """Whether it is the request that apps repeat: nothing that it carries changes the answer but what is looked at."""
    return (
        environ["PATH_INFO"] == PATH
        and environ["REQUEST_METHOD"] == "GET"
        and not environ.get("QUERY_STRING")
        and not environ.get("SCRIPT_NAME")
        and "HTTP_COOKIE" not in environ
        and "*" not in environ.get("HTTP_IF_NONE_MATCH", "")
    )


def _dependencies(environ: Environ) -> tuple[object, ...]:
    """What surrounding headers, and whether there is an answer at all, can depend on."""
    get = environ.get
    return get("HTTP_HOST"), get("HTTP_ACCEPT"), get("HTTP_X_FORWARDED_PROTO"), get("wsgi.url_scheme")


def _names(named: str, etag: str) -> bool:
    return named == etag or names_tag(named, etag)


def _look_up(header: str, state: KnownState, named: str) -> Found:
    """Raises what the DRF view's own steps raise."""
    text = bearer_text(header)
    if text is None:
        raise refuse("missing")
    key = keys.authenticate(text)
    actor, installation = actor_of_key(key), key.installation
    if installation is None:
        raise NotAllowed("a person's key has no installation", ability="config.read")
    with_secret = require_config(actor, installation)
    asked_at = boot_seconds()
    revision, seconds = config_freshness(installation.pk)
    etag, document = config_etag(installation.public_id, revision, with_secret=with_secret), None
    if not named or not _names(named, etag):
        document = config_document(installation, revision, with_secret=with_secret)
        etag = document.etag
    grant = Grant(
        state=state,
        key_ends_at=keys.good_until(key).timestamp(),
        config_ends_at=math.inf if seconds is None else asked_at + seconds,
        caller=caller_name(actor),
        etag=etag,
        headers=tuple((OWN if with_secret else SHARED).items()),
        document=_nothing if document is None else ref(document),
    )
    return Found(grant, document)


def _nothing() -> None:
    """Stand in for a document that nobody has wanted yet."""
