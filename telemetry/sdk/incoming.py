"""From the arguments of ``track`` to an envelope, and rejections for what never becomes one."""

import logging
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import msgspec

from telemetry.core.enums import ViolationCode
from telemetry.core.events import Envelope, Rejected, Violation
from telemetry.core.values import EMPTY_MAPPING
from telemetry.sdk.contexts import read_context

__all__ = ["Incoming", "prepare", "rejection", "unprocessable"]

logger = logging.getLogger("telemetry.sdk")


class Incoming(msgspec.Struct, frozen=True):
    """An event as the app gave it, with what had to be left out of its context. Not redacted: never log it."""

    envelope: Envelope
    violations: tuple[Violation, ...] = ()

    def __repr__(self) -> str:
        return f"Incoming(id={self.envelope.id!r})"


def prepare(name: Any, version: Any, properties: Any, context: Any, event_id: Any, occurred_at: Any) -> Incoming:
    """Return the event with a context; everything else is as given, for the core to judge.

    A mapping of properties is copied at its first level, because the event may have to wait.
    """
    around, left_out = read_context(context)
    if properties is None:
        properties = EMPTY_MAPPING
    elif isinstance(properties, Mapping):
        properties = dict(properties)
    envelope = Envelope(
        id=str(event_id) if isinstance(event_id, UUID) else event_id,
        name=name,
        version=version,
        occurred_at=occurred_at,
        properties=properties,
        context=around,
    )
    return Incoming(envelope, left_out)


def rejection(code: ViolationCode, path: str, message: str) -> Rejected:
    """Return a rejection with this one violation."""
    return Rejected(violations=(Violation(code=code, path=path, message=message),))


def unprocessable(error: Exception) -> Rejected:
    """Return the rejection for an event on which our own code, or an object in the event, raised; and log it.

    The type only: the error's message may quote the event.
    """
    kind = type(error).__name__
    logger.error("event.not_processed error=%s", kind)
    return rejection(ViolationCode.UNSAFE_VALUE, "", f"could not be processed ({kind})")
