"""The addresses of Segment's clients."""

import base64
import binascii

from django.http import HttpRequest, HttpResponse

from studio.api.compat.bodies import expand, read_body, read_json
from studio.api.compat.refusals import refusals_in
from studio.api.compat.segment.mapping import CALLS, Batch, key_in, read_batch, read_call
from studio.api.compat.values import mapping_of
from studio.api.compat.views import ClientView, json_answer
from telemetry.core.documents import refusal
from telemetry.core.enums import EventSource
from telemetry.services.ingest.processed import BatchResult

__all__ = ["BatchView", "CallView"]


class BatchView(ClientView):
    """``/v1/batch``: calls of all kinds. The write key is the user name of the header, or stands in the body."""

    source = EventSource.SEGMENT

    def post(self, request: HttpRequest) -> HttpResponse:
        """The calls are taken."""
        body = read_json(expand(read_body(request)))
        batch = read_batch(body)
        if batch is None:
            raise refusal("wrong_type", "must be an object with a list of calls as its batch")
        key = _user_name(request) or key_in(body)
        result = self.receive(request, key, lambda _: (read_call(record, batch=batch) for record in batch.records))
        return _answer(result)


class CallView(ClientView):
    """``/v1/track`` and its like, as browsers send them: one call, whose kind the address says."""

    source = EventSource.SEGMENT

    def post(self, request: HttpRequest, call: str) -> HttpResponse:
        """The call is taken."""
        body = read_json(expand(read_body(request)))
        alone = Batch([body], {}, None)
        key = _user_name(request) or key_in(mapping_of(body))
        result = self.receive(request, key, lambda _: [read_call(body, batch=alone, kind=CALLS[call])])
        return _answer(result)


def _user_name(request: HttpRequest) -> str | None:
    """The user name of basic authentication, where Segment's clients put the write key. Source: RFC 7617."""
    scheme, _, credentials = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(credentials.strip(), validate=True).decode().partition(":")[0] or None
    except (binascii.Error, ValueError):
        return None


def _answer(result: BatchResult) -> HttpResponse:
    refused = refusals_in(result)
    return json_answer({"success": True, "rejected": refused} if refused else {"success": True})
