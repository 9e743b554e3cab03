"""What is tracked of a request and its answer, whatever framework took it."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

__all__ = ["Exchange", "RequestTelemetry"]


class Exchange(msgspec.Struct, frozen=True, kw_only=True):
    """A request and how it was answered, without anything that somebody typed.

    ``route`` is the pattern that took the request, such as ``orders/<int:id>``, never the address, which may carry ids;
    ``None`` if nothing took it. ``status`` is that of the answer, 500 if an error ended it; ``error`` is that error.
    """

    method: str
    route: str | None
    status: int
    duration_ms: float
    error: Exception | None = None


class RequestTelemetry(msgspec.Struct, frozen=True, kw_only=True):
    """The event that is tracked with each answer.

    ``properties`` makes what it carries, or ``None`` to track nothing; without it: method, route, status, durationMs.
    What is tracked obeys the telemetry spec of the event.
    """

    event: str
    version: int | None = None
    properties: Callable[[Exchange], Mapping[str, Any] | None] | None = None

    def properties_of(self, exchange: Exchange) -> Mapping[str, Any] | None:
        """What the event carries."""
        if self.properties is not None:
            return self.properties(exchange)
        said = {"method": exchange.method, "status": exchange.status, "durationMs": exchange.duration_ms}
        return said if exchange.route is None else {**said, "route": exchange.route}
