"""Ready-made providers. Clients of analytics services are the app's own objects: nothing here imports them."""

from telemetry.sdk.providers.http import HttpProvider
from telemetry.sdk.providers.internal import InternalProvider, TransportStats
from telemetry.sdk.providers.logs import LoggingProvider
from telemetry.sdk.providers.memory import InMemoryProvider
from telemetry.sdk.providers.posthog import PostHogClient, PostHogProvider
from telemetry.sdk.providers.segment import SegmentClient, SegmentProvider

__all__ = [
    "HttpProvider",
    "InMemoryProvider",
    "InternalProvider",
    "LoggingProvider",
    "PostHogClient",
    "PostHogProvider",
    "SegmentClient",
    "SegmentProvider",
    "TransportStats",
]
