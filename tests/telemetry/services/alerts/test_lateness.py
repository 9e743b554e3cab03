"""The watch over the watchman: who is told that nobody judges anomalies."""

from datetime import UTC, datetime, timedelta

import pytest

from telemetry.models import EvaluationState, Notification
from telemetry.selectors.evaluation import LATE_AFTER, lateness
from telemetry.services.alerts.composing import compose
from telemetry.services.alerts.lateness import tell_lateness
from telemetry.services.anomalies.evaluation import evaluate_due
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import make_channel, make_installation, make_published
from tests.telemetry.services.alerts.cases import told

pytestmark = pytest.mark.django_db

NOW = datetime.now(UTC)


def late(installation: Installation, by: timedelta = timedelta(minutes=11)) -> None:
    """The installation should have been judged so long ago."""
    with tenant_context(ALL):
        EvaluationState.objects.filter(installation=installation).update(due_at=NOW - by)


def test_a_tenant_is_told_once_that_nobody_judges_and_once_that_somebody_does_again() -> None:
    make_published()
    installation, other = make_installation("acme"), make_installation("globex")
    channel = make_channel(installation.tenant)
    make_channel(installation.tenant, is_fallback=False)
    make_channel(other.tenant)
    evaluate_due(now=NOW - timedelta(hours=1))
    late(installation)
    late(other, timedelta(minutes=9))

    assert tell_lateness(NOW) == 1
    assert tell_lateness(NOW) == 0
    evaluate_due(now=NOW)
    assert tell_lateness(NOW) == 1
    assert tell_lateness(NOW) == 0

    assert told() == told(channel=channel) == [("late", "waiting", ""), ("on_time", "waiting", "")]
    with tenant_context(ALL):
        rows = Notification.objects.order_by("id")
        texts = [compose(channel, row, at=NOW).message for row in rows]
    assert texts[0].subject.startswith("[late] anomalies are not judged since ")
    assert "Anomaly rules of 1 installation have not been judged" in texts[0].text
    assert texts[1].subject == "[on time] anomalies are judged again"


def test_lateness_counts_what_is_overdue_and_what_was_never_judged() -> None:
    make_published()
    installation = make_installation("acme")
    now = datetime.now(UTC)
    with tenant_context(ALL):
        assert lateness(now) == (0, None)
        never = lateness(now + LATE_AFTER + timedelta(minutes=1))
    assert (never.installations, never.since) == (1, installation.created_at)

    evaluate_due(now=NOW)
    with tenant_context(ALL):
        assert lateness(NOW) == (0, None)
    late(installation)
    with tenant_context(ALL):
        assert lateness(NOW) == (1, NOW - timedelta(minutes=11))


def test_an_evaluation_in_time_tells_nobody_of_lateness() -> None:
    make_published()
    make_channel(make_installation().tenant)
    evaluate_due(now=NOW)

    assert tell_lateness(NOW) == 0
    assert told() == []
