"""Reviews of drafts: submitting, talking, deciding, and what waits for whom."""

from typing import Any

import pytest

from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import Semantics
from telemetry.models import ReviewRecord, ReviewState, SpecRecord, Verdict
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import (
    Visitor,
    actions,
    assert_denied,
    assert_refused,
    errors_in,
    fields_of,
    roles_without,
    text_of,
    visitor,
)
from tests.telemetry.factories import make_draft, make_published
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db


def submit_page(record: SpecRecord) -> str:
    return f"/studio/specs/{record.pk}/submit/"


def page(review: ReviewRecord) -> str:
    return f"/studio/reviews/{review.pk}/change/"


def edit(record: SpecRecord, what: str = "Said better") -> None:
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event("step", semantics=Semantics(what=what)))


def changed(level: str = "internal") -> SpecRecord:
    """A published spec whose draft says its only event better."""
    event = make_event("step", privacy=PrivacyLevel(level))
    record = SpecRecord.objects.get(pk=make_published(make_spec(event)).spec_id)
    with tenant_context(ALL):
        better = make_event("step", privacy=PrivacyLevel(level), semantics=Semantics(what="Said better"))
        save_event(actor=SYSTEM, spec_name=record.name, event=better)
    return record


def submitted(by: Visitor, record: SpecRecord) -> ReviewRecord:
    by.fill_in(submit_page(record), summary="It was unclear")
    return ReviewRecord.objects.get()


def badge_of(asked: Visitor) -> Any:
    groups = asked.get("/studio/").context["sidebar_navigation"]
    items = {item["title"]: item for group in groups for item in group["items"]}
    return items["Reviews"].get("badge")


# Submitting


def test_a_draft_is_submitted_as_it_is_shown() -> None:
    record, ana = changed(), visitor(Role.ANALYST)

    shown = text_of(ana.get(submit_page(record)))
    response = ana.fill_in(submit_page(record), summary="It was unclear")

    review = ReviewRecord.objects.get()
    assert "1 change: 1 safe since version 1" in shown
    assert (response.status_code, response["Location"]) == (302, page(review))
    assert (review.state, review.summary, review.author_label) == (ReviewState.OPEN, "It was unclear", ana.username)
    assert actions()[-1] == "spec.review.submitted"


def test_a_draft_that_changed_meanwhile_is_shown_again_and_not_submitted() -> None:
    record, ana = changed(), visitor(Role.ANALYST)
    opened = fields_of(ana.get(submit_page(record)))
    edit(record, "Changed behind her back")

    refused = ana.post(submit_page(record), {**opened, "summary": "Mine"})

    assert "The draft changed while you looked at it" in errors_in(refused)["__all__"][0]
    assert "Changed behind her back" in text_of(refused)
    assert not ReviewRecord.objects.exists()


@pytest.mark.parametrize(
    ("entries", "field"),
    [({"summary": " "}, "summary"), ({"summary": "x" * 4001}, "summary"), ({"expected_revision": "x"}, None)],
)
def test_bad_input_submits_nothing(entries: dict[str, str], field: str | None) -> None:
    record, ana = changed(), visitor(Role.ANALYST)

    errors = assert_refused(lambda: ana.fill_in(submit_page(record), {"summary": "Fine", **entries}))

    assert list(errors) == [field or "expected_revision"]


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_submits_nothing(role: Role) -> None:
    record, asked = changed(), visitor(role)

    assert asked.get(submit_page(record)).status_code == 403
    assert_denied("spec.edit", lambda: asked.post(submit_page(record), summary="x", expected_revision="2"))


def test_what_is_under_review_or_unchanged_is_not_submitted_again() -> None:
    record, ana = changed(), visitor(Role.ANALYST)
    unchanged = make_published(make_spec(make_event("other"), name="other")).spec
    submitted(ana, record)

    assert "under review already" in text_of(ana.get(submit_page(record)))
    assert "there is nothing to review" in text_of(ana.get(submit_page(unchanged)))


# Talking and deciding


