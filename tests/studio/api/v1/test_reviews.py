"""Reviewing drafts over HTTP: submit, talk, decide; who may, and what is refused."""

from typing import Any

import pytest
from django.contrib.auth.models import User

from telemetry.core.enums import PrivacyLevel
from telemetry.models import ReviewRecord, SpecRecord
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM, actor_of_user
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.api.calls import Caller, caller_with_key, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, make_draft, make_installation, make_published, make_review
from tests.tenants.factories import make_key, make_membership, make_tenant, make_user

pytestmark = pytest.mark.django_db

SPEC = "/api/v1/specs/sigil.telemetry"
REVIEWS = f"{SPEC}/reviews"


def person(role: Role) -> tuple[User, Caller]:
    """A new person with this role in the workspace."""
    user = make_user()
    make_membership(user, role)
    return user, caller_with_key(user)


def edit(event: Any = None) -> None:
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=event or make_event("slipped_in"))


def verdict(caller: Caller, review: ReviewRecord, verb: str, text: str = "In words") -> Any:
    return caller.post(f"/api/v1/reviews/{review.pk}/{verb}", {"text": text})


# Submitting


def test_a_draft_is_submitted_as_it_is() -> None:
    make_draft()
    user, analyst = person(Role.ANALYST)

    answer = analyst.post(REVIEWS, {"expectedRevision": 1, "summary": "First draft"})

    review = ReviewRecord.objects.get()
    assert answer.status_code == 201
    assert answer["Location"] == f"/api/v1/reviews/{review.pk}"
    shown = answer.json()
    assert shown.pop("submittedAt").endswith("Z")
    assert shown == {
        "id": review.pk,
        "spec": "sigil.telemetry",
        "draftRevision": 1,
        "draftVersion": 1,
        "checksum": review.checksum,
        "summary": "First draft",
        "author": f"{user.username} by Laptop",
        "state": "open",
        "closedAt": None,
        "publishedAs": None,
        "commentCount": 0,
    }
    assert review.author_id == str(user.pk)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"expectedRevision": 9, "summary": "A change"}, 409, "stale_revision"),
        ({"expectedRevision": 1, "summary": " "}, 400, "invalid_document"),
        ({"expectedRevision": 1}, 400, "invalid_document"),
        ({"expectedRevision": 0, "summary": "A change"}, 400, "invalid_document"),
    ],
)
def test_what_cannot_be_reviewed_is_not_submitted(body: dict[str, Any], status: int, code: str) -> None:
    make_draft()

    answer = caller_with_role(Role.ANALYST).post(REVIEWS, body)

    assert (answer.status_code, code_of(answer)) == (status, code)
    assert not ReviewRecord.objects.exists()


def test_a_draft_under_review_or_without_changes_is_a_conflict() -> None:
    make_published()
    analyst = caller_with_role(Role.ANALYST)
    unchanged = analyst.post(REVIEWS, {"expectedRevision": 2, "summary": "Nothing"})
    make_review()

    again = analyst.post(REVIEWS, {"expectedRevision": 3, "summary": "Again"})

    assert [(each.status_code, code_of(each)) for each in (unchanged, again)] == [(409, "conflict")] * 2


# Reading


def test_reviews_come_newest_first() -> None:
    make_published()
    first = make_review()
    edit()
    with tenant_context(ALL):
        revision = SpecRecord.objects.get().draft_revision
    admin = caller_with_role(Role.ADMIN)
    admin.post(REVIEWS, {"expectedRevision": revision, "summary": "Second"})

    answer = caller_with_role(Role.VIEWER).get(REVIEWS, {"pageSize": 1})
    rest = caller_with_role(Role.VIEWER).get(REVIEWS, {"pageSize": 1, "page": 2})

    assert (answer.status_code, answer.json()["total"]) == (200, 2)
    assert [item["summary"] for item in answer.json()["items"]] == ["Second"]
    [old] = rest.json()["items"]
    assert (old["id"], old["state"], old["closedAt"] is not None) == (first.pk, "voided", True)


