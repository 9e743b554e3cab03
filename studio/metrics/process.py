"""What web processes count as they go: requests, and what became of events. No label names a tenant, key or event."""

from collections.abc import Mapping
from typing import Final

from django.conf import settings
from prometheus_client import CollectorRegistry, Counter, Histogram
from prometheus_client.multiprocess import MultiProcessCollector

from telemetry.core.enums import EventOutcome

__all__ = ["count_config_from_memory", "count_ingested", "count_request", "counted"]

_METHODS: Final = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
# Seconds. A config takes a millisecond, a batch of 1,000 events some tenths; ten is what a call to a provider may take.
_BUCKETS: Final = (0.005, 0.025, 0.1, 0.25, 1.0, 2.5, 10.0)

_PROCESS: Final = CollectorRegistry()
_requests: Final = Counter(
    "studio_http_requests",
    "Answered requests. The way is memory for configs that were answered in front of Django.",
    ["method", "route", "status", "way"],
    registry=_PROCESS,
)
_seconds: Final = Histogram(
    "studio_http_request_seconds",
    "How long Django took to answer.",
    ["route"],
    buckets=_BUCKETS,
    registry=_PROCESS,
)
_events: Final = Counter(
    "studio_ingest_events",
    "Events by where they came in and what became of them, counted after the commit.",
    ["entry", "outcome"],
    registry=_PROCESS,
)
# The answers of the hottest path, looked up once.
_whole: Final = _requests.labels("GET", "/api/v1/config", "200", "memory")
_unchanged: Final = _requests.labels("GET", "/api/v1/config", "304", "memory")


def count_request(*, method: str, route: str, status: int, seconds: float) -> None:
    """One request that Django answered."""
    _requests.labels(method if method in _METHODS else "other", route, str(status), "django").inc()
    _seconds.labels(route).observe(seconds)


def count_config_from_memory(*, unchanged: bool) -> None:
    """One config that was answered in front of Django."""
    (_unchanged if unchanged else _whole).inc()


def count_ingested(entry: str, outcomes: Mapping[EventOutcome, int]) -> None:
    """So many events with each outcome came in there, and are committed."""
    for outcome, count in outcomes.items():
        if count:
            _events.labels(entry, outcome.value).inc(count)


def counted() -> CollectorRegistry:
    """A registry with what this process counted, or with ``STUDIO_METRICS_DIR`` all processes that share it."""
    registry = CollectorRegistry()
    if settings.STUDIO_METRICS_DIR:
        MultiProcessCollector(registry, path=settings.STUDIO_METRICS_DIR)  # type: ignore[no-untyped-call]  # untyped there
    else:
        registry.register(_PROCESS)
    return registry
