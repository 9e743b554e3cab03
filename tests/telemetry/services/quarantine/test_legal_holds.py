"""What a legal hold keeps of refused events."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from telemetry.core.events import Context
from telemetry.models import HeldEvent
from telemetry.services.holds import lift_hold, place_hold
from telemetry.services.quarantine.purging import purge_held_events
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.quarantine.held import held, make_holding_spec

pytestmark = pytest.mark.django_db

NOW = timezone.now()


@pytest.mark.parametrize(
    ("fields", "left"),
    [
        ({}, 2),
        ({"subject": "ann"}, 1),
        ({"event_name": "sigil.telemetry.other"}, 0),
        ({"starts_at": NOW + timedelta(days=1)}, 0),
        ({"ends_at": NOW - timedelta(days=60)}, 0),
        ({"ends_at": NOW - timedelta(days=2)}, 2),
    ],
)
def test_a_refused_event_that_is_held_for_a_court_outlives_its_days(fields: dict[str, Any], left: int) -> None:
    make_published(make_holding_spec())
    installation = make_installation()
    for user_id in ("ann", "bob"):
        ingest(installation, make_incoming(properties={"durationMs": 1}, context=Context(user_id=user_id)))
    with tenant_context(ALL):
        hold = place_hold(actor=SYSTEM, tenant=installation.tenant, reason="Case 12", **fields)
        HeldEvent.objects.update(expires_at=NOW - timedelta(days=1))

    purge_held_events()
    assert len(held()) == left

    with tenant_context(ALL):
        lift_hold(actor=SYSTEM, hold=hold, because="The case is closed")
    purge_held_events()
    assert held() == []
