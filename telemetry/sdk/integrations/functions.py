"""Contract telemetry for any function: what is tracked when it returns, and when it raises."""

import functools
import inspect
import time
from collections.abc import Callable, Mapping
from typing import Any, ParamSpec, TypeVar, cast

from telemetry.core.operations import OperationContext, OperationMeta, OperationTelemetry, Run, Tracks
from telemetry.core.operations.tracking import atrack_run, track_run

__all__ = ["tracked"]

P = ParamSpec("P")
R = TypeVar("R")
ContextOf = Callable[[Mapping[str, Any]], OperationContext]


def tracked(
    tracker: Tracks,
    telemetry: OperationTelemetry[Any, Any],
    *,
    context: ContextOf | None = None,
    on_error: Callable[[Exception], object] | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A decorator: each call of the function, sync or async, is tracked as it ends.

    Triggers see the call as a ``Run`` whose input are the arguments by name. ``context`` makes who and where of them.
    What the function answers or raises is passed on as it is; an error while tracking reaches ``on_error`` only.
    """

    def decorate(function: Callable[P, R]) -> Callable[P, R]:
        call = _Call(function, tracker, telemetry, context, on_error)

        @functools.wraps(function)
        def run(*args: P.args, **kwargs: P.kwargs) -> R:
            started = time.perf_counter()
            try:
                answer = function(*args, **kwargs)
            except Exception as error:
                track_run(telemetry.failure, call.ended(started, args, kwargs, error=error), call.context(args, kwargs))
                raise
            track_run(telemetry.success, call.ended(started, args, kwargs, output=answer), call.context(args, kwargs))
            return answer

        @functools.wraps(function)
        async def arun(*args: P.args, **kwargs: P.kwargs) -> Any:
            started = time.perf_counter()
            try:
                answer = await cast("Any", function(*args, **kwargs))
            except Exception as error:
                ended = call.ended(started, args, kwargs, error=error)
                await atrack_run(telemetry.failure, ended, call.context(args, kwargs))
                raise
            ended = call.ended(started, args, kwargs, output=answer)
            await atrack_run(telemetry.success, ended, call.context(args, kwargs))
            return answer

        return cast("Callable[P, R]", arun) if inspect.iscoroutinefunction(function) else run

    return decorate


class _Call:
    """What is known of every call of one function."""

    def __init__(
        self,
        function: Callable[..., Any],
        tracker: Tracks,
        telemetry: OperationTelemetry[Any, Any],
        context: ContextOf | None,
        on_error: Callable[[Exception], object] | None,
    ) -> None:
        self._signature = inspect.signature(function)
        self._meta = OperationMeta(name=f"{function.__module__}.{function.__qualname__}")
        self._tracker = tracker
        self._telemetry = telemetry
        self._context = context
        self._on_error = on_error

    def ended(
        self,
        started: float,
        args: tuple[Any, ...],
        kwargs: Mapping[str, Any],
        *,
        output: object = None,
        error: Exception | None = None,
    ) -> Run[Any, Any]:
        """The call, as triggers see it."""
        return Run(
            operation=self._meta,
            input=self._arguments(args, kwargs),
            output=output,
            error=error,
            duration_ms=(time.perf_counter() - started) * 1000,
        )

    def context(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> OperationContext:
        """Who and where; an error on the way is told, and leaves both out."""
        made = OperationContext()
        try:
            made = made if self._context is None else self._context(self._arguments(args, kwargs))
        except Exception as error:  # noqa: BLE001  a call is worth more than what describes it
            if self._on_error is not None:
                self._on_error(error)
        made.telemetry = self._tracker
        made.on_telemetry_error = self._on_error
        return made

    def _arguments(self, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name; those that do not fit the function, which has raised by then, under their own."""
        try:
            bound = self._signature.bind(*args, **kwargs)
        except TypeError:
            return dict(kwargs)
        bound.apply_defaults()
        return dict(bound.arguments)
