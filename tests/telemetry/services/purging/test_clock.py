"""A clock that jumps deletes nothing early."""

from datetime import timedelta

import pytest
from django.utils import timezone

from telemetry.models import PurgeClock, PurgeRun, PurgeState
from telemetry.services.purging.approving import approve_run
from telemetry.services.purging.clock import now_by_both
from telemetry.services.purging.planning import CLOCK, plan_runs
from telemetry.services.purging.service import purge
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.purging.factories import store, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    made = make_installation()
    purge()
    return made


def runs() -> list[PurgeRun]:
    with tenant_context(ALL):
        return list(PurgeRun.objects.order_by("pk"))


def test_after_a_leap_forward_every_run_waits_for_somebody(installation: Installation) -> None:
    store(installation, 3, days_ago=2, days=7)
    leapt = timezone.now() + timedelta(days=30)

    plan_runs(now=leapt)
    plan_runs(now=leapt + timedelta(days=1))

    states = [(run.state, run.why_waiting) for run in runs()]
    assert states == [(PurgeState.REPLACED, CLOCK), (PurgeState.WAITING, CLOCK)]
    purge()
    assert sum(stored().values()) == 3


def test_once_the_clock_is_right_again_the_plan_of_the_wrong_one_is_gone(installation: Installation) -> None:
    store(installation, 3, days_ago=2, days=7)
    plan_runs(now=timezone.now() + timedelta(days=30))

    purge()

    assert [run.state for run in runs()] == [PurgeState.REPLACED]
    assert sum(stored().values()) == 3


def test_a_run_with_a_cutoff_in_the_future_is_not_carried_on(installation: Installation) -> None:
    store(installation, 3, days_ago=2, days=7)
    plan_runs(now=timezone.now() + timedelta(days=30))
    with tenant_context(ALL):
        approve_run(actor=SYSTEM, run=runs()[0], expected_rows=3)

    purge()

    assert sum(stored().values()) == 3
    assert [run.state for run in runs()] == [PurgeState.REPLACED]


def test_a_clock_that_was_put_back_removes_nothing_early(installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)

    plan_runs(now=timezone.now() - timedelta(days=5))

    assert runs() == []


def test_a_studio_that_was_off_goes_on_once_somebody_says_so(installation: Installation) -> None:
    with tenant_context(ALL):
        PurgeClock.objects.update(trusted_at=timezone.now() - timedelta(days=3))
    store(installation, 3, days_ago=8, days=7)
    purge()
    assert [run.why_waiting for run in runs()] == [CLOCK]

    with tenant_context(ALL):
        approve_run(actor=SYSTEM, run=runs()[0], expected_rows=3)
    purge()

    assert stored() == {}


def test_the_earlier_of_two_clocks_counts() -> None:
    assert now_by_both() <= timezone.now()
