"""People talk about a draft as it is at one revision; what they agreed to is what is published."""

from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.db.utils import DatabaseError, IntegrityError
from pytest_django import DjangoAssertNumQueries

from telemetry.core.codec import checksum
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed, NotFound, StaleRevision, UnknownSpec
from telemetry.mappers import spec_from_records
from telemetry.models import ReviewComment, ReviewRecord, ReviewState, SpecRecord, Verdict
from telemetry.selectors.reviews import comments_of, live_review, open_reviews, review_by_id, reviews_of
from telemetry.services.publishing import publish_version
from telemetry.services.reviews import (
    ReviewRights,
    approve,
    comment,
    request_changes,
    review_rights,
    submit_for_review,
    withdraw,
)
from telemetry.services.specs import delete_event, discard_draft, replace_draft, save_event, save_meta
from tenants.actors import SYSTEM, Actor
from tenants.models import AuditEntry
from tenants.roles import Role
from tests.core.builders import make_event, make_meta, make_spec
from tests.telemetry.factories import everything_stored, make_draft, make_published
from tests.tenants.factories import make_actor, make_tenant

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
PII = make_event("signed_up", privacy=PrivacyLevel.PII)


def draft() -> SpecRecord:
    return SpecRecord.objects.get(name=NAME)


def submit(actor: Actor, **fields: Any) -> ReviewRecord:
    """The draft of this moment is submitted."""
    given = {"spec_name": NAME, "expected_revision": draft().draft_revision, "summary": "Please look"}
    return submit_for_review(actor=actor, **{**given, **fields})


def save(actor: Actor, event: Any = None) -> None:
    save_event(actor=actor, spec_name=NAME, event=event or make_event("second"))


def state_of(review: ReviewRecord) -> str:
    return review_by_id(review.pk).state


def actions() -> list[str]:
    entries = AuditEntry.objects.filter(action__startswith="spec.review.").order_by("id")
    return [entry.action.removeprefix("spec.review.") for entry in entries]


# The way of a review


def test_a_review_is_of_the_draft_exactly_as_it_is() -> None:
    analyst = make_actor(Role.ANALYST)
    make_draft()
    save(analyst)

    review = submit(analyst)

    assert (review.spec.name, review.draft_revision, review.draft_version) == (NAME, 2, 1)
    assert review.checksum == checksum(spec_from_records(draft()))
    assert (review.author_id, review.author_label) == (analyst.id, analyst.label)
    assert (review.state, review.closed_at, review.published_as) == (ReviewState.OPEN, None, None)
    assert live_review(draft()) == review
    assert list(open_reviews()) == [review]


def test_everything_that_is_said_stands_in_order() -> None:
    author, reviewer = make_actor(Role.ANALYST), make_actor(Role.PUBLISHER)
    make_draft()
    review = submit(author)

    comment(actor=reviewer, review_id=review.pk, text="Why?", path="events[0].sampling")
    comment(actor=author, review_id=review.pk, text="Because")
    approve(actor=reviewer, review_id=review.pk)
    request_changes(actor=reviewer, review_id=review.pk, text="I was wrong")

    said = [(each.author_label, each.verdict, each.text, each.path) for each in comments_of(review)]
    assert said == [
        (reviewer.label, Verdict.NONE, "Why?", "events[0].sampling"),
        (author.label, Verdict.NONE, "Because", ""),
        (reviewer.label, Verdict.APPROVED, "", ""),
        (reviewer.label, Verdict.CHANGES_REQUESTED, "I was wrong", ""),
    ]
    assert actions() == ["submitted", "commented", "commented", "approved", "changes_requested"]
    assert AuditEntry.objects.latest("id").details == {"review": review.pk, "draft_revision": 1}


@pytest.mark.parametrize(
    ("verb", "state"),
    [
        (lambda actor, review: approve(actor=actor, review_id=review.pk), ReviewState.APPROVED),
        (
            lambda actor, review: request_changes(actor=actor, review_id=review.pk, text="No"),
            ReviewState.CHANGES_REQUESTED,
        ),
        (lambda actor, review: withdraw(actor=actor, review_id=review.pk, text="Later"), ReviewState.WITHDRAWN),
    ],
)
def test_each_verdict_leads_to_its_state(
    verb: Callable[[Actor, ReviewRecord], ReviewRecord], state: ReviewState
) -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)

    answered = verb(admin, review)

    assert answered.state == state_of(review) == state
    assert (answered.closed_at is None) == (state == ReviewState.APPROVED)
    assert answered.is_live == (state == ReviewState.APPROVED)


