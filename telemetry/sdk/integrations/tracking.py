"""Tracking an exchange without ever standing in its way."""

from collections.abc import Awaitable, Callable
from contextlib import suppress

from telemetry.core.operations import OperationContext
from telemetry.sdk.integrations.exchanges import Exchange, RequestTelemetry

__all__ = ["atrack_exchange", "track_exchange"]


def track_exchange(telemetry: RequestTelemetry, exchange: Exchange, context: OperationContext) -> None:
    """The exchange is tracked, if the context has something that tracks. Never raises."""
    try:
        properties = telemetry.properties_of(exchange)
        if properties is not None and context.telemetry is not None:
            context.telemetry.track(telemetry.event, telemetry.version, properties, context.for_tracking())
    except Exception as error:  # noqa: BLE001  whatever goes wrong is told, and the request goes on
        _tell(context, error)


async def atrack_exchange(telemetry: RequestTelemetry, exchange: Exchange, context: OperationContext) -> None:
    """As ``track_exchange``, awaiting the tracker if it can be awaited."""
    atrack: Callable[..., Awaitable[object]] | None = getattr(context.telemetry, "atrack", None)
    if atrack is None:
        track_exchange(telemetry, exchange, context)
        return
    try:
        properties = telemetry.properties_of(exchange)
        if properties is not None:
            await atrack(telemetry.event, telemetry.version, properties, context.for_tracking())
    except Exception as error:  # noqa: BLE001  as above
        _tell(context, error)


def _tell(context: OperationContext, error: Exception) -> None:
    with suppress(Exception):
        if context.on_telemetry_error is not None:
            context.on_telemetry_error(error)
