"""Writes that were denied leave a trace, though the transaction in which they were denied is rolled back."""

import logging
from typing import Final

from django.db import DatabaseError
from django.http import HttpRequest

from telemetry.core.errors import NotAllowed
from tenants.actors import Actor
from tenants.services.audit import record_denial

__all__ = ["record_remembered", "remember"]

logger = logging.getLogger(__name__)

SAFE_METHODS: Final = frozenset({"GET", "HEAD", "OPTIONS"})
KEY: Final = "studio.denial"


def remember(request: HttpRequest, *, actor: Actor, error: NotAllowed) -> None:
    """A denied write is recorded once its transaction is over; denied reading is not, it would flood the trail."""
    if request.method not in SAFE_METHODS:
        request.META[KEY] = (actor, error)


def record_remembered(request: HttpRequest) -> None:
    """The audit trail holds the request's denial, if it had one; a trail that cannot be written is logged."""
    denial = request.META.pop(KEY, None)
    if denial is None:
        return
    actor, error = denial
    try:
        record_denial(actor=actor, error=error)
    except DatabaseError as failure:
        # Without the failure's message, which may hold values.
        logger.error("access.denied.unrecorded", extra={"actor": actor.id, "error": type(failure).__qualname__})
