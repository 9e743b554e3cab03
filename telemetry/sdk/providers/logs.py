"""Events as log records, for development and for log pipelines."""

import logging

import msgspec

from telemetry.core.events import Dispatch

__all__ = ["LoggingProvider"]


class LoggingProvider:
    """Writes each event as one log record: ``event.dispatched`` and the redacted event as JSON on one line.

    The event is also on the record as ``dispatch``, built from plain types, for handlers that write structured logs.
    """

    def __init__(
        self, provider_id: str = "log", *, logger: logging.Logger | None = None, level: int = logging.INFO
    ) -> None:
        self.id = provider_id
        self._logger = logger or logging.getLogger("telemetry.events")
        self._level = level

    def send(self, dispatch: Dispatch, /) -> None:
        """Log one event, when the logger's level asks for it."""
        if self._logger.isEnabledFor(self._level):
            text = msgspec.json.encode(dispatch).decode()
            self._logger.log(
                self._level, "event.dispatched %s", text, extra={"dispatch": msgspec.to_builtins(dispatch)}
            )
