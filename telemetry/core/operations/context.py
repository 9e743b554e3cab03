"""Around a run: who runs it, for whom, through what, and where what it emits and tracks goes."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol

import msgspec

from telemetry.core.errors import UndeclaredEvent
from telemetry.core.events import Context

__all__ = ["Emitted", "OperationContext", "Tracks"]


class Tracks(Protocol):
    """What tracks events, such as ``telemetry.sdk.TelemetryTracker``; with ``atrack`` too, it never blocks a loop."""

    def track(
        self,
        name: str,
        version: int | None = None,
        properties: Mapping[str, Any] | None = None,
        context: Context | None = None,
    ) -> object:
        """Judge one event and hand it over."""


class Emitted(NamedTuple):
    """An event of the product that an operation emitted: name and version of its EventSpec, and the payload."""

    name: str
    version: int
    payload: Mapping[str, Any]


class OperationContext(msgspec.Struct, kw_only=True):
    """What a handler gets beside its input, and the registry around it.

    ``telemetry`` tracks; without it, nothing is tracked. ``publish`` takes the events that the handler emits.
    ``on_telemetry_error`` is told when tracking failed; the operation goes on all the same. ``allowed`` are the events
    that the running operation declares; the registry sets it.
    """

    tenant_id: str | None = None
    organization_id: str | None = None
    user_id: str | None = None
    session_id: str | None = None
    actor: str | None = None
    channel: str | None = None
    trace_id: str | None = None
    is_admin: bool = False
    telemetry: Tracks | None = None
    publish: Callable[[Emitted], object] | None = None
    on_telemetry_error: Callable[[Exception], object] | None = None
    allowed: frozenset[tuple[str, int]] | None = None
    check_payload: Callable[[Emitted], object] | None = None

    def emit(self, name: str, version: int, payload: Mapping[str, Any]) -> None:
        """Publish an event that the operation declares.

        Raises ``UndeclaredEvent`` for any other, and ``InvalidDocument`` if the payload is not as its EventSpec says.
        """
        if self.allowed is None or (name, version) not in self.allowed:
            raise UndeclaredEvent(f"the operation does not declare that it emits version {version} of the event {name}")
        emitted = Emitted(name, version, payload)
        if self.check_payload is not None:
            self.check_payload(emitted)
        if self.publish is not None:
            self.publish(emitted)

    def for_tracking(self) -> Context:
        """The context of what is tracked; the trace id stands in its metadata, where the spec has to declare it."""
        return Context(
            tenant_id=self.tenant_id,
            organization_id=self.organization_id,
            user_id=self.user_id,
            session_id=self.session_id,
            actor=self.actor,
            channel=self.channel,
            metadata={} if self.trace_id is None else {"traceId": self.trace_id},
        )
