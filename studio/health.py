"""Is this process alive, and can it serve?

Answered before anything else looks at the request: a probe asks by address, has no session, and may use plain HTTP.
Bodies say yes or no and nothing about why; the reason is in the log.
"""

import logging
from collections.abc import Callable
from time import time
from typing import Any

import psycopg
import redis
from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils import timezone

from telemetry.selectors.evaluation import IS_LATE, LATE_AFTER
from telemetry.services.partitions import days_prepared
from telemetry.stores.partitions import EXISTING, group_partitions

__all__ = ["answer_probes", "record_heartbeat"]

logger = logging.getLogger(__name__)

# Seconds that each dependency gets to answer a probe. Probes come every few seconds and must not pile up.
PATIENCE_SECONDS = 2

HEARTBEAT_KEY = "studio.heartbeat"
# One lost heartbeat is chance, three are a fault.
HEARTBEATS_UNTIL_STALE = 3
DAYS_UNTIL_RED = 2


def answer_probes(get_response: Callable[[HttpRequest], HttpResponse]) -> Callable[[HttpRequest], HttpResponse]:
    """Middleware that answers ``/healthz`` (this process) and ``/readyz`` (database and broker too); passes the rest.

    ``/readyz`` answers 503 unless both answer, each within two seconds. ``worker``, ``events`` and ``anomalies`` are
    for people: pages work without. ``events`` says ``running_out`` when in two days events would have no partition to
    go to, ``anomalies`` says ``late`` when the rules of an installation were not judged for ten minutes.
    """

    def middleware(request: HttpRequest) -> HttpResponse:
        if request.path_info == "/healthz":
            return JsonResponse({"ok": True})
        if request.path_info == "/readyz":
            return _readiness()
        return get_response(request)

    return middleware


def record_heartbeat() -> None:
    """The cache holds the present instant as the time of the last heartbeat."""
    cache.set(HEARTBEAT_KEY, time(), timeout=settings.STUDIO_HEARTBEAT_SECONDS * HEARTBEATS_UNTIL_STALE)


def _readiness() -> JsonResponse:
    database, broker = _answers("database", _ask_database), _answers("broker", _ask_broker)
    body = {
        "ok": database and broker,
        "database": "ok" if database else "down",
        "broker": "ok" if broker else "down",
        "worker": "ok" if broker and _worker_was_seen() else "stale",
        "events": _room_for_events() if database else "unknown",
        "anomalies": _anomalies_in_time() if database else "unknown",
    }
    return JsonResponse(body, status=200 if body["ok"] else 503)


def _answers(name: str, ask: Callable[[], None]) -> bool:
    try:
        ask()
    except (OSError, psycopg.Error, redis.RedisError) as error:
        # The class only: a message may hold an address with its password.
        logger.warning("health.failed", extra={"dependency": name, "error": type(error).__name__})
        return False
    return True


def _ask_database() -> None:
    """One question on a connection of its own: a probe must not wait for, or break, one that serves requests."""
    with psycopg.connect(**_probe_parameters()) as probe:
        probe.execute("SELECT 1")


def _probe_parameters() -> dict[str, Any]:
    parameters: dict[str, Any] = connection.get_connection_params() | {"connect_timeout": PATIENCE_SECONDS}
    del parameters["cursor_factory"], parameters["context"]
    return parameters


def _ask_broker() -> None:
    with redis.Redis.from_url(
        settings.REDIS_URL, socket_timeout=PATIENCE_SECONDS, socket_connect_timeout=PATIENCE_SECONDS
    ) as client:
        client.ping()


def _worker_was_seen() -> bool:
    try:
        return cache.get(HEARTBEAT_KEY) is not None
    except redis.RedisError:
        return False


def _room_for_events() -> str:
    """Whether there are partitions for the next two days; made two weeks ahead, they last while their job fails."""
    try:
        with psycopg.connect(**_probe_parameters()) as probe:
            existing = group_partitions(probe.execute(EXISTING).fetchall())
    except psycopg.Error as error:
        logger.warning("health.failed", extra={"dependency": "events", "error": type(error).__name__})
        return "unknown"
    return "ok" if days_prepared(existing) > DAYS_UNTIL_RED else "running_out"


def _anomalies_in_time() -> str:
    """Whether somebody judges anomaly rules: asked here, because whoever should might be what does not run."""
    before = timezone.now() - LATE_AFTER
    try:
        with psycopg.connect(**_probe_parameters()) as probe:
            probe.execute("SELECT set_config('studio.tenant_ids', '*', true)")
            (is_late,) = probe.execute(IS_LATE, {"before": before}).fetchone() or (False,)
    except psycopg.Error as error:
        logger.warning("health.failed", extra={"dependency": "anomalies", "error": type(error).__name__})
        return "unknown"
    return "late" if is_late else "ok"
