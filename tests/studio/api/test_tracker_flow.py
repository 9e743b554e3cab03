"""A tracker and its studio: what the app tracks is in the studio's balance, and nothing personal left the app."""

from pathlib import Path

import pytest
from pytest_django.live_server_helper import LiveServer

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.models import EventTally, StoredEvent, ViolationRecord
from telemetry.sdk import InternalProvider, TelemetryTracker
from tenants.context import ALL, tenant_context
from tenants.roles import Scope
from tests.sdk.servers import PATIENCE
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key

STEP = "sigil.telemetry.workflow_step"
EMAIL = "alice@example.com"


@pytest.mark.django_db(transaction=True)
def test_every_event_that_an_app_tracks_is_in_the_studios_balance(live_server: LiveServer, tmp_path: Path) -> None:
    make_published()
    installation = make_installation(override=TenantOverride(events={STEP: EventOverride(sampling_rate=0.5)}))
    key = make_key(installation, Scope.CONFIG_READ, Scope.CONFIG_SECRET, Scope.INGEST).text
    provider = InternalProvider(live_server.url, key, buffer_path=tmp_path, app_version="4.2.0")

    with TelemetryTracker.from_studio(live_server.url, key, providers=[provider]) as tracker:
        assert tracker.ready(PATIENCE)
        for number in range(200):
            properties = {"workflow": "deploy", "step": "build", "durationMs": number, "userId": EMAIL}
            tracker.track(STEP, 1, properties, {"userId": f"{number}-{EMAIL}"})
        tracker.track(STEP, 1, {"workflow": EMAIL}, {"userId": EMAIL})
        tracker.track(f"opened:{EMAIL}", 1, {}, {"userId": EMAIL})
        assert tracker.close(PATIENCE)
        stats = tracker.stats()

    with tenant_context(ALL):
        tallies = list(EventTally.objects.all())
        events = list(StoredEvent.objects.all())
        violations = str(list(ViolationRecord.objects.values()))
    assert (stats.received, stats.rejected) == (202, 2)
    assert sum(each.received for each in tallies) == 202
    assert sum(each.stored for each in tallies) == len(events) == stats.accepted
    assert sum(each.sampled_out for each in tallies) == stats.sampled_out
    assert sum(each.rejected for each in tallies) == 2
    assert 0 < stats.accepted < 200
    assert {each.inclusion_probability for each in events} == {0.5}
    assert {each.app_version for each in events} == {"4.2.0"}
    assert len({each.context["userId"] for each in events}) == len(events)
    assert EMAIL not in violations + str([(each.properties, each.context) for each in events])
    assert not list(tmp_path.rglob("*.events"))
