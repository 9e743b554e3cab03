"""People accept, edit, reject, snooze and take back; who may not changes nothing."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from telemetry.core.config import AnomalyOverride, EventOverride, TenantOverride
from telemetry.core.errors import ApprovalRequired, Conflict, InvalidDocument, NotAllowed, NotFound
from telemetry.core.spec import Threshold
from telemetry.models import EventRecord, Proposal, ProposalStatus, ReviewRecord, SpecRecord, SpecVersion
from telemetry.services.proposals.deciding import (
    accept_proposal,
    reject_proposal,
    reopen_proposal,
    snooze_proposal,
    take_back_proposal,
)
from telemetry.services.publishing import publish_version
from telemetry.services.regeneration.filing import file_noticed
from telemetry.services.regeneration.running import take_requests
from telemetry.services.reviews import withdraw
from telemetry.services.specs import discard_draft, save_event
from tenants.actors import SYSTEM, Actor
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tests.core.builders import make_event
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.telemetry.services.regeneration.test_filing import SLOW, noticed
from tests.telemetry.services.regeneration.worlds import NOON, accept, judge, published_event, start
from tests.tenants.factories import make_actor

pytestmark = pytest.mark.django_db


@pytest.fixture
def proposal() -> Proposal:
    """Of the spec: an undeclared property is to be declared."""
    make_published()
    with tenant_context(ALL):
        file_noticed(noticed(100.0), now=NOON)
        return Proposal.objects.get()


def own_proposal(override: TenantOverride | None = None) -> Proposal:
    """Of one of two tenants, at which alone a threshold is outgrown."""
    make_published()
    installation, other = make_installation(override=override), make_installation("globex")
    start(other)
    judge(other, NOON, [[{"durationMs": 100}] * 10] * 4)
    start(installation)
    take_requests(now=judge(installation, NOON, [SLOW] * 4))
    with tenant_context(ALL):
        return Proposal.objects.select_related("installation__tenant", "installation__app").get()


def audited() -> list[str]:
    with tenant_context(ALL):
        return list(AuditEntry.objects.filter(action__startswith="proposal.").values_list("action", flat=True))


def properties_of_draft() -> set[str]:
    with tenant_context(ALL):
        return set(EventRecord.objects.get().properties.values_list("name", flat=True))


def test_an_accepted_proposal_is_a_draft_in_review_and_nothing_is_published(proposal: Proposal) -> None:
    analyst = make_actor(Role.ANALYST)

    accepted = accept(proposal, analyst, publish=False, comment="We need it")

    assert accepted.status == ProposalStatus.ACCEPTED
    assert accepted.decided_by_label == analyst.label
    assert "attempt" in properties_of_draft()
    with tenant_context(ALL):
        review = ReviewRecord.objects.get()
        assert SpecVersion.objects.count() == 1
    assert review.is_live
    assert review.summary.startswith("Declare attempt as number")
    assert "We need it" in review.summary
    assert audited() == ["proposal.accepted"]


def test_a_publisher_publishes_it_at_once(proposal: Proposal) -> None:
    applied = accept(proposal, make_actor(Role.PUBLISHER))

    assert (applied.status, applied.applied_version) == (ProposalStatus.APPLIED, 2)
    assert "attempt" in published_event(make_installation()).properties


def test_what_needs_an_approval_is_not_published_at_once(settings: Any, proposal: Proposal) -> None:
    settings.STUDIO_REVIEW_REQUIRED = "always"
    publisher = make_actor(Role.PUBLISHER)
    before = everything_stored()

    with pytest.raises(ApprovalRequired):
        accept(proposal, publisher)

    assert everything_stored() == before


def test_what_others_changed_in_the_draft_is_not_published_with_it(proposal: Proposal) -> None:
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=make_event("another"))
    before = everything_stored()

    with pytest.raises(Conflict, match="other changes"):
        accept(proposal)

    assert everything_stored() == before
    assert accept(proposal, publish=False).status == ProposalStatus.ACCEPTED


def test_events_that_were_added_before_it_do_not_move_the_change(proposal: Proposal) -> None:
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=make_event("another"))
        EventRecord.objects.filter(name="another").update(position=0)
        EventRecord.objects.exclude(name="another").update(position=1)

    accept(proposal, publish=False)

    with tenant_context(ALL):
        events = {
            event.name: set(event.properties.values_list("name", flat=True)) for event in EventRecord.objects.all()
        }
    assert "attempt" in events["sigil.telemetry.workflow_step"]
    assert "attempt" not in events["another"]


def test_an_edited_proposal_is_accepted_as_it_was_edited(proposal: Proposal) -> None:
    patch = [dict(each) for each in proposal.patch]
    patch[-1] = {**patch[-1], "value": {"type": "string", "description": "As text"}}

    applied = accept(proposal, patch=patch)

    assert applied.is_edited
    assert applied.status == ProposalStatus.APPLIED
    assert published_event(make_installation()).properties["attempt"].type == "string"


@pytest.mark.parametrize(
    "patch",
    [
        [{"op": "add", "path": "/events/0/properties/attempt", "value": {"type": "nonsense"}}],
        [{"op": "replace", "path": "/nothing/here", "value": 1}],
        [{"op": "replace", "path": "/meta/name", "value": "other"}],
    ],
)
def test_an_edit_that_breaks_a_rule_changes_nothing(proposal: Proposal, patch: list[dict[str, Any]]) -> None:
    before = everything_stored()

    with pytest.raises(InvalidDocument):
        accept(proposal, patch=patch)

    assert everything_stored() == before


def test_a_change_that_is_left_out_of_the_next_version_waits_again(proposal: Proposal) -> None:
    accept(proposal, publish=False)
    with tenant_context(ALL):
        record = SpecRecord.objects.get()
        discard_draft(actor=SYSTEM, name=record.name, expected_revision=record.draft_revision)
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event("another"))
        record.refresh_from_db()
        publish_version(
            actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="Without it"
        )
        proposal.refresh_from_db()

    assert proposal.status == ProposalStatus.PENDING
    assert proposal.reopened_at is not None


def test_a_rejection_needs_a_reason_and_is_kept_with_it(proposal: Proposal) -> None:
    with tenant_context(ALL):
        with pytest.raises(InvalidDocument):
            reject_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason=" ")

        rejected = reject_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason="Nobody needs it")

    assert (rejected.status, rejected.reason, rejected.strength_at_decision) == ("rejected", "Nobody needs it", 100.0)
    assert audited() == ["proposal.rejected"]


def test_what_was_decided_is_not_decided_again_but_can_be_opened_again(proposal: Proposal) -> None:
    with tenant_context(ALL):
        reject_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason="No")
        with pytest.raises(Conflict, match="rejected already"):
            accept_proposal(actor=SYSTEM, proposal_id=proposal.pk)

        reopened = reopen_proposal(actor=SYSTEM, proposal_id=proposal.pk)

        assert reopened.status == ProposalStatus.PENDING
        with pytest.raises(Conflict):
            reopen_proposal(actor=SYSTEM, proposal_id=proposal.pk)
        with pytest.raises(Conflict):
            take_back_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason="No")


@pytest.mark.parametrize("days", [-1, 0, 366])
def test_a_snooze_ends_within_a_year(proposal: Proposal, days: int) -> None:
    with tenant_context(ALL), pytest.raises(InvalidDocument):
        snooze_proposal(actor=SYSTEM, proposal_id=proposal.pk, until=timezone.now() + timedelta(days=days, hours=days))


def test_a_published_change_is_taken_back_and_later_ones_stay(proposal: Proposal) -> None:
    accept(proposal)
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=make_event("another"))

        taken = take_back_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason="Not what we hoped")

        assert taken.taken_back_at is not None
        assert set(EventRecord.objects.values_list("name", flat=True)) == {"another", "sigil.telemetry.workflow_step"}
        assert "attempt" not in EventRecord.objects.get(name="sigil.telemetry.workflow_step").properties.values_list(
            "name", flat=True
        )
        with pytest.raises(Conflict, match="taken back already"):
            take_back_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason="Again")
    assert audited()[0] == "proposal.taken_back"


def test_it_can_be_taken_back_at_once() -> None:
    proposal = own_proposal(TenantOverride(events={"sigil.telemetry.workflow_step": EventOverride(retention_days=7)}))
    installation = proposal.installation
    assert installation is not None
    accept(proposal)
    assert published_event(installation).anomaly_detection.thresholds[0].max == 2200.0

    with tenant_context(ALL):
        take_back_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason="No", publish=True)

    event = published_event(installation)
    assert event.anomaly_detection.thresholds[0].max == 1500.0
    assert event.retention.days == 7


def test_a_change_of_one_tenant_joins_what_its_override_says() -> None:
    proposal = own_proposal(TenantOverride(events={"sigil.telemetry.workflow_step": EventOverride(retention_days=7)}))

    applied = accept(proposal)

    assert applied.status == ProposalStatus.APPLIED
    assert proposal.installation is not None
    event = published_event(proposal.installation)
    assert (event.retention.days, event.anomaly_detection.thresholds[0].max) == (7, 2200.0)


def test_a_bound_of_its_own_moves_inside_the_list_that_the_tenant_has() -> None:
    thresholds = (Threshold(metric="durationMs", max=1600.0), Threshold(metric="durationMs", min=1.0))
    anomalies = AnomalyOverride(thresholds=thresholds)
    own = EventOverride(retention_days=7, anomaly_detection=anomalies)
    proposal = own_proposal(TenantOverride(events={"sigil.telemetry.workflow_step": own}))
    assert proposal.installation is not None

    accept(proposal)

    event = published_event(proposal.installation)
    assert [each.max for each in event.anomaly_detection.thresholds] == [2200.0, None]
    with tenant_context(ALL):
        take_back_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason="No", publish=True)
    assert published_event(proposal.installation).anomaly_detection.thresholds == thresholds


def test_an_edited_change_is_taken_back_as_it_was_edited(proposal: Proposal) -> None:
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=make_event("another"))
        EventRecord.objects.filter(name="another").update(position=0)
        EventRecord.objects.exclude(name="another").update(position=1)
    patch = [dict(each) for each in proposal.patch]
    patch[-1] = {**patch[-1], "value": {"type": "string"}}
    accept(proposal, patch=patch, publish=False)
    with tenant_context(ALL):
        record = SpecRecord.objects.get()
        publish_version(
            actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="With it"
        )

        take_back_proposal(actor=SYSTEM, proposal_id=proposal.pk, reason="No")

        events = {event.name: set(event.properties.values_list("name", flat=True)) for event in record.events.all()}
    assert set(events) == {"another", "sigil.telemetry.workflow_step"}
    assert "attempt" not in events["sigil.telemetry.workflow_step"]


def test_people_of_the_tenant_see_and_take_up_its_proposals_and_no_others() -> None:
    proposal = own_proposal()
    installation = proposal.installation
    assert isinstance(installation, Installation)
    analyst = make_actor(Role.ANALYST, installation.tenant)
    stranger = make_actor(Role.ADMIN, make_installation("initech").tenant)

    with tenant_context(stranger.tenant_ids), pytest.raises(NotFound):
        accept_proposal(actor=stranger, proposal_id=proposal.pk)
    with tenant_context(analyst.tenant_ids):
        accepted = accept_proposal(actor=analyst, proposal_id=proposal.pk)

    assert accepted.status == ProposalStatus.ACCEPTED


Deed = Callable[[Actor, int], object]
DEEDS: dict[str, Deed] = {
    "accept": lambda actor, pk: accept_proposal(actor=actor, proposal_id=pk),
    "publish": lambda actor, pk: accept_proposal(actor=actor, proposal_id=pk, publish=True),
    "reject": lambda actor, pk: reject_proposal(actor=actor, proposal_id=pk, reason="No"),
    "snooze": lambda actor, pk: snooze_proposal(actor=actor, proposal_id=pk, until=timezone.now() + timedelta(days=1)),
}


@pytest.mark.parametrize("deed", DEEDS)
def test_viewers_change_nothing(proposal: Proposal, deed: str) -> None:
    viewer = make_actor(Role.VIEWER)
    before = everything_stored()

    with tenant_context(ALL), pytest.raises(NotAllowed):
        DEEDS[deed](viewer, proposal.pk)

    assert everything_stored() == before


def test_analysts_do_not_publish(proposal: Proposal) -> None:
    analyst = make_actor(Role.ANALYST)
    before = everything_stored()

    with pytest.raises(NotAllowed):
        accept(proposal, analyst)

    assert everything_stored() == before


def test_a_withdrawn_review_leaves_the_proposal_accepted_until_a_version_comes(proposal: Proposal) -> None:
    author = make_actor(Role.ANALYST)
    accept(proposal, author, publish=False)

    with tenant_context(ALL):
        withdraw(actor=author, review_id=ReviewRecord.objects.get().pk)
        proposal.refresh_from_db()

    assert proposal.status == ProposalStatus.ACCEPTED
