"""Events to PostHog, through the request functions of its official client."""

from collections.abc import Sequence
from typing import Any, ClassVar

from posthog import request
from posthog.version import VERSION

from telemetry.providers.base import Connection, Delivery, Settings
from telemetry.providers.outgoing.session import TOTAL_SECONDS, GuardedSession
from telemetry.sdk.provider import analytics_properties, distinct_id

__all__ = ["PostHogClient", "PostHogSettings"]


class PostHogSettings(Settings, frozen=True, kw_only=True):
    """``host`` takes events: https://us.i.posthog.com, https://eu.i.posthog.com or a server of your own."""

    host: str = request.US_INGESTION_ENDPOINT


class PostHogClient:
    """One call of ``batch_post`` for each delivery.

    The client's own queue hands events over later and tells nobody how that went, so only what it uses to call PostHog
    is used here. PostHog knows an event by its ``uuid``, which is the event's id.
    """

    settings_type: ClassVar[type[Settings]] = PostHogSettings
    needs_credential: ClassVar[bool] = True
    credential_label: ClassVar[str] = "Project API key"
    most_events: ClassVar[int] = 500

    def address_of(self, settings: PostHogSettings) -> tuple[str, str]:
        """The host, and the address of batches there."""
        return "host", f"{settings.host.rstrip('/')}{request.EVENTS_ENDPOINT}"

    def send(self, connection: Connection, deliveries: Sequence[Delivery], session: GuardedSession) -> None:
        """PostHog has the events."""
        settings: PostHogSettings = connection.settings
        request.batch_post(
            connection.credential,
            settings.host,
            gzip=True,
            timeout=TOTAL_SECONDS,
            session=session,
            batch=[_message(delivery) for delivery in deliveries],
            historical_migration=False,
        )


def _message(delivery: Delivery) -> dict[str, Any]:
    dispatch = delivery.dispatch
    who = distinct_id(dispatch)
    properties = {
        **analytics_properties(dispatch),
        "$lib": "posthog-python",
        "$lib_version": VERSION,
        "telemetry_delivery_id": str(delivery.id),
    }
    if dispatch.context.session_id is not None:
        properties["telemetry_session"] = dispatch.context.session_id
    if who == dispatch.id:
        # Nobody is known: no person is made of an event's id.
        properties["$process_person_profile"] = False
    return {
        "event": dispatch.name,
        "distinct_id": who,
        "properties": properties,
        "timestamp": dispatch.occurred_at.isoformat(),
        "uuid": dispatch.id,
    }
