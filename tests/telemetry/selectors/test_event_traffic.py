"""What comes of one event in a day."""

from datetime import UTC, datetime

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.selectors.event_traffic import EventTraffic, traffic_of
from tenants.context import tenant_context
from tests.telemetry.factories import ingest, make_days, make_incoming, make_installation, make_published

pytestmark = pytest.mark.usefixtures("workspace")

TODAY = datetime.now(UTC).date()
STEP = "sigil.telemetry.workflow_step"


def traffic(name: str = "step", version: int = 1) -> EventTraffic | None:
    return traffic_of(name, version, today=TODAY)


def test_averages_are_over_the_whole_days_since_there_was_anything() -> None:
    installation, other = make_installation("acme"), make_installation("globex")
    make_days(installation, [100, 0, 50, 999], name="step", stored=[40, 0, 20, 1])
    make_days(other, [30, 0], name="step")
    make_days(other, [7, 7], name="step", version=2)

    found = traffic()

    assert found is not None
    assert (found.sampled_per_day, found.stored_per_day, found.days) == (60.0, 30.0, 3)
    assert found.last_received_at.date() == TODAY


def test_what_came_more_than_a_week_ago_does_not_count() -> None:
    make_days(make_installation(), [7000, *[0] * 7, 0], name="step")

    assert traffic() is None


def test_on_its_first_day_an_event_is_counted_as_far_as_it_came() -> None:
    make_published()
    installation = make_installation()
    ingest(installation, make_incoming(), make_incoming())

    found = traffic(STEP)

    assert found is not None
    assert (found.sampled_per_day, found.stored_per_day, found.days) == (2.0, 2.0, 1)


def test_only_installations_in_sight_are_counted() -> None:
    mine, theirs = make_installation("mine"), make_installation("theirs")
    make_days(mine, [3, 0], name="step")
    make_days(theirs, [9, 0], name="step")

    with tenant_context([mine.tenant_id]):
        found = traffic()

    assert found is not None
    assert found.stored_per_day == 3.0


def test_it_costs_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(1):
        assert traffic() is None