def test_after_a_verdict_against_it_the_same_draft_can_be_submitted_again() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    request_changes(actor=admin, review_id=submit(admin).pk, text="No")

    again = submit(admin)

    assert [(each.pk, each.state) for each in reviews_of(draft())] == [
        (again.pk, ReviewState.OPEN),
        (again.pk - 1, ReviewState.CHANGES_REQUESTED),
    ]


def test_two_people_can_approve() -> None:
    author, first, second = (make_actor(role) for role in (Role.ANALYST, Role.PUBLISHER, Role.PRIVACY_OFFICER))
    make_draft()
    review = submit(author)

    approve(actor=first, review_id=review.pk)
    approve(actor=second, review_id=review.pk, text="Me too")

    assert state_of(review) == ReviewState.APPROVED
    assert [each.author_id for each in comments_of(review)] == [first.id, second.id]


def test_a_remark_can_still_be_made_when_the_review_is_over() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)
    withdraw(actor=admin, review_id=review.pk)

    comment(actor=admin, review_id=review.pk, text="For the record")

    assert (state_of(review), comments_of(review).count()) == (ReviewState.WITHDRAWN, 2)


def test_what_is_published_ends_its_review_approved_or_not() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)

    version = publish_version(actor=admin, name=NAME, expected_revision=1, change_summary="A good reason")

    ended = review_by_id(review.pk)
    assert (ended.state, ended.published_as) == (ReviewState.PUBLISHED, version)
    assert live_review(draft()) is None


# An edit ends it


def edit_meta(actor: Actor) -> None:
    save_meta(actor=actor, meta=make_meta(NAME, draft().draft_version, title="Another title"), config=None)


def replace(actor: Actor) -> None:
    document = b'{"meta":{"name":"sigil.telemetry","version":2,"title":"Whole"},"events":[]}'
    replace_draft(actor=actor, name=NAME, document=document, expected_revision=draft().draft_revision)


EDITS: dict[str, Callable[[Actor], Any]] = {
    "an event is saved": save,
    "an event is deleted": lambda actor: delete_event(actor=actor, spec_name=NAME, event_name="first", event_version=1),
    "meta is saved": edit_meta,
    "the draft is replaced": replace,
    "the draft is discarded": lambda actor: discard_draft(
        actor=actor, name=NAME, expected_revision=draft().draft_revision
    ),
}


@pytest.mark.parametrize("edit", EDITS.values(), ids=EDITS)
@pytest.mark.parametrize("is_approved", [False, True])
def test_every_edit_voids_a_review_that_is_under_way(edit: Callable[[Actor], Any], is_approved: bool) -> None:
    admin = make_actor(Role.ADMIN)
    make_published(make_spec(make_event("first"), make_event("last")))
    save(admin, make_event("mine"))
    review = submit(admin)
    if is_approved:
        approve(actor=admin, review_id=review.pk)

    edit(admin)

    ended = review_by_id(review.pk)
    assert (ended.state, ended.closed_at is not None) == (ReviewState.VOIDED, True)
    assert AuditEntry.objects.latest("id").details["voided_review"] is True


def test_a_save_that_changes_nothing_voids_nothing() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft(make_spec(make_event("second")))
    review = submit(admin)

    save(admin)

    assert state_of(review) == ReviewState.OPEN


@pytest.mark.parametrize(
    "verb",
    [
        lambda actor, review: approve(actor=actor, review_id=review),
        lambda actor, review: request_changes(actor=actor, review_id=review, text="No"),
        lambda actor, review: withdraw(actor=actor, review_id=review),
    ],
)
def test_nobody_decides_about_a_draft_that_is_another_now(verb: Callable[[Actor, int], Any]) -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)
    save(admin)
    before = everything_stored()

    with pytest.raises(StaleRevision, match="is at revision 2; this review was of revision 1"):
        verb(admin, review.pk)

    assert everything_stored() == before


def test_a_review_whose_revision_is_past_counts_as_void_whatever_its_state_says() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)
    # Past the services, as a careless script would.
    SpecRecord.objects.update(draft_revision=2)

    with pytest.raises(StaleRevision):
        approve(actor=admin, review_id=review.pk)


# Who edited


def test_everybody_who_edits_is_an_author_until_the_draft_is_published() -> None:
    first, second = make_actor(Role.ADMIN), make_actor(Role.ANALYST)
    make_draft()
    assert draft().editors == {}
    save(first)
    save(second, make_event("third"))
    assert draft().editors == {first.id: first.label, second.id: second.label}

    publish_version(actor=first, name=NAME, expected_revision=3, change_summary="A good reason")

    assert draft().editors == {}


