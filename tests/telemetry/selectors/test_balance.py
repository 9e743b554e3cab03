"""Reading what was received: in steps of time, and by the day."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from telemetry.selectors.balance import counts_by_installation, counts_series, volumes_of
from telemetry.services.tallies import merge_tallies
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
MINUTE = timedelta(minutes=1)
NOW = datetime.now(UTC)
THIS = NOW.replace(second=0, microsecond=0)


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


def test_volumes_are_the_same_before_and_after_merging(installation: Installation) -> None:
    yesterday = NOW - timedelta(days=1)
    again = make_incoming()
    ingest(installation, make_incoming(), again, again, received_at=yesterday)
    ingest(make_installation("globex"), make_incoming(), received_at=yesterday)
    ingest(installation, make_incoming(), received_at=NOW - 10 * MINUTE)

    def volumes() -> Any:
        with tenant_context(ALL):
            return volumes_of([STEP, "another"], today=NOW.date(), days=3)

    before = volumes()
    merge_tallies()
    ingest(installation, make_incoming(), received_at=NOW)
    after = volumes()

    (volume,) = before.values()
    assert list(before) == [(STEP, 1)]
    assert volume.total == 4
    assert after[STEP, 1].total == 5
    assert after[STEP, 1].last_received_at == NOW


def test_volumes_of_many_events_cost_one_query(installation: Installation, django_assert_num_queries: Any) -> None:
    with tenant_context(ALL), django_assert_num_queries(1):
        assert volumes_of([f"event_{place}" for place in range(500)], today=NOW.date(), days=14) == {}


def test_a_series_of_counts_has_every_step(installation: Installation) -> None:
    ingest(installation, make_incoming(), received_at=NOW)

    with tenant_context(ALL):
        series = counts_series(installation.pk, THIS - 4 * MINUTE, THIS + MINUTE, MINUTE)

    assert [counts.received for _, counts in series] == [0, 0, 0, 0, 1]
    assert [begin for begin, _ in series] == [THIS + offset * MINUTE for offset in range(-4, 1)]


def test_installations_come_by_what_they_received_and_only_those_of_the_context(installation: Installation) -> None:
    other = make_installation("globex")
    ingest(installation, make_incoming(), received_at=NOW)
    ingest(other, make_incoming(), make_incoming(), received_at=NOW)

    with tenant_context(ALL):
        everybody = counts_by_installation(THIS, THIS + MINUTE, limit=10)
    with tenant_context([installation.tenant_id]):
        own = counts_by_installation(THIS, THIS + MINUTE, limit=10)

    assert [(each.installation_id, each.counts.received) for each in everybody] == [(other.pk, 2), (installation.pk, 1)]
    assert [each.installation_id for each in own] == [installation.pk]
