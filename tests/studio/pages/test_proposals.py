"""The pages of proposals: found, looked at, decided."""

import pytest
from django.utils import timezone

from telemetry.models import EventRecord, PromiseState, Proposal, ProposalStatus, ReviewRecord, SpecVersion
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import assert_denied, roles_without, text_of, visitor
from tests.telemetry.factories import make_installation, make_proposal, make_published
from tests.telemetry.services.proposals.test_deciding import own_proposal
from tests.telemetry.services.regeneration.worlds import NOON, accept, run, send

pytestmark = pytest.mark.django_db

LIST = "/studio/proposals/"


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def proposal(installation: Installation) -> Proposal:
    send(installation, NOON, *[{"attempt": 2}] * 30)
    run()
    return one()


def one() -> Proposal:
    with tenant_context(ALL):
        return Proposal.objects.get()


def address(proposal: Proposal) -> str:
    return f"{LIST}{proposal.pk}/"


def test_an_empty_inbox_says_what_the_page_is_for() -> None:
    assert "Nothing to propose" in text_of(visitor(Role.VIEWER).get(LIST))


def test_what_waits_is_listed_and_counted_beside_its_entry(proposal: Proposal) -> None:
    answer = visitor(Role.ANALYST).get(LIST)

    text = text_of(answer)
    assert "1 proposal" in text
    assert "Declare attempt as number" in text
    entries = [item for group in answer.context["sidebar_navigation"] for item in group["items"]]
    assert next(item["badge"] for item in entries if item["title"] == "Proposals") == 1


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "ATTEMPT"}, True),
        ({"q": "workflow_step"}, True),
        ({"q": "nothing"}, False),
        ({"q": "a\0b"}, False),
        ({"state": "rejected"}, False),
        ({"state": "all"}, True),
        ({"rule": "undeclared_property_steady"}, True),
        ({"rule": "volume_high"}, False),
        ({"rule": "no rule"}, True),
        ({"installation": "no id"}, True),
    ],
)
def test_the_inbox_is_narrowed_down(proposal: Proposal, query: dict[str, str], found: bool) -> None:
    text = text_of(visitor(Role.VIEWER).get(LIST, **query))

    assert ("Declare attempt as number" in text) == found


def test_the_page_shows_the_change_the_evidence_and_what_is_promised(proposal: Proposal) -> None:
    answer = visitor(Role.VIEWER).get(address(proposal))

    text, html = text_of(answer), answer.content.decode()
    assert "optional_property_added" in text
    assert "30 events in 14 days, 100% of all, carry attempt" in text
    assert "The share of events with the violation is at most 1.0%" in text
    assert "Undeclared property: " in text
    assert "events 30" in text
    assert 'class="metric"' in html
    assert "Does anybody need it?" in text
    assert "Reject" not in text


def test_an_analyst_accepts_it_into_review(proposal: Proposal) -> None:
    analyst = visitor(Role.ANALYST)
    assert "It cannot be published at once" in text_of(analyst.get(address(proposal)))

    answer = analyst.client.post(address(proposal), {"verdict": "accept", "comment": "Please"}, follow=True)

    with tenant_context(ALL):
        review = ReviewRecord.objects.get()
    assert answer.redirect_chain[-1][0] == f"/studio/reviews/{review.pk}/change/"
    assert one().status == ProposalStatus.ACCEPTED
    assert "Accepted: the draft has the change" in text_of(answer)


def test_a_publisher_publishes_it_and_the_page_says_what_became_of_the_promise(
    installation: Installation, proposal: Proposal
) -> None:
    publisher = visitor(Role.PUBLISHER)

    answer = publisher.client.post(address(proposal), {"verdict": "publish", "comment": ""}, follow=True)

    assert one().status == ProposalStatus.APPLIED
    assert "From now on it is measured" in text_of(answer)
    with tenant_context(ALL):
        Proposal.objects.update(
            outcome=PromiseState.BROKEN, measured_value=0.5, measured_sample=40, measured_at=timezone.now()
        )
    text = text_of(publisher.get(address(proposal)))
    assert "promise broken" in text
    assert "50% over 40 since then" in text

    publisher.post(address(proposal), verdict="publish_back", reason="It did not help")
    with tenant_context(ALL):
        assert SpecVersion.objects.count() == 3
    assert "taken back" in text_of(publisher.get(address(proposal)))


