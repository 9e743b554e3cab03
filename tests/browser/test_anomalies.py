"""From a rule that is tried to an incident that somebody takes up."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from telemetry.models import Incident, IncidentStatus
from telemetry.selectors.metric_windows import align
from telemetry.services.anomalies.evaluation import evaluate_due
from telemetry.services.publishing import publish_version
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.browser.conftest import PersonMaker
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.anomalies.test_evaluation import send, watching

pytestmark = pytest.mark.django_db(transaction=True)

STEP = "sigil.telemetry.workflow_step"


def test_a_rule_is_tried_saved_and_published_and_its_incident_acknowledged(person: PersonMaker) -> None:
    # Given an hour with a few steps in each minute, and a rush in the last window that closed.
    published = make_published(watching())
    installation = make_installation("acme")
    now = datetime.now(UTC)
    rush = now.replace(second=0, microsecond=0) - timedelta(minutes=6)
    chances = random.Random(7)  # noqa: S311 - a test's data
    for minutes in range(5, 60):
        send(installation, rush - timedelta(minutes=minutes), [1.0] * chances.randint(1, 3))
    send(installation, rush, [1.0] * 60)

    # When a person tries a rule and saves it.
    analyst = person(Role.ANALYST)
    analyst.open("/studio/catalog/")
    analyst.page.get_by_role("link", name=STEP).first.click()
    analyst.page.get_by_role("tab", name="Anomaly").click()
    analyst.page.get_by_role("link", name="Add a rule").click()
    analyst.page.get_by_role("link", name="Add a rule").click()
    analyst.page.get_by_label("Name", exact=True).fill("rush")
    analyst.page.get_by_label("Maximum").fill("30")
    analyst.page.get_by_role("button", name="Try on the last 30 days").click()

    assert analyst.says("Would have fired 1 time in the last 30 days")
    assert analyst.page.locator(".metric__breach").count() == 1
    analyst.page.get_by_role("button", name="Save in the draft").click()
    assert analyst.says("The rule is in the draft.")

    # And edits it: a limit that nothing reached would not have fired, a lower one would.
    analyst.page.get_by_role("link", name="rush").click()
    analyst.page.get_by_label("Maximum").fill("1000")
    analyst.page.get_by_role("button", name="Try on the last 30 days").click()
    assert analyst.says("Would have fired 0 times in the last 30 days")
    analyst.page.get_by_label("Maximum").fill("20")
    analyst.page.get_by_role("button", name="Try on the last 30 days").click()
    assert analyst.says("Would have fired 1 time in the last 30 days")
    analyst.page.get_by_role("button", name="Save in the draft").click()
    assert analyst.says("The rule is in the draft.")

    # And it is published and judged.
    with tenant_context(ALL):
        record = published.spec
        record.refresh_from_db()
        publish_version(
            actor=SYSTEM,
            name=record.name,
            expected_revision=record.draft_revision,
            change_summary="Watch for a rush",
        )
    evaluate_due(now=align(rush, 5) + timedelta(minutes=6))

    # Then there is one incident, with the rush on its chart, and somebody takes it up.
    analyst.open("/studio/incidents/")
    analyst.page.get_by_role("link", name=STEP).click()
    assert analyst.says("is above the maximum of 20")
    assert analyst.page.locator(".metric__breach").count() == 1
    analyst.page.get_by_role("button", name="Acknowledge").click()
    assert analyst.says("The incident is acknowledged.")
    with tenant_context(ALL):
        assert Incident.objects.get().status == IncidentStatus.ACKNOWLEDGED
    assert analyst.complaints == []


@pytest.mark.parametrize("width", [1280, 390])
def test_the_pages_fit_their_screen(person: PersonMaker, width: int) -> None:
    published = make_published(watching())
    analyst = person(Role.ANALYST, width=width)
    with tenant_context(ALL):
        event = published.spec.events.get()

    for path in ("/studio/incidents/", f"/studio/events/{event.pk}/anomaly-rules/new/"):
        analyst.open(path)

        assert analyst.page.evaluate("document.documentElement.scrollWidth") <= width
