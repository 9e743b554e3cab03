"""Publishing waits for an approval where the setting says so, and takes one that is of exactly this draft."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries, Settings

from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import ApprovalRequired, NotAllowed, TelemetryError
from telemetry.core.spec import EventDefinition, TelemetrySpec
from telemetry.models import ReviewState, SpecRecord, SpecVersion
from telemetry.selectors.draft_states import DraftState
from telemetry.services.approvals import need_of_draft
from telemetry.services.publishing import publish_version
from telemetry.services.reviews import approve, request_changes, submit_for_review
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM, Actor
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_sigil_spec, make_spec
from tests.telemetry.factories import everything_stored, make_draft, make_published
from tests.tenants.factories import make_actor

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
PII = make_event("signed_up", privacy=PrivacyLevel.PII)
FREE = {"email": make_property(pii=False)}


def draft() -> SpecRecord:
    return SpecRecord.objects.get(name=NAME)


def publish(actor: Actor) -> SpecVersion:
    revision = draft().draft_revision
    return publish_version(actor=actor, name=NAME, expected_revision=revision, change_summary="A good reason")


def save(event: EventDefinition, actor: Actor = SYSTEM) -> None:
    save_event(actor=actor, spec_name=NAME, event=event)


def review_and_approve(author: Actor, approver: Actor) -> int:
    revision = draft().draft_revision
    review = submit_for_review(actor=author, spec_name=NAME, expected_revision=revision, summary="Please look")
    return approve(actor=approver, review_id=review.pk).pk


# When somebody works alone


def test_one_person_publishes_the_seeds_spec_and_changes_of_it() -> None:
    alone = make_actor(Role.ADMIN)
    make_draft(make_sigil_spec())

    first = publish(alone)
    save(make_event("second"), alone)
    second = publish(alone)

    assert (first.version, second.version) == (1, 2)


@pytest.mark.parametrize("event", [PII, make_event(privacy=PrivacyLevel.SENSITIVE)], ids=["pii", "sensitive"])
def test_what_touches_personal_data_waits_for_an_approval_from_the_first_version_on(event: EventDefinition) -> None:
    admin = make_actor(Role.ADMIN)
    make_draft(make_spec(make_event("plain"), event))
    before = everything_stored()

    with pytest.raises(ApprovalRequired, match=r"revision 1 of the draft of sigil\.telemetry is not approved") as error:
        publish(admin)

    assert [each.path for each in error.value.errors] == [f'events["{event.name}@1"]']
    assert everything_stored() == before


@pytest.mark.parametrize(
    ("mode", "spec", "refused"),
    [
        ("never", make_spec(PII), False),
        ("personal_data", make_spec(PII), True),
        ("personal_data", make_spec(), False),
        ("always", make_spec(), True),
    ],
)
def test_the_setting_decides(mode: str, spec: TelemetrySpec, refused: bool, settings: Settings) -> None:
    settings.STUDIO_REVIEW_REQUIRED = mode
    make_draft(spec)

    try:
        publish(make_actor(Role.ADMIN))
    except ApprovalRequired:
        assert refused
    else:
        assert not refused


@pytest.mark.parametrize("mode", ["personal_data", "always"])
def test_the_system_needs_nobody(mode: str, settings: Settings) -> None:
    settings.STUDIO_REVIEW_REQUIRED = mode
    make_draft(make_spec(PII))

    assert publish(SYSTEM).version == 1


def test_somebody_alone_approves_their_own_change_where_every_change_needs_it(settings: Settings) -> None:
    settings.STUDIO_REVIEW_REQUIRED = "always"
    alone = make_actor(Role.ADMIN)
    make_draft()
    save(make_event("second"), alone)

    review_and_approve(alone, alone)

    assert publish(alone).version == 1


# With an approval


def test_an_approved_draft_is_published_by_somebody_else() -> None:
    author, officer, publisher = make_actor(Role.ANALYST), make_actor(Role.PRIVACY_OFFICER), make_actor(Role.PUBLISHER)
    make_draft(make_spec())
    save(PII, author)
    review_and_approve(author, officer)

    version = publish(publisher)

    review = draft().reviews.get()
    assert (review.state, review.published_as, review.closed_at is not None) == (ReviewState.PUBLISHED, version, True)
    assert draft().editors == {}


def test_the_approval_of_a_privacy_officer_stands_for_the_ability_to_loosen() -> None:
    publisher, officer = make_actor(Role.PUBLISHER), make_actor(Role.PRIVACY_OFFICER)
    make_published(make_spec(make_event("a", properties={"email": make_property(pii=True)})))
    save(make_event("a", properties=FREE), publisher)
    with pytest.raises(NotAllowed, match=r"privacy\.loosen, or a review"):
        publish(publisher)

    review_and_approve(publisher, officer)

    assert publish(publisher).version == 2


def test_an_open_review_is_no_approval() -> None:
    author = make_actor(Role.ADMIN)
    make_draft(make_spec(PII))
    submit_for_review(actor=author, spec_name=NAME, expected_revision=1, summary="Please look")

    with pytest.raises(ApprovalRequired):
        publish(author)


def test_an_approval_ends_with_the_next_edit() -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    review_and_approve(author, officer)
    save(make_event("harmless"), author)

    with pytest.raises(ApprovalRequired, match="revision 2"):
        publish(author)


def test_an_approval_ends_when_somebody_requests_changes() -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    review = review_and_approve(author, officer)
    request_changes(actor=officer, review_id=review, text="I overlooked something")

    with pytest.raises(ApprovalRequired):
        publish(author)


def test_an_approval_of_another_revision_counts_for_nothing_whatever_its_state_says() -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    review_and_approve(author, officer)
    # Past the services, as a careless script would.
    SpecRecord.objects.update(draft_revision=2)

    with pytest.raises(ApprovalRequired):
        publish(author)


def test_an_approval_of_one_spec_is_none_of_another() -> None:
    author, officer = make_actor(Role.ADMIN), make_actor(Role.PRIVACY_OFFICER)
    make_draft(make_spec(PII))
    make_draft(make_spec(make_event("other", privacy=PrivacyLevel.PII), name="other"))
    review_and_approve(author, officer)

    with pytest.raises(ApprovalRequired):
        publish_version(actor=author, name="other", expected_revision=1, change_summary="A good reason")


# What is counted as loosening


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"properties": FREE}, 'events["a@2"].properties.email'),
        ({"privacy": PrivacyLevel.PUBLIC, "properties": {}}, 'events["a@2"].privacy'),
    ],
)
def test_a_new_version_of_an_event_is_no_way_around(fields: dict[str, Any], path: str) -> None:
    tight = make_event("a", properties={"email": make_property(pii=True)})
    make_published(make_spec(tight))
    save(make_event("a", 2, **fields))

    need = need_of_draft(DraftState(draft()))

    assert [each.path for each in need.loosened] == [path]
    assert (need.is_required, need.ability) == (True, "review.approve_personal_data")


def test_what_a_draft_needs_costs_the_same_in_a_large_spec(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_published(make_spec(*(make_event(f"event_{number}") for number in range(40))))
    record = draft()

    with django_assert_num_queries(2):
        need = need_of_draft(DraftState(record))

    assert (need.reasons, need.is_required, need.ability) == ((), False, "review.approve")


def test_the_error_is_one_of_ours() -> None:
    assert issubclass(ApprovalRequired, TelemetryError)
    assert ApprovalRequired.code == "approval_required"