def test_it_is_edited_as_a_document_and_then_accepted(proposal: Proposal) -> None:
    analyst = visitor(Role.ANALYST)
    document = analyst.get(address(proposal)).context["edit_form"].initial["document"]
    assert "attempt:" in document

    analyst.post(
        address(proposal), verdict="edit", document=document.replace("Seen in events before it was declared.", "Ours.")
    )

    with tenant_context(ALL):
        assert EventRecord.objects.get().properties.get(name="attempt").description == "Ours."
    assert one().is_edited


@pytest.mark.parametrize("document", ["", "name: other", "nothing: at all", "{"])
def test_an_edit_that_breaks_a_rule_is_refused_beside_its_field(proposal: Proposal, document: str) -> None:
    answer = visitor(Role.ANALYST).post(address(proposal), verdict="edit", document=document)

    assert answer.status_code == 200
    assert answer.context["edit_form"].errors
    assert one().status == ProposalStatus.PENDING


def test_it_is_snoozed_rejected_with_a_reason_and_opened_again(proposal: Proposal) -> None:
    analyst = visitor(Role.ANALYST)

    analyst.post(address(proposal), verdict="snooze", days="7")
    assert one().status == ProposalStatus.SNOOZED
    refused = analyst.post(address(proposal), verdict="reject", reason=" ")
    assert refused.context["reject_form"].errors
    analyst.post(address(proposal), verdict="reject", reason="Nobody needs it")
    assert (one().status, one().reason) == (ProposalStatus.REJECTED, "Nobody needs it")
    assert "Nobody needs it" in text_of(analyst.get(address(proposal)))
    analyst.post(address(proposal), verdict="reopen")
    assert one().status == ProposalStatus.PENDING


def test_what_somebody_else_decided_meanwhile_is_said(proposal: Proposal) -> None:
    accept(proposal, publish=False)

    answer = visitor(Role.ANALYST).client.post(address(proposal), {"verdict": "reject", "reason": "Late"}, follow=True)

    assert "Nothing was changed." in text_of(answer)


def test_a_change_that_does_not_fit_any_more_says_so(proposal: Proposal) -> None:
    with tenant_context(ALL):
        Proposal.objects.update(patch=[{"op": "replace", "path": "/events/9/name", "value": "x"}])

    text = text_of(visitor(Role.ANALYST).get(address(proposal)))

    assert "does not fit what is published now" in text
    assert "Accept into review" not in text


def test_a_tenant_sees_the_change_of_its_own_config_and_takes_it_up() -> None:
    proposal = own_proposal()
    assert proposal.installation is not None
    analyst = visitor(Role.ANALYST, proposal.installation.tenant)
    assert "Move the maximum of durationMs" in text_of(analyst.get(LIST))
    assert "Accept into the draft" in text_of(analyst.get(address(proposal)))

    analyst.post(address(proposal), verdict="accept", comment="")

    assert one().status == ProposalStatus.ACCEPTED
    incident = visitor(Role.VIEWER).get("/studio/incidents/?state=all")
    assert incident.status_code == 200


def test_the_incident_leads_to_what_is_proposed_because_of_it() -> None:
    proposal = own_proposal()
    with tenant_context(ALL):
        source = proposal.evidence.get().source

    text = visitor(Role.VIEWER).get(f"/studio/incidents/{source.removeprefix('incident:')}/").content.decode()

    assert f"/studio/proposals/{proposal.pk}/" in text


def test_another_tenant_finds_nothing() -> None:
    proposal = own_proposal()
    stranger = visitor(Role.ADMIN, make_installation("initech").tenant)

    assert stranger.get(address(proposal)).status_code == 404
    assert "Move the maximum" not in text_of(stranger.get(LIST))


@pytest.mark.parametrize("role", roles_without("proposal.decide"))
def test_whoever_may_not_decide_changes_nothing(proposal: Proposal, role: Role) -> None:
    reader = visitor(role)

    assert_denied("proposal.decide", lambda: reader.post(address(proposal), verdict="reject", reason="No"))


def test_the_inbox_takes_as_many_queries_for_many_as_for_one(proposal: Proposal) -> None:
    viewer = visitor(Role.VIEWER)
    few = viewer.cost_of(LIST)
    for number in range(20):
        make_proposal(f"extra{number}")

    assert viewer.cost_of(LIST) == few