def test_a_comment_stands_with_its_place_and_its_author() -> None:
    record, ben = changed(), visitor(Role.ANALYST)
    review = submitted(visitor(Role.ANALYST), record)

    response = ben.post(page(review), verdict="comment", text="Who reads this?\n<b>Nobody</b>", path="events[0]")

    assert (response.status_code, response["Location"]) == (302, page(review))
    html = ben.get(page(review)).content.decode()
    assert "&lt;b&gt;Nobody&lt;/b&gt;" in html
    assert "events[0]" in html
    assert ben.username in html
    assert review.comments.get().verdict == Verdict.NONE


def test_an_approval_by_somebody_else_allows_publishing() -> None:
    record, eve = changed("pii"), visitor(Role.PRIVACY_OFFICER)
    review = submitted(visitor(Role.ANALYST), record)
    publisher = visitor(Role.PUBLISHER)
    publish = f"/studio/specs/{record.pk}/publish/"

    before = publisher.get(publish)
    eve.post(page(review), verdict="approve", text="")
    after = publisher.get(publish)

    assert "It waits for an approval" in text_of(before)
    assert page(review) in before.content.decode()
    assert "Revision 3 is approved." in text_of(after)
    assert publisher.fill_in(publish, change_summary="Clearer").status_code == 302
    review.refresh_from_db()
    assert review.state == ReviewState.PUBLISHED
    assert "Published as version 2" in text_of(publisher.get(page(review)))


def test_nobody_approves_their_own_change_of_personal_data_and_is_told_why() -> None:
    record, eve = changed("pii"), visitor(Role.PRIVACY_OFFICER)
    review = submitted(eve, record)

    shown = eve.get(page(review))

    assert "You cannot approve: You edited this draft or submitted it: changes of personal data need" in text_of(shown)
    assert 'value="approve"' not in shown.content.decode()
    assert_denied("review.approve_personal_data", lambda: eve.post(page(review), verdict="approve", text=""))


@pytest.mark.parametrize("role", roles_without("review.approve"))
def test_who_may_not_approve_sees_no_button_and_decides_nothing(role: Role) -> None:
    record = changed()
    review = submitted(visitor(Role.ANALYST), record)
    asked = visitor(role)

    html = asked.get(page(review)).content.decode()

    assert 'value="approve"' not in html
    assert 'value="request_changes"' not in html
    assert_denied("review.approve", lambda: asked.post(page(review), verdict="approve", text=""))
    assert_denied("review.approve", lambda: asked.post(page(review), verdict="request_changes", text="No"))


def test_a_viewer_reads_and_says_nothing() -> None:
    review = submitted(visitor(Role.ANALYST), changed())
    asked = visitor(Role.VIEWER)

    assert "Your role lets you read this review" in text_of(asked.get(page(review)))
    assert_denied("review.comment", lambda: asked.post(page(review), verdict="comment", text="Hello"))


def test_requested_changes_end_the_review_and_need_words() -> None:
    review = submitted(visitor(Role.ANALYST), changed())
    ben = visitor(Role.PUBLISHER)

    errors = assert_refused(lambda: ben.post(page(review), verdict="request_changes", text=""))
    ben.post(page(review), verdict="request_changes", text="Say who reads it")

    assert list(errors) == ["text"]
    review.refresh_from_db()
    assert review.state == ReviewState.CHANGES_REQUESTED
    assert "Say who reads it" in text_of(ben.get(page(review)))


def test_only_the_author_withdraws() -> None:
    ana, ben = visitor(Role.ANALYST), visitor(Role.ANALYST)
    review = submitted(ana, changed())

    assert 'value="withdraw"' not in ben.get(page(review)).content.decode()
    assert_denied("spec.edit", lambda: ben.post(page(review), verdict="withdraw", text=""))
    ana.post(page(review), verdict="withdraw", text="Not yet")

    review.refresh_from_db()
    assert review.state == ReviewState.WITHDRAWN


