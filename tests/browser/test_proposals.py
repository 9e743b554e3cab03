"""From an incident to a proposal that somebody accepts, and on to the config that apps fetch."""

from datetime import UTC, datetime, timedelta

import pytest

from telemetry.models import Proposal
from telemetry.selectors.metric_windows import align
from telemetry.services.anomalies.evaluation import evaluate_due
from telemetry.services.regeneration.running import take_requests
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.browser.conftest import PersonMaker
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.telemetry.services.regeneration.worlds import STEP, WIDTH, start

pytestmark = pytest.mark.django_db(transaction=True)


def test_an_incident_leads_to_a_proposal_and_its_acceptance_to_the_effective_config(person: PersonMaker) -> None:
    # Given an hour of slow steps that has just passed, and the request of the rule that was taken up.
    make_published()
    installation = make_installation()
    now = datetime.now(UTC)
    first = align(now, 5) - timedelta(minutes=65)
    start(installation, first)
    for window in range(12):
        at = first + window * WIDTH
        slow = [
            make_incoming(occurred_at=at, properties={"workflow": "w", "step": "s", "durationMs": 2000 + 10 * number})
            for number in range(10)
        ]
        ingest(installation, *slow, received_at=now)
    evaluate_due(now=now)
    take_requests(now=now)

    # When a publisher follows the incident to what is proposed because of it.
    publisher = person(Role.PUBLISHER)
    publisher.open("/studio/incidents/")
    publisher.page.get_by_role("link", name=STEP).click()
    publisher.page.get_by_role("link", name="Move the maximum of durationMs to 2,300").click()
    assert publisher.says("12 of 12 windows")
    assert publisher.says("threshold_changed")
    assert publisher.page.locator(".metric__breach").count() == 12

    # And asks what it would have done.
    publisher.page.get_by_role("link", name="Try it on what came in").click()
    row = publisher.page.get_by_role("row").filter(has_text=STEP)
    assert row.locator("[data-label=Received]").inner_text() == "120"
    assert row.locator("[data-label=Incidents]").inner_text().split() == ["1", "0"]

    # And accepts and publishes it.
    publisher.page.get_by_label("Anything for the reviewers?").fill("Builds are slower since the new compiler.")
    publisher.page.get_by_role("button", name="Accept and publish").click()
    assert publisher.says("Accepted and published.")
    assert publisher.says("being measured")

    # Then the new version is live where apps get their config.
    publisher.open(f"/studio/installations/{installation.public_id}/explain/?event={STEP}@1")
    assert publisher.says("2300") or publisher.says("2,300")
    publisher.open("/studio/proposals/")
    assert publisher.says("Nothing to propose")
    with tenant_context(ALL):
        assert Proposal.objects.get().applied_version == 2
    assert publisher.complaints == []
