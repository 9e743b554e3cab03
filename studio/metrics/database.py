"""What is measured when Prometheus asks: what waits, how far jobs have come, what is open. Totals of all tenants."""

import logging
from collections.abc import Iterator, Mapping
from typing import Final

from django.db import Error, connection
from django.utils import timezone
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from telemetry.models import ChannelKind, NotificationState, ProviderKind
from telemetry.selectors.alerts import notifications_by_kind
from telemetry.selectors.operation import (
    Waiting,
    config_readers,
    evaluation_lag,
    events_waiting,
    incidents_by_status,
    providers_by_state,
)
from telemetry.services.partitions import days_prepared
from tenants.context import ALL, tenant_context

__all__ = ["DatabaseCollector"]

logger = logging.getLogger(__name__)

# No question may hold a connection for long because somebody asks for numbers.
_PATIENCE: Final = "SET LOCAL statement_timeout = '2s'"


class DatabaseCollector(Collector):
    """Measures anew at each call; while the database is away it says that, and nothing else."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """All gauges, each with all of its labels, also where the number is 0."""
        try:
            with tenant_context(ALL), connection.cursor() as cursor:
                cursor.execute(_PATIENCE)
                families = list(_measure())
        except Error as error:
            # The class only: a message may hold an address or a value.
            logger.warning("metrics.failed", extra={"error": type(error).__name__})
            families = []
        yield GaugeMetricFamily("studio_database_up", "Whether the database answered.", value=bool(families))
        yield from families


def _measure() -> Iterator[GaugeMetricFamily]:
    yield from _deliveries()
    yield _by_label(
        "studio_providers",
        "Providers that deliver, that fail since their last attempt, and that are switched off.",
        "state",
        providers_by_state(),
    )
    yield from _notifications()
    yield _by_label("studio_incidents", "Incidents that are not resolved.", "status", incidents_by_status())
    lag = evaluation_lag(timezone.now())
    yield GaugeMetricFamily(
        "studio_anomaly_evaluations_due", "Installations whose anomaly rules wait to be judged.", value=lag.due
    )
    yield GaugeMetricFamily(
        "studio_anomaly_evaluation_lag_seconds",
        "For how long the first of them has been due.",
        value=lag.behind.total_seconds(),
    )
    yield GaugeMetricFamily(
        "studio_event_partitions_ahead_days",
        "For how many days, today included, everything that comes has a place.",
        value=days_prepared(),
    )
    readers = config_readers()
    yield GaugeMetricFamily(
        "studio_config_readers", "Processes that hold a lease to answer configs from memory.", value=readers.all
    )
    yield GaugeMetricFamily(
        "studio_config_readers_behind",
        "Those of them that have not seen the last change of a config yet.",
        value=readers.behind,
    )


def _deliveries() -> Iterator[GaugeMetricFamily]:
    now, found = timezone.now(), events_waiting()
    rows = {kind: found.get(kind, Waiting()) for kind in ProviderKind.values}
    yield _by_label(
        "studio_deliveries_waiting_events",
        "Events that providers are owed.",
        "kind",
        {kind: row.events for kind, row in rows.items()},
    )
    yield _by_label(
        "studio_deliveries_oldest_waiting_seconds",
        "How long the oldest of them has waited.",
        "kind",
        {kind: (now - row.since).total_seconds() if row.since else 0 for kind, row in rows.items()},
    )
    yield _by_label(
        "studio_dead_letter_events",
        "Events that were given up and can be sent again.",
        "kind",
        {kind: row.dead for kind, row in rows.items()},
    )


def _notifications() -> Iterator[GaugeMetricFamily]:
    found = notifications_by_kind()
    for name, words, state in (
        ("studio_notifications_waiting", "Messages that alert channels are owed.", NotificationState.WAITING),
        ("studio_notifications_dead", "Messages that were given up.", NotificationState.DEAD),
    ):
        yield _by_label(name, words, "kind", {kind: found.get((kind, state), 0) for kind in ChannelKind.values})


def _by_label(name: str, words: str, label: str, values: Mapping[str, float]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=[label])
    for value, number in values.items():
        family.add_metric([value], number)
    return family
