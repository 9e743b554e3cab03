"""The address of OpenTelemetry's log exporters."""

import json

from django.http import HttpRequest, HttpResponse

from studio.api.compat.bodies import read_body
from studio.api.compat.otlp.mapping import read_request
from studio.api.compat.otlp.wire import JSON, PROTOBUF, decode, encode_answer, encode_error
from studio.api.compat.refusals import refusals_in
from studio.api.compat.views import ClientView
from studio.api.errors import UnsupportedBody
from telemetry.core.enums import EventOutcome, EventSource
from telemetry.services.ingest.processed import BatchResult

__all__ = ["LogsView"]


class LogsView(ClientView):
    """``/v1/logs``, with the key in the header ``Authorization``. Answers are in the encoding of the request."""

    source = EventSource.OTLP

    def post(self, request: HttpRequest) -> HttpResponse:
        """The records are taken; those that are no events, or break their contract, are a partial success."""
        if request.content_type not in (PROTOBUF, JSON):
            raise UnsupportedBody(f"the content type must be {PROTOBUF} or {JSON}")
        logs = decode(read_body(request), request.content_type)
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        key = key.strip() if scheme.lower() == "bearer" else ""
        result = self.receive(request, key, lambda _: read_request(logs))
        refused = result.counts()[EventOutcome.REJECTED]
        content = encode_answer(request.content_type, rejected=refused, message=_reasons(result))
        return HttpResponse(content, content_type=request.content_type)

    def refuse(self, request: HttpRequest, error: Exception) -> HttpResponse:
        """The answer for what was raised, with the body that OTLP wants."""
        answer = super().refuse(request, error)
        content_type = JSON if request.content_type == JSON else PROTOBUF
        detail = json.loads(answer.content)["detail"]
        answer.content = encode_error(content_type, status=answer.status_code, message=detail)
        answer["Content-Type"] = content_type
        return answer


def _reasons(result: BatchResult) -> str:
    """The broken rules of refused records, each once, with the place of the first record that breaks it."""
    first: dict[str, int] = {}
    for refused in refusals_in(result):
        for violation in refused["violations"]:
            first.setdefault(f"{violation.path} {violation.message}".strip(), refused["index"])
    return "; ".join(f"record {place}: {reason}" for reason, place in first.items())[:2000]
