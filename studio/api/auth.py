"""Who asks: a key in the header ``Authorization``, or a person's login. Keys anywhere else are never looked at.

Authenticating also sets, for the request's transaction, whose rows it may see.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.http import HttpRequest
from rest_framework import authentication, exceptions
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from studio.api.errors import CrossSiteRequest
from studio.api.throttles import count_failed_authentication
from telemetry.core.errors import NotAllowed, NotAuthenticated
from tenants.actors import Actor, actor_of_key, actor_of_user
from tenants.context import set_tenant_context
from tenants.keys import refuse
from tenants.models import ApiKey, Installation
from tenants.services import keys

__all__ = [
    "Caller",
    "HasCaller",
    "KeyAuthentication",
    "SessionAuthentication",
    "actor_of",
    "bearer_text",
    "caller_name",
    "caller_with_key",
    "installation_of",
    "key_of",
    "request_id_of",
]

# A name that a client or proxy gave the request, for finding it again in the audit trail.
REQUEST_ID: Final = re.compile(r"[A-Za-z0-9._:-]{1,64}")


def bearer_text(header: str) -> str | None:
    """The key in the text of ``Authorization``; ``None`` for another scheme."""
    scheme, _, text = header.partition(" ")
    return text.strip() if scheme.lower() == "bearer" else None


@dataclass(frozen=True, kw_only=True)
class Caller:
    """Who asks, as ``request.auth``; ``key`` is the one that was presented, ``installation`` is that of an app's."""

    actor: Actor
    installation: Installation | None = None
    key: ApiKey | None = None

    @property
    def name(self) -> str:
        """What the caller's requests are counted under."""
        return caller_name(self.actor)


def caller_name(actor: Actor) -> str:
    """What the actor's requests are counted under."""
    return f"{actor.kind}:{actor.id}"


# From a request and the text of a key; raises ``NotAuthenticated`` and ``Throttled``.
Check = Callable[[HttpRequest, str], tuple[AbstractUser | AnonymousUser, Caller]]


class KeyAuthentication(authentication.BaseAuthentication):
    """``Authorization: Bearer tgs_...``; another scheme is none of ours and is passed over.

    ``check`` tells who presents a key.
    """

    def __init__(self, check: Check | None = None) -> None:
        self._check = check or caller_with_key

    def authenticate(self, request: Request) -> tuple[AbstractUser | AnonymousUser, Caller] | None:
        """The key's caller, in the key's context; raises ``NotAuthenticated``, or ``Throttled`` after many failures."""
        text = bearer_text(request.headers.get("Authorization", ""))
        if text is None:
            return None
        return self._check(request, text)

    def authenticate_header(self, request: Request) -> str:  # noqa: ARG002 - REST framework's signature
        """Any text: it keeps REST framework from answering 403; ``studio.api.errors`` writes the header."""
        return "Bearer"


def caller_with_key(request: HttpRequest, text: str) -> tuple[AbstractUser | AnonymousUser, Caller]:
    """Who presents this key, in the key's context; raises ``NotAuthenticated``, ``Throttled`` after many failures."""
    try:
        key = keys.authenticate(text)
    except NotAuthenticated:
        count_failed_authentication(request)
        raise
    actor = actor_of_key(key, request_id=request_id_of(request))
    if key.installation is None:
        # A person's key opens the tenants of its owner; an installation's key has opened its own already.
        set_tenant_context(actor.tenant_ids, user_id=actor.user_id)
    return key.user or AnonymousUser(), Caller(actor=actor, installation=key.installation, key=key)


class SessionAuthentication(authentication.SessionAuthentication):
    """A person's login in the studio; unsafe methods need the token against cross-site requests."""

    def authenticate(self, request: Request) -> tuple[Any, Caller] | None:
        """The person's caller, in the context of their tenants."""
        found = super().authenticate(request)
        if found is None:
            return None
        actor = actor_of_user(found[0], request_id=request_id_of(request))
        set_tenant_context(actor.tenant_ids, user_id=actor.user_id)
        return found[0], Caller(actor=actor)

    def enforce_csrf(self, request: Request) -> None:
        """Return if the request comes from a page of ours; raises ``CrossSiteRequest``."""
        try:
            super().enforce_csrf(request)
        except exceptions.PermissionDenied:
            raise CrossSiteRequest("the header X-CSRFToken is missing or wrong") from None


class HasCaller(BasePermission):
    """Nobody is anonymous. What a caller may do, the services ask ``tenants.actors.require``."""

    def has_permission(self, request: Request, view: object) -> bool:  # noqa: ARG002 - REST framework's signature
        """True; raises ``NotAuthenticated`` without a caller."""
        if request.auth is None:
            raise refuse("missing")
        return True


def actor_of(request: Request) -> Actor:
    """Who asks."""
    return _caller_of(request).actor


def installation_of(request: Request) -> Installation:
    """The installation whose key was presented; raises ``NotAllowed`` for a person."""
    installation = _caller_of(request).installation
    if installation is None:
        raise NotAllowed("this address needs the key of an installation", ability="config.read")
    return installation


def key_of(request: Request) -> ApiKey:
    """The key that was presented; raises ``NotAllowed`` for a person's login."""
    key = _caller_of(request).key
    if key is None:
        raise NotAllowed("this address needs the key of an installation", ability="config.read")
    return key


def _caller_of(request: Request) -> Caller:
    caller: Any = request.auth
    assert isinstance(caller, Caller)  # noqa: S101 - HasCaller has seen to it
    return caller


def request_id_of(request: HttpRequest) -> str:
    """The name that the client gave the request; empty if it gave none that can be kept."""
    given = request.headers.get("X-Request-ID", "")
    return given if REQUEST_ID.fullmatch(given) else ""
