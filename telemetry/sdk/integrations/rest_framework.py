"""Contract telemetry for single views of Django REST framework."""

import time
from typing import Any, ClassVar

from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from telemetry.core.operations import OperationContext, Tracks
from telemetry.sdk.integrations.exchanges import Exchange, RequestTelemetry
from telemetry.sdk.integrations.tracking import track_exchange

__all__ = ["TelemetryView"]


class TelemetryView(APIView):
    """A view that tracks an event with each of its answers, after the framework has turned errors into answers.

    Set ``tracker`` and ``telemetry`` on the class; override ``telemetry_context`` to say who and where.
    """

    tracker: ClassVar[Tracks]
    telemetry: ClassVar[RequestTelemetry]

    def telemetry_context(self, request: Request) -> OperationContext:  # noqa: ARG002  for those who override it
        """Who and where; nothing is said about either unless a view does."""
        return OperationContext()

    def initialize_request(self, request: Any, *args: Any, **kwargs: Any) -> Request:
        """The framework's request; the clock starts here."""
        self._started = time.perf_counter()
        return super().initialize_request(request, *args, **kwargs)

    def handle_exception(self, exc: Exception) -> Response:
        """The framework's answer to an error, which triggers see as well."""
        self._problem: Exception | None = exc
        return super().handle_exception(exc)

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """The framework's answer, which is tracked."""
        final = super().finalize_response(request, response, *args, **kwargs)
        match = request.resolver_match
        exchange = Exchange(
            method=request.method or "",
            route=match.route if match is not None else None,
            status=final.status_code,
            duration_ms=(time.perf_counter() - self._started) * 1000,
            error=getattr(self, "_problem", None),
        )
        track_exchange(self.telemetry, exchange, self._context(request))
        return final

    def _context(self, request: Request) -> OperationContext:
        try:
            made = self.telemetry_context(request)
        except Exception:  # noqa: BLE001  a request is worth more than what describes it
            made = OperationContext()
        made.telemetry = made.telemetry or self.tracker
        return made
