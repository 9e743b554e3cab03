"""What was not seen for long makes room, and what people decided is remembered for longer."""

from datetime import UTC, datetime, timedelta

import pytest

from telemetry.models import FindingState, PrivacyFinding, ViolationDay, ViolationRecord
from telemetry.services.forgetting import forget_old_findings, forget_old_violations
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.test_privacy_findings import MAIL

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


@pytest.fixture
def installation() -> Installation:
    make_published()
    found = make_installation()
    ingest(found, make_incoming(properties={"workflow": "w", "step": "s", "old": MAIL, "new": MAIL}))
    return found


def age(path: str, days: int) -> None:
    with tenant_context(ALL):
        ViolationRecord.objects.filter(path=path).update(last_seen_at=NOW - timedelta(days=days))
        ViolationDay.objects.filter(violation__path=path).update(day=NOW.date() - timedelta(days=days))
        PrivacyFinding.objects.filter(path=path).update(last_seen_at=NOW - timedelta(days=days))


def test_violations_go_a_quarter_after_they_were_last_seen(installation: Installation) -> None:
    age("properties.old", 91)
    age("properties.new", 89)

    assert forget_old_violations(now=NOW) == 2
    assert forget_old_violations(now=NOW) == 0
    with tenant_context(ALL):
        assert [row.path for row in ViolationRecord.objects.all()] == ["properties.new"]
        assert ViolationDay.objects.count() == 1


def test_findings_go_a_quarter_after_they_were_last_seen_and_decided_ones_after_a_year(
    installation: Installation,
) -> None:
    age("properties.old", 91)
    age("properties.new", 300)
    with tenant_context(ALL):
        PrivacyFinding.objects.filter(path="properties.new").update(state=FindingState.DISMISSED)

    assert forget_old_findings(now=NOW) == 1
    assert forget_old_findings(now=NOW) == 0
    assert forget_old_findings(now=NOW + timedelta(days=70)) == 1
