"""Publishing a spec: what is reviewed is what is published."""

from typing import Any

import pytest

from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import Sampling, Semantics
from telemetry.models import EventRecord, SpecRecord, SpecVersion, VersionStatus
from telemetry.services.specs import delete_event, save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import (
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

STEP = "sigil.telemetry.workflow_step"


def page(record: SpecRecord) -> str:
    return f"/studio/specs/{record.pk}/publish/"


def change(record: SpecRecord, **fields: Any) -> None:
    """The draft's only event has other fields."""
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event(STEP, **fields))


def test_the_first_version_is_published() -> None:
    record = make_draft()
    asked = visitor(Role.PUBLISHER)

    shown = text_of(asked.get(page(record)))
    response = asked.fill_in(page(record), change_summary="First plan")

    version = SpecVersion.objects.get()
    assert f"new {STEP}@1 internal" in shown
    assert (response.status_code, response["Location"]) == (302, f"/studio/versions/{version.pk}/change/")
    assert (version.status, version.change_summary) == (VersionStatus.PUBLISHED, "First plan")
    assert actions()[-1] == "spec.version.published"


def test_the_review_names_what_is_new_changed_and_removed() -> None:
    record = make_published(make_spec(make_event("kept"), make_event("changed"), make_event("gone"))).spec
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event("new"))
        save_event(actor=SYSTEM, spec_name=record.name, event=make_event("changed", semantics=Semantics(what="Else")))
        delete_event(actor=SYSTEM, spec_name=record.name, event_name="gone", event_version=1)

    text = text_of(visitor(Role.PUBLISHER).get(page(record)))

    assert "new new@1" in text
    assert "changed changed@1" in text
    assert "removed gone@1" in text
    assert "kept@1" not in text
    assert "after version 1" in text


def test_a_draft_that_says_nothing_new_offers_nothing_to_publish() -> None:
    record = make_published().spec

    shown = visitor(Role.PUBLISHER).get(page(record))

    assert "there is nothing to publish" in text_of(shown)
    assert 'name="change_summary"' not in shown.content.decode()


@pytest.mark.parametrize("role", roles_without("spec.publish"))
def test_who_may_not_publish_publishes_nothing(role: Role) -> None:
    record = make_draft()
    asked = visitor(role)

    assert asked.get(page(record)).status_code == 403
    assert_denied("spec.publish", lambda: asked.post(page(record), change_summary="x", expected_revision="1"))


def test_the_publisher_of_one_tenant_publishes_no_spec_because_specs_are_everybodys() -> None:
    record = make_draft()
    asked = visitor(Role.PUBLISHER, make_tenant())

    assert_denied("spec.publish", lambda: asked.post(page(record), change_summary="x", expected_revision="1"))


def test_a_publication_says_why() -> None:
    record = make_draft()
    asked = visitor(Role.PUBLISHER)

    assert list(assert_refused(lambda: asked.fill_in(page(record), change_summary="  "))) == ["change_summary"]


def test_a_draft_that_changed_since_it_was_reviewed_is_shown_again_and_not_published() -> None:
    record = make_draft()
    asked = visitor(Role.PUBLISHER)
    reviewed = fields_of(asked.get(page(record)))
    change(record, semantics=Semantics(what="Changed behind the reviewer's back"))

    refused = asked.post(page(record), {**reviewed, "change_summary": "First plan"})

    assert "The draft changed while you looked at it" in errors_in(refused)["__all__"][0]
    assert "Changed behind the reviewer's back" in text_of(refused)
    assert not SpecVersion.objects.exists()
    asked.post(page(record), fields_of(refused))
    assert SpecVersion.objects.get().change_summary == "First plan"


def test_rules_that_the_draft_breaks_are_listed_with_the_way_to_their_event() -> None:
    # What was saved under an older rule: no form lets it in today.
    record = make_draft(make_spec(make_event("step", sampling=Sampling(rate=1.0))))
    event = EventRecord.objects.get()
    EventRecord.objects.filter(pk=event.pk).update(sampling_conditions=["properties.nothing == 1"])

    shown = visitor(Role.PUBLISHER).get(page(record))

    assert "it breaks 1 rule:" not in text_of(shown)
    assert "it breaks 1 rule." in text_of(shown)
    assert f'href="/studio/events/{event.pk}/change/">events[0].sampling.conditions[0]</a>' in shown.content.decode()
    assert 'name="change_summary"' not in shown.content.decode()


def test_less_protection_is_named_and_not_published_without_the_ability() -> None:
    record = make_published(make_spec(make_event(STEP, privacy=PrivacyLevel.PII))).spec
    change(record, privacy=PrivacyLevel.PUBLIC)
    asked = visitor(Role.PUBLISHER)

    shown = asked.get(page(record))

    assert "This version protects less than the one before." in text_of(shown)
    assert f'events["{STEP}@1"].privacy public protects less than pii' in text_of(shown)
    assert 'name="change_summary"' not in shown.content.decode()
    sent = {**fields_of(shown), "change_summary": "Open it"}
    assert asked.post(page(record), sent).status_code in (200, 403)
    assert SpecVersion.objects.count() == 1


def test_a_version_with_new_personal_data_waits_for_an_approval() -> None:
    record = make_draft(make_spec(make_event(STEP, privacy=PrivacyLevel.SENSITIVE)))
    asked = visitor(Role.PUBLISHER)

    shown = asked.get(page(record))

    assert "This version changes what happens to personal data." in text_of(shown)
    assert "It waits for an approval" in text_of(shown)
    errors = assert_refused(lambda: asked.post(page(record), change_summary="x", expected_revision="1"))
    assert any("is not approved" in message or STEP in message for message in errors["__all__"])


def test_an_event_that_another_spec_owns_is_refused() -> None:
    make_published(make_spec(make_event("shared"), name="first"))
    record = make_draft(make_spec(make_event("shared"), name="second"))
    asked = visitor(Role.PUBLISHER)

    errors = assert_refused(lambda: asked.fill_in(page(record), change_summary="Mine"))

    assert errors["__all__"] == ["Version 1 of the event shared belongs to the spec first"]


@pytest.mark.parametrize("revision", ["", "x", "-1", "99999999999999999999"])
def test_a_publication_without_a_sound_revision_is_refused(revision: str) -> None:
    record = make_draft()
    asked = visitor(Role.PUBLISHER)

    assert_refused(lambda: asked.post(page(record), change_summary="x", expected_revision=revision))


def test_a_spec_that_does_not_exist_is_not_found() -> None:
    assert visitor(Role.PUBLISHER).get("/studio/specs/999/publish/").status_code == 404


def test_the_review_takes_as_many_queries_for_many_events_as_for_few() -> None:
    few = make_published(make_spec(make_event("one"), name="few")).spec
    many = make_published(make_spec(*(make_event(f"e{i}") for i in range(30)), name="many")).spec
    asked = visitor(Role.PUBLISHER)

    assert asked.cost_of(page(many)) == asked.cost_of(page(few))
