"""Who reads stored events is counted by day, and forgotten after a quarter."""

from datetime import timedelta

import pytest

from telemetry.models import EventUse
from telemetry.services.event_use import forget_old_uses, note_use
from telemetry.services.live import stored_lines
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.regeneration.worlds import NOON, STEP, send

pytestmark = pytest.mark.django_db


def uses() -> list[tuple[str, int, int]]:
    with tenant_context(ALL):
        return list(EventUse.objects.order_by("day").values_list("event_name", "reads", "oldest_seconds"))


def test_reads_of_a_day_are_counted_and_the_oldest_age_is_kept() -> None:
    installation = make_installation()
    with tenant_context(ALL):
        note_use(installation, {(STEP, 1): timedelta(hours=3)}, now=NOON)
        note_use(installation, {(STEP, 1): timedelta(hours=1)}, now=NOON)
        note_use(installation, {}, now=NOON)

    assert uses() == [(STEP, 2, 10_800)]


def test_whoever_looks_at_stored_events_counts_and_whoever_only_goes_on_watching_does_not() -> None:
    make_published()
    installation = make_installation()
    send(installation, NOON, {}, {})
    later = NOON + timedelta(hours=2)

    with tenant_context((installation.tenant_id,)):
        stored_lines(installation, now=later, limit=50)
        stored_lines(installation, now=later, since=NOON - timedelta(minutes=1), limit=50)

    assert uses() == [(STEP, 1, 7_200)]


def test_reads_of_long_ago_are_forgotten_once() -> None:
    installation = make_installation()
    with tenant_context(ALL):
        note_use(installation, {(STEP, 1): timedelta()}, now=NOON)

    forget_old_uses(now=NOON + timedelta(days=100))
    assert len(uses()) == 1
    for _ in range(2):
        forget_old_uses(now=NOON + timedelta(days=101))

    assert uses() == []
