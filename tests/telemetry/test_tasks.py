"""Jobs about refused events and what was wrong with them; each may run twice."""

import pytest

from telemetry.models import HeldEvent
from telemetry.tasks import forget_what_is_mended, purge_quarantine
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.quarantine.held import held, make_holding_spec

pytestmark = pytest.mark.django_db


def test_held_events_past_their_days_go_once() -> None:
    make_published(make_holding_spec())
    ingest(make_installation(), make_incoming(name="unknown"), make_incoming(properties={}))
    with tenant_context(ALL):
        HeldEvent.objects.filter(event_name="unknown").update(expires_at=held()[0].received_at)

    purge_quarantine()
    after = everything_stored()
    purge_quarantine()

    assert everything_stored() == after
    assert len(held()) == 1


def test_what_was_seen_lately_is_not_forgotten() -> None:
    make_published()
    ingest(make_installation(), make_incoming(properties={"extra": "alice@example.com"}))
    before = everything_stored()

    forget_what_is_mended()

    assert everything_stored() == before
