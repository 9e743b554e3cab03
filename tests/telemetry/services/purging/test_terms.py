"""A retention that was shortened, as it takes effect on what is stored."""

from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import Settings

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.models import PurgeRun, RetentionState, StoredEvent
from telemetry.services.holds import lift_hold, place_hold
from telemetry.services.purging.previewing import preview_next_run, preview_override
from telemetry.services.purging.service import purge
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.purging.factories import STEP, midnight, store, stored
from tests.tenants.factories import make_published_config

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    made = make_installation()
    purge()
    return made


def keep(installation: Installation, days: int) -> None:
    make_published_config(installation, TenantOverride(events={STEP: EventOverride(retention_days=days)}))


def ends() -> dict[int, int]:
    """By how many days ago events came, how many days they are kept."""
    with tenant_context(ALL):
        rows = StoredEvent.with_expired.order_by().values_list("received_at", "expires_at")
        return {(midnight() - came).days + 1: (end - came).days for came, end in rows}


def test_what_is_past_the_shorter_time_goes_and_the_rest_ends_sooner(installation: Installation) -> None:
    store(installation, 3, days_ago=12, days=30)
    store(installation, 2, days_ago=5, days=30)
    keep(installation, 10)

    purge()

    assert stored() == {(midnight(5).date(), STEP): 2}
    assert ends() == {5: 10}
    with tenant_context(ALL):
        run = PurgeRun.objects.get()
        state = RetentionState.objects.get(installation=installation)
    assert (run.planned_rows, run.shortened_rows) == (3, 2)
    assert state.days[f"{STEP}@1"] == 10


def test_what_ends_sooner_lies_where_it_goes_as_a_whole(installation: Installation) -> None:
    store(installation, 2, days_ago=5, days=30)
    keep(installation, 7)

    purge()

    with tenant_context(ALL):
        assert set(StoredEvent.with_expired.values_list("retention_class", flat=True)) == {7}
    with tenant_context(ALL):
        assert preview_next_run([installation], now=timezone.now() + timedelta(days=3)).rows == 2


def test_a_longer_retention_holds_for_what_comes(installation: Installation) -> None:
    keep(installation, 10)
    purge()
    store(installation, 2, days_ago=5, days=10)
    keep(installation, 20)

    purge()

    assert ends() == {5: 10}
    with tenant_context(ALL):
        assert RetentionState.objects.get(installation=installation).days[f"{STEP}@1"] == 20


def test_a_hold_is_not_shortened_away(installation: Installation) -> None:
    store(installation, 3, days_ago=12, days=30)
    with tenant_context(ALL):
        hold = place_hold(actor=SYSTEM, tenant=installation.tenant, reason="Case 12")
    keep(installation, 10)

    purge()
    assert sum(stored().values()) == 3

    with tenant_context(ALL):
        lift_hold(actor=SYSTEM, hold=hold, because="The case is closed")
    purge()
    assert stored() == {}


def test_the_preview_of_a_draft_is_what_its_publication_does(installation: Installation) -> None:
    store(installation, 3, days_ago=12, days=30)
    store(installation, 4, days_ago=2, days=30)
    override = TenantOverride(events={STEP: EventOverride(retention_days=10)})
    with tenant_context(ALL):
        preview = preview_override(installation, override, now=timezone.now())
    assert (preview.rows, preview.shortened_rows) == (3, 4)

    make_published_config(installation, override)
    purge()

    with tenant_context(ALL):
        run = PurgeRun.objects.get()
        (item,) = run.items.all()
    assert (item.rows, item.size_bytes, run.shortened_rows) == (preview.rows, preview.size_bytes, 4)


def test_a_shortened_retention_waits_for_approval_before_anything_is_touched(
    installation: Installation, settings: Settings
) -> None:
    settings.STUDIO_PURGE_APPROVAL_ROWS = 2
    store(installation, 3, days_ago=12, days=30)
    store(installation, 4, days_ago=2, days=30)
    keep(installation, 10)

    purge()
    assert sum(stored().values()) == 7
    assert ends() == {12: 30, 2: 30}

    # Taken back before somebody approved: as if it had never been.
    keep(installation, 30)
    purge()
    with tenant_context(ALL):
        assert [run.state for run in PurgeRun.objects.all()] == ["replaced"]
    assert ends() == {12: 30, 2: 30}