def test_an_edit_of_the_draft_voids_the_review_and_a_late_approval_is_refused() -> None:
    record, eve = changed(), visitor(Role.PUBLISHER)
    review = submitted(visitor(Role.ANALYST), record)
    edit(record, "Something else")

    late = eve.post(page(review), verdict="approve", text="")

    shown = text_of(eve.get(page(review)))
    assert late.status_code == 302
    assert "this review and its approvals count no more" in shown
    assert "Nothing was changed." in shown
    review.refresh_from_db()
    assert review.state == ReviewState.VOIDED


@pytest.mark.parametrize("entries", [{"text": "\x00"}, {"text": "x" * 4001}, {"text": "x", "path": "p" * 501}, {}])
def test_what_cannot_be_said_comes_back_with_the_reason(entries: dict[str, str]) -> None:
    review = submitted(visitor(Role.ANALYST), changed())
    ben = visitor(Role.ANALYST)

    assert_refused(lambda: ben.post(page(review), {"verdict": "comment", **entries}))


def test_an_unknown_verdict_is_a_comment() -> None:
    review = submitted(visitor(Role.ANALYST), changed())

    visitor(Role.ADMIN).post(page(review), verdict="publish", text="Hello")

    assert review.comments.get().verdict == Verdict.NONE


# Who sees what


def test_the_badge_counts_what_waits_for_the_person() -> None:
    ana, eve, pia = visitor(Role.PUBLISHER), visitor(Role.PRIVACY_OFFICER), visitor(Role.PUBLISHER)
    review = submitted(ana, changed())

    waiting = [badge_of(each) for each in (ana, eve, pia, visitor(Role.VIEWER), visitor(Role.ANALYST))]
    eve.post(page(review), verdict="approve", text="")
    approved = [badge_of(each) for each in (ana, eve, pia)]

    assert waiting == [None, 1, 1, None, None]
    # Whoever may publish has the next step; who approved has none.
    assert approved == [1, None, 1]


@pytest.mark.parametrize("role", list(Role))
def test_every_member_reads_reviews(role: Role) -> None:
    review = submitted(visitor(Role.ANALYST), changed())

    assert visitor(role, make_tenant()).get(page(review)).status_code == 200
    assert visitor(role).get("/studio/reviews/").status_code == 200


def test_somebody_without_a_role_reads_none() -> None:
    review = submitted(visitor(Role.ANALYST), changed())

    assert visitor().get(page(review)).status_code == 403
    assert visitor().get("/studio/reviews/").status_code == 403


def test_the_history_of_a_spec_has_its_versions_and_reviews() -> None:
    record, ana = changed(), visitor(Role.ANALYST)
    submitted(ana, record)
    visitor(Role.PUBLISHER).fill_in(f"/studio/specs/{record.pk}/publish/", change_summary="Clearer now")

    response = ana.get(f"/studio/specs/{record.pk}/history/")

    text = text_of(response)
    assert "Clearer now" in text
    assert "It was unclear" in text
    assert f"/studio/specs/{record.pk}/compare/?before=1&amp;after=2" in response.content.decode()


def test_a_review_takes_as_many_queries_for_much_talk_as_for_none() -> None:
    record, ana = changed(), visitor(Role.ANALYST)
    review = submitted(ana, record)
    quiet = ana.cost_of(page(review))

    for number in range(5):
        visitor(Role.ANALYST).post(page(review), verdict="comment", text=f"Number {number}")

    assert ana.cost_of(page(review)) == quiet


def test_the_first_version_has_nothing_to_be_compared_with() -> None:
    record = make_draft()
    ana = visitor(Role.ANALYST)

    assert "the first version" in text_of(ana.get(submit_page(record)))
    assert "everything is new" in text_of(ana.get(page(submitted(ana, record))))


def test_the_history_of_an_unpublished_spec_says_what_it_is_for() -> None:
    record = make_draft()

    response: Any = visitor(Role.VIEWER).get(f"/studio/specs/{record.pk}/history/")

    assert "Nothing is published yet" in text_of(response)