def test_whoever_goes_back_to_what_is_published_leaves_no_authors() -> None:
    admin = make_actor(Role.ADMIN)
    make_published()
    save(admin)

    discard_draft(actor=admin, name=NAME, expected_revision=draft().draft_revision)

    assert draft().editors == {}


# What is refused


def test_a_draft_is_under_one_review_at_a_time() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    submit(admin)
    before = everything_stored()

    with pytest.raises(Conflict, match="under review already"):
        submit(admin)

    assert everything_stored() == before


def test_only_a_draft_that_is_there_changed_and_current_is_submitted() -> None:
    admin = make_actor(Role.ADMIN)
    make_published()

    with pytest.raises(Conflict, match="nothing has changed"):
        submit(admin)
    with pytest.raises(StaleRevision):
        submit(admin, expected_revision=99)
    with pytest.raises(UnknownSpec):
        submit(admin, spec_name="nothing")


@pytest.mark.parametrize("text", ["", " \n", "x" * 4001, "a\0b"], ids=["empty", "blank", "long", "control"])
def test_words_are_there_and_readable(text: str) -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)
    before = everything_stored()

    for verb in (comment, request_changes):
        with pytest.raises(InvalidDocument) as error:
            verb(actor=admin, review_id=review.pk, text=text)
        assert [each.path for each in error.value.errors] == ["text"]

    assert everything_stored() == before


def test_a_place_is_one_line() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()

    with pytest.raises(InvalidDocument) as error:
        comment(actor=admin, review_id=submit(admin).pk, text="Here", path="x" * 501)

    assert [(each.code, each.path) for each in error.value.errors] == [("too_long", "path")]


def test_a_review_without_a_summary_is_none() -> None:
    make_draft()

    with pytest.raises(InvalidDocument, match="summary"):
        submit(make_actor(Role.ADMIN), summary=" ")


def test_a_review_that_is_not_there_is_not_found() -> None:
    admin = make_actor(Role.ADMIN)

    for call in (
        lambda: approve(actor=admin, review_id=1),
        lambda: comment(actor=admin, review_id=1, text="Hello"),
        lambda: withdraw(actor=admin, review_id=1),
        lambda: request_changes(actor=admin, review_id=1, text="No"),
    ):
        with pytest.raises(NotFound):
            call()


def test_nobody_approves_twice() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)
    approve(actor=admin, review_id=review.pk)

    with pytest.raises(Conflict, match="you have approved this review already"):
        approve(actor=admin, review_id=review.pk)


@pytest.mark.parametrize("end", [withdraw, request_changes])
def test_what_is_over_is_over(end: Callable[..., ReviewRecord]) -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)
    end(actor=admin, review_id=review.pk, text="Enough")

    with pytest.raises(Conflict, match="this review is over"):
        approve(actor=admin, review_id=review.pk)


# Who may


@pytest.mark.parametrize(
    ("role", "allowed"),
    [
        (Role.VIEWER, set()),
        (Role.ANALYST, {"submit", "comment"}),
        (Role.PUBLISHER, {"submit", "comment", "approve", "request_changes"}),
        (Role.PRIVACY_OFFICER, {"submit", "comment", "approve", "request_changes"}),
        (Role.ADMIN, {"submit", "comment", "approve", "request_changes"}),
    ],
)
def test_roles_say_who_may_what(role: Role, allowed: set[str]) -> None:
    make_draft()
    review = submit(SYSTEM)
    make_draft(make_spec(make_event("other"), name="other"))
    actor = make_actor(role)
    verbs: dict[str, Callable[[], Any]] = {
        "submit": lambda: submit(actor, spec_name="other", expected_revision=1),
        "comment": lambda: comment(actor=actor, review_id=review.pk, text="Hello"),
        "approve": lambda: approve(actor=actor, review_id=review.pk),
        "request_changes": lambda: request_changes(actor=actor, review_id=review.pk, text="No"),
    }

    done = set()
    for name, verb in verbs.items():
        try:
            verb()
        except NotAllowed:
            continue
        done.add(name)

    assert done == allowed


def test_a_role_in_a_tenant_is_none_in_the_workspace() -> None:
    make_draft()
    review = submit(SYSTEM)
    admin = make_actor(Role.ADMIN, make_tenant())
    before = everything_stored()

    for call in (
        lambda: submit(admin),
        lambda: comment(actor=admin, review_id=review.pk, text="Hello"),
        lambda: approve(actor=admin, review_id=review.pk),
    ):
        with pytest.raises(NotAllowed):
            call()

    assert everything_stored() == before


def test_only_the_author_withdraws() -> None:
    author, other = make_actor(Role.ANALYST), make_actor(Role.ADMIN)
    make_draft()
    review = submit(author)

    with pytest.raises(NotAllowed, match="only whoever submitted"):
        withdraw(actor=other, review_id=review.pk)

    assert withdraw(actor=author, review_id=review.pk).state == ReviewState.WITHDRAWN