def test_a_review_says_what_the_caller_may_do_and_why_not() -> None:
    make_draft(make_spec(make_event("signed_up", privacy=PrivacyLevel.PII)))
    review = make_review()
    address = f"/api/v1/reviews/{review.pk}"

    publisher = caller_with_role(Role.PUBLISHER).get(address).json()
    officer = caller_with_role(Role.PRIVACY_OFFICER).get(address).json()

    assert publisher["review"] == officer["review"]
    assert [reason["path"] for reason in publisher["reasons"]] == ['events["signed_up@1"]']
    assert (publisher["mayApprove"], publisher["mayRequestChanges"], publisher["mayWithdraw"]) == (False, True, False)
    assert "review.approve_personal_data" in publisher["approvalObstacle"]
    assert (officer["mayApprove"], officer["approvalObstacle"]) == (True, "")


def test_what_was_said_comes_in_order() -> None:
    make_draft()
    review = make_review()
    admin, publisher = caller_with_role(Role.ADMIN), caller_with_role(Role.PUBLISHER)
    admin.post(f"/api/v1/reviews/{review.pk}/comments", {"text": "Why?", "path": "events[0]"})
    verdict(publisher, review, "approve", "")

    answer = admin.get(f"/api/v1/reviews/{review.pk}/comments")

    said = [(item["verdict"], item["text"], item["path"]) for item in answer.json()["items"]]
    assert said == [(None, "Why?", "events[0]"), ("approved", "", "")]
    assert admin.get(f"/api/v1/reviews/{review.pk}").json()["review"]["commentCount"] == 2


# Deciding


@pytest.mark.parametrize(
    ("verb", "state", "is_closed"), [("approve", "approved", False), ("request-changes", "changes_requested", True)]
)
def test_a_verdict_changes_the_state(verb: str, state: str, is_closed: bool) -> None:
    make_draft()
    review = make_review()

    answer = verdict(caller_with_role(Role.PUBLISHER), review, verb)

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["state"], shown["closedAt"] is not None, shown["commentCount"]) == (state, is_closed, 1)


def test_an_author_withdraws() -> None:
    make_draft()
    user, analyst = person(Role.ANALYST)
    review = make_review(actor_of_user(user))

    answer = verdict(analyst, review, "withdraw", "")

    assert (answer.status_code, answer.json()["state"]) == (200, "withdrawn")


def test_personal_data_goes_live_by_three_people() -> None:
    make_draft(make_spec(make_event("signed_up", privacy=PrivacyLevel.PII)))
    analyst, officer, publisher = (
        caller_with_role(role) for role in (Role.ANALYST, Role.PRIVACY_OFFICER, Role.PUBLISHER)
    )
    publication = {"expectedRevision": 1, "changeSummary": "Who signs up"}
    early = publisher.post(f"{SPEC}/publish", publication)
    submitted = analyst.post(REVIEWS, {"expectedRevision": 1, "summary": "Who signs up"}).json()

    officer.post(f"/api/v1/reviews/{submitted['id']}/approve", {"text": "Fine"})
    version = publisher.post(f"{SPEC}/publish", publication)

    assert (early.status_code, code_of(early)) == (409, "approval_required")
    assert [error["path"] for error in early.json()["errors"]] == ['events["signed_up@1"]']
    assert (version.status_code, version.json()["version"]) == (200, 1)
    review = analyst.get(f"/api/v1/reviews/{submitted['id']}").json()["review"]
    assert (review["state"], review["publishedAs"]) == ("published", 1)


