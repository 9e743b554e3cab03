"""What was removed is counted in the balance."""

from datetime import date

import pytest

from telemetry.models import EventRemoval
from telemetry.stores.removals import Removed, Way, add_to_balance
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_installation

pytestmark = pytest.mark.django_db
DAY = date(2026, 11, 1)


def balance() -> dict[str, tuple[int, int, int]]:
    with tenant_context(ALL):
        return {each.name: (each.purged, each.archived, each.erased) for each in EventRemoval.objects.all()}


@pytest.mark.parametrize(("way", "expected"), [("purged", (7, 0, 0)), ("archived", (0, 7, 0)), ("erased", (0, 0, 7))])
def test_an_event_that_was_removed_from_two_classes_is_one_row(way: Way, expected: tuple[int, int, int]) -> None:
    place = make_installation()
    event = (place.tenant_id, place.pk, DAY, "build", 1)

    with tenant_context(ALL):
        add_to_balance([Removed(*event, 3, 7, 10), Removed(*event, 4, 30, 10)], way)

    assert balance() == {"build": expected}


def test_what_is_removed_later_is_added() -> None:
    place = make_installation()
    event = (place.tenant_id, place.pk, DAY, "build", 1)

    with tenant_context(ALL):
        add_to_balance([Removed(*event, 3)], "purged")
        add_to_balance([Removed(*event, 2), Removed(*event[:3], "test", 1, 0)], "erased")

    assert balance() == {"build": (3, 0, 2)}
