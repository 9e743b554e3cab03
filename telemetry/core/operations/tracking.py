"""Tracking how a run ended, without ever standing in its way."""

from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from telemetry.core.operations.context import OperationContext
from telemetry.core.operations.specs import Run, TelemetryTrigger

__all__ = ["atrack_run", "track_run"]

Trigger = TelemetryTrigger[Any, Any] | None


def track_run(trigger: Trigger, run: Run[Any, Any], context: OperationContext) -> None:
    """The run is tracked, if there is a trigger and something that tracks. Never raises."""
    if trigger is None or context.telemetry is None:
        return
    try:
        context.telemetry.track(trigger.event, trigger.version, _properties(trigger, run), context.for_tracking())
    except Exception as error:  # noqa: BLE001  whatever goes wrong is told, and the operation goes on
        _tell(context, error)


async def atrack_run(trigger: Trigger, run: Run[Any, Any], context: OperationContext) -> None:
    """As ``track_run``, awaiting the tracker if it can be awaited."""
    atrack: Callable[..., Awaitable[object]] | None = getattr(context.telemetry, "atrack", None)
    if atrack is None:
        track_run(trigger, run, context)
        return
    if trigger is None:
        return
    try:
        await atrack(trigger.event, trigger.version, _properties(trigger, run), context.for_tracking())
    except Exception as error:  # noqa: BLE001  as above
        _tell(context, error)


def _properties(trigger: TelemetryTrigger[Any, Any], run: Run[Any, Any]) -> Mapping[str, Any]:
    return {} if trigger.properties is None else trigger.properties(run)


def _tell(context: OperationContext, error: Exception) -> None:
    with suppress(Exception):
        if context.on_telemetry_error is not None:
            context.on_telemetry_error(error)