def test_nobody_approves_what_they_edited_with_whichever_credential() -> None:
    make_draft()
    user, admin = person(Role.ADMIN)
    with tenant_context(ALL):
        save_event(
            actor=actor_of_user(user),
            spec_name="sigil.telemetry",
            event=make_event("signed_up", privacy=PrivacyLevel.PII),
        )
    review = make_review()
    before = everything_stored()["telemetry.ReviewRecord"]

    answer = verdict(admin, review, "approve")

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    assert everything_stored()["telemetry.ReviewRecord"] == before


@pytest.mark.parametrize("verb", ["approve", "request-changes"])
def test_a_draft_that_was_edited_since_is_stale(verb: str) -> None:
    make_draft()
    review = make_review()
    edit()

    answer = verdict(caller_with_role(Role.ADMIN), review, verb)

    assert (answer.status_code, code_of(answer)) == (409, "stale_revision")


def test_approving_twice_is_a_conflict() -> None:
    make_draft()
    review = make_review()
    publisher = caller_with_role(Role.PUBLISHER)
    verdict(publisher, review, "approve")

    answer = verdict(publisher, review, "approve")

    assert (answer.status_code, code_of(answer)) == (409, "conflict")


# Who may not


@pytest.mark.parametrize(
    ("role", "verb", "body"),
    [
        (Role.VIEWER, "comments", {"text": "Hello"}),
        (Role.VIEWER, "withdraw", {"text": ""}),
        (Role.ANALYST, "approve", {"text": ""}),
        (Role.ANALYST, "request-changes", {"text": "No"}),
        (Role.ADMIN, "withdraw", {"text": ""}),
    ],
)
def test_whoever_lacks_the_ability_changes_nothing_and_leaves_a_trace(
    role: Role, verb: str, body: dict[str, Any]
) -> None:
    make_draft()
    review = make_review()
    before = everything_stored()

    answer = caller_with_role(role).post(f"/api/v1/reviews/{review.pk}/{verb}", body)

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    after = everything_stored()
    assert [after[name] for name in ("telemetry.ReviewRecord", "telemetry.ReviewComment")] == [
        before[name] for name in ("telemetry.ReviewRecord", "telemetry.ReviewComment")
    ]
    with tenant_context(ALL):
        assert AuditEntry.objects.latest("id").action == "access.denied"


@pytest.mark.parametrize("path", ["", "/comments"])
def test_reviews_are_for_members_of_the_workspace(path: str) -> None:
    make_draft()
    review = make_review()
    tenants_admin = caller_with_role(Role.ADMIN, make_tenant())
    app = Caller(key=make_key(make_installation()).text)

    for caller in (tenants_admin, app):
        assert caller.get(f"/api/v1/reviews/{review.pk}{path}").status_code == 403
        assert caller.get(REVIEWS).status_code == 403


@pytest.mark.parametrize("path", ["/api/v1/reviews/99", "/api/v1/reviews/99/comments", "/api/v1/specs/other/reviews"])
def test_what_is_not_there_is_not_found(path: str) -> None:
    assert caller_with_role(Role.ADMIN).get(path).status_code == 404


@pytest.mark.parametrize("verb", ["comments", "approve", "request-changes", "withdraw"])
def test_a_review_that_is_not_there_cannot_be_decided(verb: str) -> None:
    answer = caller_with_role(Role.ADMIN).post(f"/api/v1/reviews/99/{verb}", {"text": "Hello"})

    assert (answer.status_code, code_of(answer)) == (404, "not_found")


# What it costs


def test_reading_costs_the_same_however_much_was_said() -> None:
    make_draft()
    admin = caller_with_role(Role.ADMIN)
    review = make_review()
    addresses = [REVIEWS, f"/api/v1/reviews/{review.pk}", f"/api/v1/reviews/{review.pk}/comments"]
    before = [cost_of(admin, address) for address in addresses]

    for number in range(5):
        admin.post(f"/api/v1/reviews/{review.pk}/comments", {"text": f"Remark {number}"})

    assert before == [3, 4, 3]
    assert [cost_of(admin, address) for address in addresses] == before
