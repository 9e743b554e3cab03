"""Apps that send events again and again: who they are is remembered as long as it is certain to be the same."""

import hashlib
import os
import time
from dataclasses import replace
from typing import Any, Final, NamedTuple

from django.contrib.auth.models import AbstractUser, AnonymousUser
from django.db import transaction
from django.http import HttpRequest
from rest_framework.request import Request

from studio.api.auth import Caller, caller_with_key, request_id_of
from studio.api.request_counts import RequestCounts
from studio.api.throttles import ClientThrottle
from tenants.config_lease import PROCESS_LEASE, KnownState
from tenants.services.keys import good_until

__all__ = ["IngestThrottle", "remembered_caller"]

# Keys that one process remembers, about 2 kB each. Beyond it, all are forgotten and learnt again.
MOST_CALLERS: Final = 10_000


class Remembered(NamedTuple):
    """Who presented a key: good while ``state`` is what is known, and until ``ends_at`` (seconds since 1970)."""

    state: KnownState
    ends_at: float
    caller: Caller


class CallerMemory:
    """The callers of this process, by a digest of the key under a secret of this process."""

    def __init__(self) -> None:
        self._secret = os.urandom(32)
        self._callers: dict[bytes, Remembered] = {}

    def find(self, text: str) -> Caller | None:
        """Who presents this key, if it is certain that nothing has changed since it was checked; no query."""
        found = self._callers.get(self._digest(text))
        if found is None or found.state is not PROCESS_LEASE.current() or time.time() >= found.ends_at:
            return None
        return found.caller

    def keep(self, text: str, caller: Caller, state: KnownState | None) -> None:
        """The caller is remembered, without the name of the request; ``state`` is what was known before the check."""
        if state is None or caller.key is None:
            return
        if len(self._callers) >= MOST_CALLERS:
            self._callers.clear()
        nameless = replace(caller, actor=replace(caller.actor, request_id=""))
        self._callers[self._digest(text)] = Remembered(state, good_until(caller.key).timestamp(), nameless)

    def _digest(self, text: str) -> bytes:
        return hashlib.blake2b(text.encode(), key=self._secret, digest_size=16).digest()


_memory: Final = CallerMemory()
_counts: Final = RequestCounts()


def remembered_caller(request: HttpRequest, text: str) -> tuple[AbstractUser | AnonymousUser, Caller]:
    """Who presents this key: from memory where that is certain to be the same, else checked in a transaction.

    Errors as of ``caller_with_key``.
    """
    found = _memory.find(text)
    if found is not None:
        request_id = request_id_of(request)
        if request_id:
            found = replace(found, actor=replace(found.actor, request_id=request_id))
        return AnonymousUser(), found
    # Before the key is looked at, so that what is read then is at least as new.
    state = PROCESS_LEASE.current()
    with transaction.atomic():
        user, caller = caller_with_key(request, text)
    if caller.installation is not None:
        _memory.keep(text, caller, state)
    return user, caller


class IngestThrottle(ClientThrottle):
    """Counts as ``ClientThrottle`` does, but tells the shared cache of every hundredth part of the limit only."""

    def allow_request(self, request: Request, view: object) -> bool:
        """Whether the request is within the limit."""
        caller: Any = request.auth
        return caller is None or _counts.allow(caller.name) or super().allow_request(request, view)
