"""From an incident to a proposal that somebody accepts, and on to the config that apps fetch."""

from typing import Any

import pytest

from telemetry.models import Proposal
from telemetry.services.regeneration.running import take_requests
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.browser.conftest import PersonMaker
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.regeneration.worlds import NOON, STEP, judge, start

pytestmark = pytest.mark.django_db(transaction=True)

SLOW: list[dict[str, Any]] = [{"durationMs": 2000 + 10 * number} for number in range(10)]


def test_an_incident_leads_to_a_proposal_and_its_acceptance_to_the_effective_config(person: PersonMaker) -> None:
    # Given an hour of slow steps, and the request of the rule that was taken up.
    make_published()
    installation = make_installation()
    start(installation)
    take_requests(now=judge(installation, NOON, [SLOW] * 12))

    # When a publisher follows the incident to what is proposed because of it.
    publisher = person(Role.PUBLISHER)
    publisher.open("/studio/incidents/")
    publisher.page.get_by_role("link", name=STEP).click()
    publisher.page.get_by_role("link", name="Move the maximum of durationMs to 2,300").click()
    assert publisher.says("12 of 12 windows")
    assert publisher.says("anomaly_rules_changed") or publisher.says("2300")
    assert publisher.page.locator(".metric__breach").count() == 12

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
