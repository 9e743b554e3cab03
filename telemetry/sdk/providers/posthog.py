"""Events to PostHog, through the official client that the app has made."""

from typing import Any, Protocol
from uuid import NAMESPACE_URL, UUID, uuid5

from telemetry.core.events import Dispatch
from telemetry.sdk.provider import analytics_properties, distinct_id

__all__ = ["PostHogClient", "PostHogProvider"]


class PostHogClient(Protocol):
    """What is used of ``posthog.Posthog``; versions 3 to 7 take these keywords."""

    def capture(self, *, event: str, distinct_id: str, properties: dict[str, Any], timestamp: Any, uuid: str) -> Any:
        """Queue one event in the client."""


class PostHogProvider:
    """Captures each event with the app's client, which batches and retries by itself.

    The distinct id is a pseudonym or the event's id, never a raw user id. An event without user and session makes no
    person profile. A retried event keeps its UUID, so PostHog counts it once; ids that are no UUIDs get a stable one.
    """

    def __init__(self, client: PostHogClient, provider_id: str = "posthog") -> None:
        self.id = provider_id
        self._client = client

    def send(self, dispatch: Dispatch, /) -> None:
        """Hand one event to the client."""
        who = distinct_id(dispatch)
        properties = analytics_properties(dispatch)
        if who == dispatch.id:
            properties["$process_person_profile"] = False
        self._client.capture(
            event=dispatch.name,
            distinct_id=who,
            properties=properties,
            timestamp=dispatch.occurred_at,
            uuid=_uuid_of(dispatch.id),
        )


def _uuid_of(event_id: str) -> str:
    # PostHog throws away events whose uuid is not one.
    try:
        return str(UUID(event_id))
    except ValueError:
        return str(uuid5(NAMESPACE_URL, f"telemetry-event:{event_id}"))
