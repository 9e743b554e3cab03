"""Contract telemetry for Celery: what is tracked when tasks succeed, fail and are tried again."""

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import msgspec
from celery import signals

from telemetry.core.operations import OperationContext, OperationMeta, Run, TelemetryTrigger, Tracks
from telemetry.core.operations.tracking import track_run

__all__ = ["TaskTelemetry", "connect"]

# Of tasks whose end nobody tells, the oldest are forgotten beyond this.
_MOST_STARTED = 10_000


class TaskTelemetry(msgspec.Struct, frozen=True, kw_only=True):
    """What is tracked of a task. Triggers see the run with its keyword arguments as input, and its answer as output."""

    success: TelemetryTrigger[Any, Any] | None = None
    failure: TelemetryTrigger[Any, Any] | None = None
    retry: TelemetryTrigger[Any, Any] | None = None


def connect(
    tracker: Tracks,
    telemetry: Mapping[str, TaskTelemetry] | Callable[[str], TaskTelemetry | None],
    *,
    context: Callable[[Any], OperationContext] | None = None,
    on_error: Callable[[Exception], object] | None = None,
) -> Callable[[], None]:
    """Tasks of this process are tracked from now on, until the function that is returned is called.

    ``telemetry`` says by the name of a task what is tracked of it. ``context`` makes who and where of the task.
    Positional arguments are not shown to triggers: what they mean, only the task knows.
    """
    watcher = _Watcher(tracker, telemetry, context, on_error)
    handlers = (
        (signals.task_prerun, watcher.start),
        (signals.task_success, watcher.succeed),
        (signals.task_failure, watcher.fail),
        (signals.task_retry, watcher.retry),
    )
    for signal, handler in handlers:
        signal.connect(handler, weak=False)

    def disconnect() -> None:
        for signal, handler in handlers:
            signal.disconnect(handler)

    return disconnect


class _Watcher:
    """Hears the signals of one connection."""

    def __init__(
        self,
        tracker: Tracks,
        telemetry: Mapping[str, TaskTelemetry] | Callable[[str], TaskTelemetry | None],
        context: Callable[[Any], OperationContext] | None,
        on_error: Callable[[Exception], object] | None,
    ) -> None:
        self._tracker = tracker
        self._telemetry = telemetry if callable(telemetry) else telemetry.get
        self._context = context
        self._on_error = on_error
        self._started: dict[str, float] = {}

    def start(self, task_id: str = "", **_signal: Any) -> None:
        """The clock of the task starts."""
        while len(self._started) >= _MOST_STARTED:
            self._started.pop(next(iter(self._started)))
        self._started[task_id] = time.perf_counter()

    def succeed(self, sender: Any = None, result: object = None, **_signal: Any) -> None:
        """The task has answered."""
        self._track(sender, "success", output=result)

    def fail(self, sender: Any = None, exception: Exception | None = None, **_signal: Any) -> None:
        """The task has failed for good."""
        self._track(sender, "failure", error=exception)

    def retry(self, sender: Any = None, reason: object = None, **_signal: Any) -> None:
        """The task will be tried again."""
        cause = getattr(reason, "exc", None)
        error = cause if isinstance(cause, Exception) else reason if isinstance(reason, Exception) else None
        self._track(sender, "retry", error=error)

    def _track(self, task: Any, end: str, *, output: object = None, error: Exception | None = None) -> None:
        """Never raises: a signal's handler must not end a task."""
        try:
            said = self._telemetry(task.name)
            if said is None:
                return
            started = self._started.pop(task.request.id, None)
            run: Run[Any, Any] = Run(
                operation=OperationMeta(name=task.name),
                input=dict(task.request.kwargs or {}),
                output=output,
                error=error,
                duration_ms=None if started is None else (time.perf_counter() - started) * 1000,
            )
            made = OperationContext() if self._context is None else self._context(task)
            made.telemetry = self._tracker
            made.on_telemetry_error = self._on_error
            track_run(getattr(said, end), run, made)
        except Exception as problem:  # noqa: BLE001  whatever goes wrong is told, and the task goes on
            with suppress(Exception):
                if self._on_error is not None:
                    self._on_error(problem)
