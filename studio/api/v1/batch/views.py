"""The address that takes batches of events."""

from collections.abc import Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import msgspec
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request

from studio.api.ingest.bodies import read_content
from studio.api.ingest.reading import MOST_ITEMS, BatchReader, too_many_items
from studio.api.ingest.views import IngestView
from studio.api.v1.batch.serializers import BatchAnswer, EventBatch, ItemAnswer, ItemViolation
from studio.api.v1.examples import EVENT_BATCH
from studio.arrivals import events_arrived
from telemetry.core.enums import EventOutcome, EventSource
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.events import Envelope
from telemetry.core.reports import Report
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.processed import BatchResult
from telemetry.services.ingest.service import ingest_batch

__all__ = ["EventBatchView"]

ENCODING: Final = OpenApiParameter(
    "Content-Encoding", str, OpenApiParameter.HEADER, description="gzip, zstd or identity.", enum=["gzip", "zstd"]
)

_reader = BatchReader(EventBatch, key="events")
_encode = msgspec.json.Encoder().encode


class EventBatchView(IngestView):
    """``/api/v1/events/batch``."""

    @extend_schema(
        operation_id="sendEvents",
        parameters=[ENCODING],
        request=EventBatch,
        responses=BatchAnswer,
        examples=[EVENT_BATCH],
    )
    def post(self, request: Request) -> HttpResponse:
        """Takes up to 1,000 events, 5 MB compressed or not. Needs the scope `ingest`.

        The answer comes after the commit, so what it calls stored is stored. An event's `id` makes sending it again
        harmless: after a timeout or a 503, send the same batch again. One bad event does not harm the others: what was
        not stored is listed with its index. 400 with the indexes in `errors` when not one event could be taken.
        """
        batch, events = _reader.read(read_content(request._request))
        if len(events) + len(batch.reports) > MOST_ITEMS:
            raise too_many_items("reports")
        incoming = _incoming(batch, events) + [_reported(batch, each) for each in batch.reports]
        result = ingest_batch(installation=self.installation(request), events=incoming, received_at=timezone.now())
        counts = result.counts()
        events_arrived(EventSource.BATCH.value, counts, result.provider_ids)
        if not batch.reports:
            _refuse_hopeless(result)
        return HttpResponse(_encode(_answer(result, counts)), content_type="application/json")


def _incoming(batch: EventBatch, events: Sequence[Any]) -> list[Incoming]:
    source, app_version, sent_at = EventSource.BATCH, batch.app_version, batch.sent_at
    return [
        Incoming(each, source, None, app_version, sent_at) if type(each) is Envelope else Incoming(None, source, each)
        for each in events
    ]


def _reported(batch: EventBatch, report: Report) -> Incoming:
    envelope = Envelope(
        id=report.id,
        name=report.name,
        version=report.version,
        occurred_at=report.occurred_at,
        properties=report.properties,
        context=report.context,
    )
    return Incoming(
        envelope=envelope,
        report=report,
        source=EventSource.INTERNAL,
        app_version=batch.app_version,
        sent_at=batch.sent_at,
    )


def _refuse_hopeless(result: BatchResult) -> None:
    """Return if any event of the batch was taken, now or before, or there was none; what was counted stays counted."""
    if not result.events or any(event.word is not EventOutcome.REJECTED for event in result.events):
        return
    errors = [
        FieldError(
            violation.code.value, f"events[{index}]{'.' if violation.path else ''}{violation.path}", violation.message
        )
        for index, item in result.remarkable()
        for violation in item.violations
    ]
    raise InvalidDocument(errors, what="batch")


def _answer(result: BatchResult, counts: Mapping[EventOutcome, int]) -> BatchAnswer:
    by_word = {outcome.value: counts.get(outcome, 0) for outcome in EventOutcome}
    items = tuple(
        ItemAnswer(
            index=index,
            outcome=item.outcome,
            id=None if item.event_id is None else UUID(item.event_id),
            violations=tuple(
                ItemViolation(code=each.code, path=each.path, message=each.message) for each in item.violations
            ),
        )
        for index, item in result.remarkable()
    )
    return BatchAnswer(received=len(result.events), items=items, **by_word)