@pytest.mark.parametrize(("role", "may"), [(Role.PUBLISHER, False), (Role.PRIVACY_OFFICER, True), (Role.ADMIN, True)])
def test_personal_data_is_approved_by_privacy_officers_and_admins(role: Role, may: bool) -> None:
    make_draft(make_spec(PII))
    review = submit(make_actor(Role.ANALYST))
    reviewer = make_actor(role)

    if may:
        assert approve(actor=reviewer, review_id=review.pk).state == ReviewState.APPROVED
    else:
        with pytest.raises(NotAllowed, match=r"review\.approve_personal_data"):
            approve(actor=reviewer, review_id=review.pk)


@pytest.mark.parametrize("level", [PrivacyLevel.PII, PrivacyLevel.SENSITIVE])
def test_nobody_who_edited_or_submitted_approves_changes_of_personal_data(level: PrivacyLevel) -> None:
    editor, submitter, other = make_actor(Role.ADMIN), make_actor(Role.ADMIN), make_actor(Role.ADMIN)
    make_draft()
    save(editor, make_event("signed_up", privacy=level))
    save(other, make_event("harmless"))
    review = submit(submitter)

    for author in (editor, submitter, other):
        with pytest.raises(NotAllowed, match="the approval of somebody else"):
            approve(actor=author, review_id=review.pk)

    assert state_of(review) == ReviewState.OPEN


@pytest.mark.parametrize("level", [PrivacyLevel.PUBLIC, PrivacyLevel.INTERNAL])
def test_an_author_may_approve_other_changes(level: PrivacyLevel) -> None:
    publisher = make_actor(Role.PUBLISHER)
    make_draft()
    save(publisher, make_event("harmless", privacy=level))

    assert approve(actor=publisher, review_id=submit(publisher).pk).state == ReviewState.APPROVED


def test_rights_say_beforehand_what_the_verbs_will_say() -> None:
    author, officer, analyst = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER), make_actor(Role.ANALYST)
    make_draft(make_spec(PII))
    review = submit(author)

    assert review_rights(author, review)[:4] == (True, False, True, True)
    assert "somebody else" in review_rights(author, review).approval_obstacle
    assert review_rights(officer, review)[:5] == (True, True, True, False, "")
    assert [each.path for each in review_rights(officer, review).reasons] == ['events["signed_up@1"]']
    assert review_rights(analyst, review)[:4] == (True, False, False, False)
    approve(actor=officer, review_id=review.pk)
    assert review_rights(officer, review_by_id(review.pk)).approval_obstacle == "you have approved this review already"
    save(author)
    assert review_rights(officer, review_by_id(review.pk)) == ReviewRights(
        True, False, False, False, "the review is over: voided"
    )


# What the database holds to


def test_what_was_said_stays_said() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    said = comment(actor=admin, review_id=submit(admin).pk, text="Hello")

    with pytest.raises(DatabaseError), transaction.atomic():
        ReviewComment.objects.update(text="Never said that")
    with pytest.raises(DatabaseError), transaction.atomic():
        ReviewComment.objects.all().delete()

    assert ReviewComment.objects.get() == said


def test_what_was_submitted_stays_submitted() -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    review = submit(admin)

    with pytest.raises(DatabaseError, match="final"), transaction.atomic():
        ReviewRecord.objects.update(draft_revision=7)

    assert review_by_id(review.pk).draft_revision == 1


def test_two_reviews_under_way_are_refused_by_the_database_too() -> None:
    make_draft()
    review = submit(SYSTEM)

    with pytest.raises(IntegrityError, match="telemetry_review_one_live"):
        ReviewRecord.objects.create(
            spec=review.spec, draft_revision=1, draft_version=1, checksum="", summary="Again", author_label="x"
        )


# What it costs


@pytest.mark.parametrize("events", [2, 40])
def test_approving_costs_the_same_in_a_large_spec(
    events: int, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    admin = make_actor(Role.ADMIN)
    make_draft(make_spec(*(make_event(f"event_{number}") for number in range(events))))
    review = submit(admin)

    with django_assert_num_queries(11):
        approve(actor=admin, review_id=review.pk)


def test_lists_cost_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    admin = make_actor(Role.ADMIN)
    make_draft()
    for _ in range(3):
        withdraw(actor=admin, review_id=submit(admin).pk)
    record = draft()

    with django_assert_num_queries(1):
        found = [(str(review), review.comment_count) for review in reviews_of(record)]

    assert found == [("sigil.telemetry, revision 1", 1)] * 3
