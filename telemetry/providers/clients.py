"""The client of each kind of provider."""

from functools import cache
from importlib import import_module
from typing import Final, cast

from telemetry.models import ProviderKind
from telemetry.providers.base import ProviderClient

__all__ = ["client_of"]

_CLIENTS: Final = {
    ProviderKind.POSTHOG: ("telemetry.providers.posthog", "PostHogClient"),
    ProviderKind.SEGMENT: ("telemetry.providers.segment", "SegmentClient"),
    ProviderKind.OPENTELEMETRY: ("telemetry.providers.opentelemetry", "OpenTelemetryClient"),
    ProviderKind.INTERNAL: ("telemetry.providers.internal", "InternalClient"),
    ProviderKind.WEBHOOK: ("telemetry.providers.webhook", "WebhookClient"),
}


@cache
def client_of(kind: str) -> ProviderClient:
    """The client of this kind, imported when it is first asked for.

    Their packages take a second to import, which no start of a web process or command should have to wait for.
    """
    module, name = _CLIENTS[ProviderKind(kind)]
    return cast("ProviderClient", getattr(import_module(module), name)())
