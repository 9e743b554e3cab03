"""Rows of tallies are stored as they were given, each with its own counts."""

from datetime import UTC, datetime, timedelta

import pytest

from telemetry.models import EventTally
from telemetry.models.event_tally import TallyCounts
from telemetry.stores.tallies import TallyRow, add_tallies
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_installation

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


def test_each_row_is_stored_with_its_own_counts() -> None:
    installation = make_installation()
    first = TallyRow(
        tenant_id=installation.tenant_id,
        installation_id=installation.pk,
        name="step",
        version=1,
        minute=NOW - timedelta(minutes=3),
        received_minute=NOW,
        last_received_at=NOW,
        is_merged=False,
        detail=b"\x00detail",
        counts=TallyCounts(15, 5, 4, 3, 2, 1, violating=7, skewed=9),
    )
    second = first._replace(name="", version=0, detail=None, is_merged=True, counts=TallyCounts(1, 0, 0, 0, 1, 0, 1, 0))

    with tenant_context(ALL):
        add_tallies([first, second])
        rows = list(EventTally.objects.order_by("pk").values_list(*TallyRow._fields[:-1], *TallyCounts._fields))

    assert rows == [(*row[:-1], *row.counts) for row in (first, second)]


def test_no_rows_are_nothing_to_store() -> None:
    add_tallies([])

    with tenant_context(ALL):
        assert not EventTally.objects.exists()
