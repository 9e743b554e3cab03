"""The addresses of PostHog's clients."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.http import HttpRequest, HttpResponse

from studio.api.compat.bodies import read_body
from studio.api.compat.posthog.answers import FLAGS, REMOTE_CONFIG, REMOTE_CONFIG_SCRIPT, arrival, results
from studio.api.compat.posthog.mapping import Batch, key_in, read_batch, read_event
from studio.api.compat.posthog.wire import decode
from studio.api.compat.values import instant_of, instant_of_milliseconds
from studio.api.compat.views import ClientView, json_answer
from telemetry.core.documents import refusal
from telemetry.core.enums import EventSource

__all__ = ["AnalyticsView", "CaptureView", "FlagsView", "RemoteConfigScriptView", "RemoteConfigView"]


class CaptureView(ClientView):
    """``/batch/``, ``/e/``, ``/capture/`` and their like: one event or many, with the project key in the body."""

    source = EventSource.POSTHOG

    def post(self, request: HttpRequest) -> HttpResponse:
        """The events are taken; a beacon is answered without a body."""
        body = decode(read_body(request), request.GET.get("compression", ""))
        batch = _batch_of(body)
        sent_at = batch.sent_at or instant_of_milliseconds(request.GET.get("sent_at"))
        result = self.receive(request, key_in(body), lambda received_at: _events(batch, sent_at, received_at))
        return HttpResponse(status=204) if request.GET.get("beacon") == "1" else json_answer(arrival(result))


class AnalyticsView(ClientView):
    """``/i/v1/analytics/events``, the newer protocol: the key in a header, a word for each event in the answer."""

    source = EventSource.POSTHOG

    def post(self, request: HttpRequest) -> HttpResponse:
        """The events are taken."""
        scheme, _, key = request.headers.get("Authorization", "").partition(" ")
        batch = _batch_of(decode(read_body(request), ""))
        sent_at = instant_of(request.headers.get("PostHog-Request-Timestamp"))
        key = key.strip() if scheme.lower() == "bearer" else ""
        result = self.receive(request, key, lambda received_at: _events(batch, sent_at, received_at))
        return json_answer(results(result))


class FlagsView(ClientView):
    """``/flags/`` and ``/decide/``: nobody has a flag. The body is not even read."""

    def post(self, request: HttpRequest) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """No flags."""
        return json_answer(FLAGS)


class RemoteConfigView(ClientView):
    """``/array/<key>/config``: what posthog-js asks for first. The key in the address is not looked at."""

    http_method_names = ["get", "head", "options"]

    def get(self, request: HttpRequest, key: str) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """Nothing but capturing."""
        return json_answer(REMOTE_CONFIG)


class RemoteConfigScriptView(RemoteConfigView):
    """The same as a script, for pages that load posthog-js as one."""

    def get(self, request: HttpRequest, key: str) -> HttpResponse:  # noqa: ARG002 - Django's signature
        """Nothing at all."""
        return HttpResponse(REMOTE_CONFIG_SCRIPT, content_type="text/javascript; charset=utf-8")


def _batch_of(body: Any) -> Batch:
    batch = read_batch(body)
    if batch is None:
        raise refusal("wrong_type", "must be an event, a list of events, or an object with them as its batch")
    return batch


def _events(batch: Batch, sent_at: datetime | None, received_at: datetime) -> Iterator[Any]:
    return (read_event(record, sent_at=sent_at, received_at=received_at) for record in batch.records)
