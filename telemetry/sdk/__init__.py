"""The tracker: what an app needs to send events that obey their spec. Imports the core, never Django.

::

    from telemetry.sdk import InMemoryProvider, TelemetryTracker

    tracker = TelemetryTracker.from_studio("https://studio.example.com", api_key, providers=[InMemoryProvider()])
    tracker.track("sigil.telemetry.workflow_step", 1, {"workflow": "onboarding", "step": "verify_email"})
"""

from telemetry.sdk.counts import TrackerStats
from telemetry.sdk.following import ConfigStatus
from telemetry.sdk.hold import Held
from telemetry.sdk.identifiers import new_event_id
from telemetry.sdk.provider import DeliveryStats, Provider, analytics_properties, distinct_id
from telemetry.sdk.providers import (
    HttpProvider,
    InMemoryProvider,
    InternalProvider,
    LoggingProvider,
    PostHogProvider,
    SegmentProvider,
    TransportStats,
)
from telemetry.sdk.queue import QueuedProvider, QueueSettings
from telemetry.sdk.rules import RuleSource
from telemetry.sdk.studio import ConfigState
from telemetry.sdk.tracker import TelemetryTracker, TrackerOptions

__all__ = [
    "ConfigState",
    "ConfigStatus",
    "DeliveryStats",
    "Held",
    "HttpProvider",
    "InMemoryProvider",
    "InternalProvider",
    "LoggingProvider",
    "PostHogProvider",
    "Provider",
    "QueueSettings",
    "QueuedProvider",
    "RuleSource",
    "SegmentProvider",
    "TelemetryTracker",
    "TrackerOptions",
    "TrackerStats",
    "TransportStats",
    "analytics_properties",
    "distinct_id",
    "new_event_id",
]
