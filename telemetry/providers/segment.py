"""Events to Segment, through the request function of its official client."""

from collections.abc import Sequence
from contextvars import ContextVar
from typing import Any, ClassVar

import msgspec
import requests
from segment.analytics import request
from segment.analytics.consumer import BATCH_SIZE_LIMIT, MAX_MSG_SIZE

from telemetry.providers.base import Connection, Delivery, RefusedEvents, Settings
from telemetry.providers.outgoing.session import TOTAL_SECONDS, GuardedSession
from telemetry.sdk.provider import analytics_properties, distinct_id

__all__ = ["SegmentClient", "SegmentSettings"]

_session: ContextVar[GuardedSession] = ContextVar("segment_session")


class _Routed(requests.Session):
    """Passes each call on to the guarded session of whoever makes it; a call from anywhere else fails."""

    def request(self, *args: Any, **kwargs: Any) -> requests.Response:
        """The answer of the guarded session."""
        return _session.get().request(*args, **kwargs)


# The client has one session for the whole process and no way to give it another one. A test sees to it that its calls
# come through here.
request._session = _Routed()


class SegmentSettings(Settings, frozen=True, kw_only=True):
    """``host`` takes events: https://api.segment.io, or https://events.eu1.segmentapis.com in Europe."""

    host: str = "https://api.segment.io"


class SegmentClient:
    """One call of ``post`` for each delivery.

    The client's own queue hands events over later, so only what it uses to call Segment is used here. Segment knows an
    event by its ``messageId``, which is the event's id.
    """

    settings_type: ClassVar[type[Settings]] = SegmentSettings
    needs_credential: ClassVar[bool] = True
    credential_label: ClassVar[str] = "Write key"
    most_events: ClassVar[int] = 100

    def address_of(self, settings: SegmentSettings) -> tuple[str, str]:
        """The host, and the address of batches there."""
        return "host", f"{settings.host.rstrip('/')}/v1/batch"

    def send(self, connection: Connection, deliveries: Sequence[Delivery], session: GuardedSession) -> None:
        """Segment has the events; in several calls when they are too large for one."""
        settings: SegmentSettings = connection.settings
        token = _session.set(session)
        try:
            for batch in _batches([_message(delivery) for delivery in deliveries]):
                request.post(connection.credential, settings.host, gzip=True, timeout=TOTAL_SECONDS, batch=batch)
        finally:
            _session.reset(token)


def _batches(messages: Sequence[dict[str, Any]]) -> list[list[dict[str, Any]]]:
    """The messages in order, in batches below Segment's limit; raises ``RefusedEvents`` for one above that of events.

    Segment answers such an event with success and throws it away. Source: the client's own ``Consumer``.
    """
    batches: list[list[dict[str, Any]]] = []
    size = BATCH_SIZE_LIMIT
    for message in messages:
        length = len(msgspec.json.encode(message))
        if length > MAX_MSG_SIZE:
            raise RefusedEvents("too_large")
        if size + length > BATCH_SIZE_LIMIT:
            batches.append([])
            size = 0
        batches[-1].append(message)
        size += length
    return batches


def _message(delivery: Delivery) -> dict[str, Any]:
    dispatch = delivery.dispatch
    user = dispatch.context.user_id
    return {
        "type": "track",
        "event": dispatch.name,
        "userId": user,
        "anonymousId": None if user else distinct_id(dispatch),
        "properties": {**analytics_properties(dispatch), "telemetry_delivery_id": str(delivery.id)},
        "context": {"library": {"name": "analytics-python", "version": request.VERSION}},
        "timestamp": dispatch.occurred_at.isoformat(),
        "messageId": dispatch.id,
        "integrations": {},
    }
