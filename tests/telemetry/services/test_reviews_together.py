"""People edit, review and publish at the same time: an approval is of what it was given for, or it is none."""

from functools import partial

import pytest

from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import ApprovalRequired, Conflict, StaleRevision
from telemetry.models import ReviewComment, ReviewRecord, ReviewState, SpecRecord, SpecVersion, Verdict
from telemetry.services.publishing import publish_version
from telemetry.services.reviews import approve, submit_for_review, withdraw
from telemetry.services.specs import save_event
from tenants.actors import Actor
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_draft
from tests.tenants.factories import make_actor
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)

NAME = "sigil.telemetry"
PII = make_event("signed_up", privacy=PrivacyLevel.PII)


def submit(actor: Actor) -> ReviewRecord:
    with tenant_context(ALL):
        return submit_for_review(actor=actor, spec_name=NAME, expected_revision=1, summary="Please look")


def consent(actor: Actor, review: int) -> ReviewRecord:
    with tenant_context(ALL):
        return approve(actor=actor, review_id=review)


def give_up(actor: Actor, review: int) -> ReviewRecord:
    with tenant_context(ALL):
        return withdraw(actor=actor, review_id=review)


def edit(actor: Actor) -> object:
    with tenant_context(ALL):
        return save_event(actor=actor, spec_name=NAME, event=make_event("slipped_in", privacy=PrivacyLevel.PII))


def publish(actor: Actor, revision: int) -> SpecVersion:
    with tenant_context(ALL):
        return publish_version(actor=actor, name=NAME, expected_revision=revision, change_summary="A good reason")


@pytest.mark.parametrize("attempt", range(5))
def test_an_edit_during_an_approval_leaves_nothing_approved(attempt: int) -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    review = submit(author)

    approved, edited = run_together(partial(consent, officer, review.pk), partial(edit, author))

    assert not isinstance(edited, Exception)
    assert isinstance(approved, ReviewRecord | StaleRevision)
    assert ReviewRecord.objects.get().state == ReviewState.VOIDED
    with pytest.raises(ApprovalRequired):
        publish(author, 2)


@pytest.mark.parametrize("attempt", range(5))
def test_an_edit_during_a_publication_is_never_published_unapproved(attempt: int) -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    consent(officer, submit(author).pk)

    published, edited = run_together(partial(publish, author, 1), partial(edit, author))

    assert not isinstance(edited, Exception)
    if isinstance(published, SpecVersion):
        assert "slipped_in" not in published.document
        assert ReviewRecord.objects.get().state == ReviewState.PUBLISHED
    else:
        assert isinstance(published, StaleRevision)
        assert ReviewRecord.objects.get().state == ReviewState.VOIDED
        assert not SpecVersion.objects.exists()


def test_of_two_approvals_by_one_person_one_stands() -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    review = submit(author)

    results = run_together(*[partial(consent, officer, review.pk)] * 4)

    assert sum(isinstance(result, ReviewRecord) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert ReviewComment.objects.filter(verdict=Verdict.APPROVED).count() == 1


def test_approvals_by_two_people_both_stand() -> None:
    author, reviewers = make_actor(Role.ADMIN), [make_actor(Role.PRIVACY_OFFICER) for _ in range(2)]
    make_draft(make_spec(PII))
    review = submit(author)

    results = run_together(*(partial(consent, reviewer, review.pk) for reviewer in reviewers))

    assert [type(result) for result in results] == [ReviewRecord, ReviewRecord]
    assert ReviewComment.objects.filter(verdict=Verdict.APPROVED).count() == 2


def test_of_several_submissions_one_is_open() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()

    results = run_together(*[partial(submit, admin)] * 4)

    assert sum(isinstance(result, ReviewRecord) for result in results) == 1
    assert sum(isinstance(result, Conflict) for result in results) == 3
    assert ReviewRecord.objects.get().state == ReviewState.OPEN


@pytest.mark.parametrize("attempt", range(3))
def test_who_withdraws_during_a_publication_is_too_late_or_stops_it(attempt: int) -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    review = submit(author)
    consent(officer, review.pk)

    published, withdrawn = run_together(partial(publish, author, 1), partial(give_up, author, review.pk))

    if isinstance(published, SpecVersion):
        assert isinstance(withdrawn, StaleRevision | Conflict)
        assert ReviewRecord.objects.get().state == ReviewState.PUBLISHED
    else:
        assert isinstance(published, ApprovalRequired)
        assert ReviewRecord.objects.get().state == ReviewState.WITHDRAWN


def test_of_several_publishers_with_an_approval_one_wins_and_the_others_learn_why() -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    consent(officer, submit(author).pk)

    results = run_together(*[partial(publish, author, 1)] * 3)

    assert sum(isinstance(result, SpecVersion) for result in results) == 1
    assert all("next version 2" in str(result) for result in results if isinstance(result, StaleRevision))
    assert SpecRecord.objects.get().editors == {}
    with tenant_context(ALL):
        assert AuditEntry.objects.filter(action="spec.version.published").count() == 1
