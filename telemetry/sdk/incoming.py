"""From the arguments of ``track`` to an envelope, and rejections for what never becomes one."""

import logging
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec

from telemetry.core.enums import ViolationCode
from telemetry.core.events import Context, Envelope, Rejected, Violation
from telemetry.sdk.contexts import read_context

__all__ = ["Given", "Incoming", "prepare", "rejection", "unprocessable"]

logger = logging.getLogger("telemetry.sdk")


class Given(msgspec.Struct, frozen=True):
    """The arguments of one ``track`` call, unchecked. Not redacted: never log it."""

    name: Any
    version: Any
    properties: Any
    context: Context | Mapping[str, Any] | None
    event_id: Any
    occurred_at: Any

    def __repr__(self) -> str:
        return "Given()"


class Incoming(msgspec.Struct, frozen=True):
    """An event as the app gave it, with what had to be left out of its context. Not redacted: never log it."""

    envelope: Envelope
    violations: tuple[Violation, ...] = ()

    def __repr__(self) -> str:
        return f"Incoming(id={self.envelope.id!r})"


def prepare(given: Given, *, clock: Callable[[], datetime], id_factory: Callable[[], str]) -> Incoming:
    """Return the event with an id, an instant and a context; everything else is as given, for the core to judge.

    A mapping of properties is copied at its first level, because the event may have to wait.
    """
    context, left_out = read_context(given.context)
    properties = {} if given.properties is None else given.properties
    envelope = Envelope(
        id=_text_of(id_factory() if given.event_id is None else given.event_id),
        name=given.name,
        version=given.version,
        occurred_at=clock() if given.occurred_at is None else given.occurred_at,
        properties=dict(properties) if isinstance(properties, Mapping) else properties,
        context=context,
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


def _text_of(event_id: Any) -> Any:
    return str(event_id) if isinstance(event_id, UUID) else event_id
