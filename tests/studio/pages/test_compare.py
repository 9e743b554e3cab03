"""Comparing two states of a spec, side by side."""

from typing import Any

import pytest

from telemetry.core.enums import PrivacyLevel
from telemetry.core.spec import EventDefinition, Semantics, TelemetryDefaults
from telemetry.models import SpecRecord
from telemetry.services.publishing import publish_version
from telemetry.services.specs import delete_event, save_event, save_meta
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_meta, make_property, make_spec
from tests.studio.visitors import text_of, visitor
from tests.telemetry.factories import make_draft, make_published

pytestmark = pytest.mark.django_db


def page(record: SpecRecord) -> str:
    return f"/studio/specs/{record.pk}/compare/"


def published(*events: EventDefinition) -> SpecRecord:
    return SpecRecord.objects.get(pk=make_published(make_spec(*(events or (make_event(),)))).spec_id)


def edit(record: SpecRecord, *events: EventDefinition) -> None:
    with tenant_context(ALL):
        for event in events:
            save_event(actor=SYSTEM, spec_name=record.name, event=event)


def publish(record: SpecRecord) -> None:
    record.refresh_from_db()
    with tenant_context(ALL):
        publish_version(
            actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="Another one"
        )


def shown(response: Any) -> list[tuple[str, list[tuple[str, str, str]]]]:
    """Each group with place, class and rule of its changes."""
    return [
        (group.title, [(each.place, each.change.severity.value, each.change.rule) for each in group.changes])
        for group in response.context["groups"]
    ]


def test_the_draft_stands_beside_the_newest_version_unless_somebody_picks_others() -> None:
    record = published(make_event("one"))
    edit(record, make_event("one", semantics=Semantics(what="Said better")), make_event("two"))

    response = visitor(Role.VIEWER).get(page(record))

    assert shown(response) == [
        ("one@1", [("semantics.what", "safe", "wording_changed")]),
        ("two@1", [("the event", "risky", "personal_event_added")]),
    ]
    text = text_of(response)
    assert "Version 1 Step executed Draft Said better" in text
    assert "Texts are for people" in text


def test_two_versions_are_compared_in_the_order_that_is_asked_for() -> None:
    record = published(make_event("one"))
    edit(record, make_event("two"))
    publish(record)
    asked = visitor(Role.VIEWER)

    forward = asked.get(page(record), before="1", after="2")
    backward = asked.get(page(record), before="2", after="1")

    assert shown(forward) == [("two@1", [("the event", "risky", "personal_event_added")])]
    assert shown(backward) == [("two@1", [("the event", "breaking", "event_removed")])]


def test_the_version_number_itself_is_no_change() -> None:
    record = published()
    publish_nothing = visitor(Role.VIEWER).get(page(record))

    assert publish_nothing.context["diff"].changes == ()
    assert "Both say the same" in text_of(publish_nothing)


def test_changes_of_meta_and_defaults_have_groups_of_their_own() -> None:
    record = published()
    with tenant_context(ALL):
        save_meta(
            actor=SYSTEM, meta=make_meta(version=2, title="Other"), config=TelemetryDefaults(default_sampling_rate=0.5)
        )

    assert [title for title, _ in shown(visitor(Role.VIEWER).get(page(record)))] == ["Meta", "Defaults"]


def test_one_class_of_changes_can_be_picked() -> None:
    record = published(make_event("one"), make_event("two"))
    with tenant_context(ALL):
        delete_event(actor=SYSTEM, spec_name=record.name, event_name="two", event_version=1)
    edit(record, make_event("one", semantics=Semantics(what="Said better")))
    asked = visitor(Role.VIEWER)

    breaking = asked.get(page(record), **{"class": "breaking"})
    risky = asked.get(page(record), **{"class": "risky"})

    assert shown(breaking) == [("two@1", [("the event", "breaking", "event_removed")])]
    assert [(word, count) for word, count, _, _ in breaking.context["filters"]] == [
        ("all", 2),
        ("breaking", 1),
        ("risky", 0),
        ("safe", 1),
    ]
    assert "No change is risky" in text_of(risky)


def test_a_change_leads_to_its_event_while_the_draft_has_it() -> None:
    record = published(make_event("one"), make_event("two"))
    with tenant_context(ALL):
        delete_event(actor=SYSTEM, spec_name=record.name, event_name="two", event_version=1)
    edit(record, make_event("one", privacy=PrivacyLevel.PII))

    groups = {group.title: group.address for group in visitor(Role.VIEWER).get(page(record)).context["groups"]}

    assert groups == {"one@1": f"/studio/events/{record.events.get().pk}/change/", "two@1": ""}


def test_values_with_parts_are_shown_as_documents_and_marks_in_them_as_text() -> None:
    record = published(make_event("one"))
    hostile = make_property("number", description="<script>alert(1)</script>", unit="ms")
    edit(record, make_event("one", properties={**make_event().properties, "size": hostile}))

    html = visitor(Role.VIEWER).get(page(record)).content.decode()

    assert "type: number" in html
    assert "<script>alert" not in html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html


def test_a_spec_that_never_was_published_says_what_the_page_is_for() -> None:
    record = make_draft()

    assert "There is nothing to compare with yet" in text_of(visitor(Role.VIEWER).get(page(record)))


@pytest.mark.parametrize("picked", ["99", "0", "-1", "x", "\x00", "1.5", "9" * 30])
def test_a_version_that_is_not_there_is_said_beside_its_field(picked: str) -> None:
    record = published()

    response = visitor(Role.VIEWER).get(page(record), before=picked)

    assert response.status_code == 200
    assert list(response.context["form"].errors) == ["before"]
    assert "diff" not in response.context


@pytest.mark.parametrize("query", [{"class": "worst"}, {"page": "x"}, {"page": "-3"}, {"page": "999"}])
def test_no_other_query_breaks_the_page(query: dict[str, str]) -> None:
    record = published()
    edit(record, make_event("two"))

    response = visitor(Role.VIEWER).get(page(record), **query)

    assert [title for title, _ in shown(response)] == ["two@1"]


@pytest.mark.parametrize("role", list(Role))
def test_every_role_may_compare(role: Role) -> None:
    record = published()

    assert visitor(role).get(page(record)).status_code == 200


def test_somebody_without_a_role_compares_nothing() -> None:
    record = published()

    assert visitor().get(page(record)).status_code == 403


def test_a_spec_that_does_not_exist_is_not_found() -> None:
    assert visitor(Role.VIEWER).get("/studio/specs/999999999/compare/").status_code == 404


def test_many_changes_take_as_many_queries_as_few_and_come_in_pages() -> None:
    few, many = published(make_event("one")), make_published(make_spec(name="large")).spec
    edit(few, make_event("two"))
    edit(many, *(make_event(f"event{number:02}") for number in range(30)))
    asked = visitor(Role.VIEWER)

    assert asked.cost_of(page(few)) == asked.cost_of(page(many))
    assert len(asked.get(page(many)).context["groups"]) == 25
    assert len(asked.get(page(many), page="2").context["groups"]) == 5
