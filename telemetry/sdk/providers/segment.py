"""Events to Segment, through the official client that the app has made."""

from typing import Any, Protocol

from telemetry.core.events import Dispatch
from telemetry.sdk.provider import analytics_properties, distinct_id

__all__ = ["SegmentClient", "SegmentProvider"]


class SegmentClient(Protocol):
    """What is used of ``segment.analytics.Client`` (2.x)."""

    def track(
        self,
        *,
        user_id: str | None,
        anonymous_id: str | None,
        event: str,
        properties: dict[str, Any],
        timestamp: Any,
        message_id: str,
    ) -> Any:
        """Queue one event in the client."""


class SegmentProvider:
    """Tracks each event with the app's client, which batches and retries by itself.

    ``user_id`` is the user's pseudonym; without one, ``anonymous_id`` is the session's pseudonym or the event's id.
    ``message_id`` is the event's id, so Segment counts a retried event once.
    """

    def __init__(self, client: SegmentClient, provider_id: str = "segment") -> None:
        self.id = provider_id
        self._client = client

    def send(self, dispatch: Dispatch, /) -> None:
        """Hand one event to the client."""
        user_id = dispatch.context.user_id
        self._client.track(
            user_id=user_id,
            anonymous_id=None if user_id else distinct_id(dispatch),
            event=dispatch.name,
            properties=analytics_properties(dispatch),
            timestamp=dispatch.occurred_at,
            message_id=dispatch.id,
        )
