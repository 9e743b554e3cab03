"""Whatever the policy: a preview is right to the row, nothing stays past its day, and nothing goes before it."""

from collections import Counter
from datetime import datetime, timedelta
from typing import NamedTuple

import pytest
from django.db import transaction
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.models import EventRemoval, PurgeItem, StoredEvent
from telemetry.services.holds import place_hold
from telemetry.services.purging.previewing import preview_override
from telemetry.services.purging.sealing import seal_partitions
from telemetry.services.purging.service import purge
from telemetry.stores.due import stored_groups
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.purging.factories import STEP, midnight, store
from tests.tenants.factories import make_published_config

pytestmark = pytest.mark.django_db

OTHER = "sigil.telemetry.other"


class Batch(NamedTuple):
    """Events that came together."""

    days_ago: int
    days: int
    hour: int
    name: str
    size: int


class Row(NamedTuple):
    """What stays of an event in a test's memory."""

    name: str
    received_at: datetime
    expires_at: datetime


batches = st.lists(
    st.builds(
        Batch,
        days_ago=st.integers(1, 40),
        days=st.integers(1, 40),
        hour=st.integers(0, 23),
        name=st.sampled_from([STEP, OTHER]),
        size=st.integers(1, 3),
    ),
    min_size=1,
    max_size=8,
)


def rows() -> list[Row]:
    with tenant_context(ALL):
        found = StoredEvent.with_expired.order_by("received_at", "name", "expires_at")
        return [Row(each.name, each.received_at, each.expires_at) for each in found]


# Shorter than the 30 days of the spec, which were applied before: what does not change shortens nothing.
@given(batches=batches, days=st.integers(1, 29), held=st.sampled_from(["", STEP, OTHER]), seal_first=st.booleans())
@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
def test_a_preview_is_what_happens(batches: list[Batch], days: int, held: str, seal_first: bool) -> None:
    with transaction.atomic():
        _check(batches, days, held, seal_first=seal_first)
        transaction.set_rollback(True)


def _check(batches: list[Batch], days: int, held: str, *, seal_first: bool) -> None:
    make_published()
    installation = make_installation()
    purge()
    for batch in batches:
        store(installation, batch.size, days_ago=batch.days_ago, days=batch.days, hour=batch.hour, name=batch.name)
    before = rows()
    if seal_first:
        with tenant_context(ALL):
            seal_partitions()
    if held:
        with tenant_context(ALL):
            place_hold(actor=SYSTEM, tenant=installation.tenant, reason="Case 12", event_name=held)
    override = TenantOverride(events={STEP: EventOverride(retention_days=days)})
    with tenant_context(ALL):
        preview = preview_override(installation, override, now=timezone.now())
    make_published_config(installation, override)

    purge()

    cutoff = midnight()
    wanted = Counter(row.name for row in before if _end(row, days) <= cutoff and row.name != held)
    with tenant_context(ALL):
        items = list(PurgeItem.objects.all())
        removed: Counter[str] = Counter()
        for each in EventRemoval.objects.all():
            removed[each.name] += each.purged
        kept: Counter[str] = Counter()
        for group in stored_groups([installation.pk]):
            kept[group.name] += group.rows
    assert {item.name: item.rows for item in preview.items if item.rows} == dict(wanted)
    assert {item.name: (item.rows, item.size_bytes) for item in items if item.rows} == {
        item.name: (item.rows, item.size_bytes) for item in preview.items if item.rows
    }
    assert {item.name: item.held for item in preview.items if item.held} == dict(
        Counter(row.name for row in before if _end(row, days) <= cutoff and row.name == held)
    )
    assert removed == wanted
    stays = [row for row in before if _end(row, days) > cutoff or row.name == held]
    assert rows() == sorted(
        (row._replace(expires_at=_end(row, days)) for row in stays),
        key=lambda row: (row.received_at, row.name, row.expires_at),
    )
    assert kept == Counter(row.name for row in stays)


def _end(row: Row, days: int) -> datetime:
    """When the row ends: the step sooner, if it was to be kept for longer than the new retention."""
    return min(row.expires_at, row.received_at + timedelta(days=days)) if row.name == STEP else row.expires_at
