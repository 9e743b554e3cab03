"""Stored events of the past, and what is left of them."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.db import transaction

from telemetry.core.enums import EventSource, PrivacyLevel
from telemetry.core.retention import RetentionClass, retention_class
from telemetry.models import StoredEvent
from telemetry.stores.base import EventGroup
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.due import partition_of
from telemetry.stores.partitions import add_partition
from tenants.context import ALL, tenant_context
from tenants.models import Installation

__all__ = ["STEP", "midnight", "store", "stored"]

STEP = "sigil.telemetry.workflow_step"


def midnight(days_ago: int = 0) -> datetime:
    """The beginning of the day (UTC) so many days ago."""
    today = datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    return today - timedelta(days=days_ago)


def store(
    installation: Installation,
    count: int = 1,
    *,
    days_ago: int,
    days: int,
    name: str = STEP,
    version: int = 1,
    hour: int = 12,
    in_class: RetentionClass | None = None,
    context: bytes = b"{}",
) -> None:
    """So many events that came so many days ago, at that hour, and are to be kept for ``days``."""
    received_at = midnight(days_ago) + timedelta(hours=hour)
    chosen = in_class or retention_class(days)
    group = EventGroup(
        name=name,
        version=version,
        expires_at=received_at + timedelta(days=days),
        retention_class=chosen,
        privacy=PrivacyLevel.INTERNAL,
        source=EventSource.BATCH,
        app_version=None,
        inclusion_probability=1.0,
        config_revision=1,
        rows=[(uuid4().bytes, received_at, b'{"step":"build"}', context) for _ in range(count)],
    )
    with transaction.atomic():
        add_partition(partition_of(chosen, received_at.date()))
    with tenant_context(ALL):
        EVENT_STORE.write(
            tenant_id=installation.tenant_id, installation_id=installation.pk, received_at=received_at, groups=[group]
        )


def stored(installation: Installation | None = None) -> Mapping[tuple[Any, ...], int]:
    """How many events there are, past their end or not, by the day on which they came and their name."""
    with tenant_context(ALL):
        rows = StoredEvent.with_expired.order_by()
        if installation is not None:
            rows = rows.filter(installation=installation)
        return Counter((_day(each.received_at), each.name) for each in rows)


def _day(instant: datetime) -> date:
    return instant.astimezone(UTC).date()
