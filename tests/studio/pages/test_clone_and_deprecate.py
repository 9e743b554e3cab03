"""Specs that begin as a copy, and events that are to be sent no more."""

from typing import Any

import pytest

from telemetry.core.spec import Deprecation
from telemetry.mappers import spec_from_records
from telemetry.models import EventRecord, SpecRecord
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.visitors import actions, assert_denied, assert_refused, roles_without, text_of, visitor
from tests.telemetry.factories import make_draft

pytestmark = pytest.mark.django_db


def clone_page(record: SpecRecord) -> str:
    return f"/studio/specs/{record.pk}/clone/"


def page(event: EventRecord, verb: str) -> str:
    return f"/studio/specs/{event.spec_id}/events/{event.pk}/{verb}/"


# Cloning


def test_a_clone_says_what_the_draft_says_under_its_own_names() -> None:
    old = make_event("shop.old", deprecation=Deprecation(reason="Gone", replaced_by="shop.new@2"))
    record = make_draft(make_spec(old, make_event("shop.new", 2), make_event("other"), name="shop", version=3))

    shown = text_of(visitor(Role.ANALYST).get(clone_page(record)))
    response = visitor(Role.ANALYST).fill_in(clone_page(record), name="store", title="Store")

    copy = SpecRecord.objects.get(name="store")
    spec = spec_from_records(copy)
    assert "only one of both specs can publish them: other@1." in shown
    assert response["Location"] == f"/studio/specs/{copy.pk}/change/"
    assert (spec.meta.name, spec.meta.version, spec.meta.title) == ("store", 1, "Store")
    assert [(event.name, event.version) for event in spec.events] == [("store.old", 1), ("store.new", 2), ("other", 1)]
    assert spec.events[0].deprecation == Deprecation(reason="Gone", replaced_by="store.new@2")
    assert actions()[-1] == "spec.created"


@pytest.mark.parametrize(
    ("name", "message"),
    [("", "required"), ("Not A Name", "lower-case words"), ("shop", "exists already"), ("\x00", "Null characters")],
)
def test_a_name_that_cannot_be_is_said_beside_its_field(name: str, message: str) -> None:
    record, asked = make_draft(make_spec(name="shop")), visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in(clone_page(record), name=name))

    assert message in " ".join(errors["name"])


@pytest.mark.parametrize("role", roles_without("spec.edit"))
def test_who_may_not_edit_neither_clones_nor_deprecates(role: Role) -> None:
    record = make_draft(make_spec(make_event("step"), name="shop"))
    asked, event = visitor(role), EventRecord.objects.get()

    assert asked.get(clone_page(record)).status_code == 403
    assert_denied("spec.edit", lambda: asked.post(clone_page(record), name="store", title="Store"))
    assert_denied("spec.edit", lambda: asked.post(page(event, "deprecate"), reason="x", expected_revision="1"))
    assert_denied("spec.edit", lambda: asked.post(page(event, "restore"), revision="1"))


# Deprecating


def test_a_deprecated_event_is_kept_and_flagged_and_can_be_used_again() -> None:
    record = make_draft(make_spec(make_event("old"), make_event("new"), name="shop"))
    asked, event = visitor(Role.ANALYST), EventRecord.objects.get(name="old")

    asked.fill_in(page(event, "deprecate"), reason="Two steps now", replaced_by="new@1")
    flagged = spec_from_records(record).events[0]
    listed = text_of(asked.get(f"/studio/specs/{record.pk}/change/"))
    read = visitor(Role.VIEWER).get(f"/studio/specs/{record.pk}/change/")
    record.refresh_from_db()
    asked.post(page(event, "restore"), revision=record.draft_revision)

    assert flagged.deprecation == Deprecation(reason="Two steps now", replaced_by="new@1")
    assert "deprecated Use again" in listed
    assert "deprecated" in text_of(read)
    assert "Use again" not in text_of(read)
    assert spec_from_records(record).events[0].deprecation is None
    assert actions()[-2:] == ["spec.event.saved", "spec.event.saved"]


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 1001}, "reason"),
        ({"replaced_by": "old@1"}, "replaced_by"),
        ({"replaced_by": "unknown"}, "replaced_by"),
        ({"expected_revision": ""}, "expected_revision"),
    ],
)
def test_bad_input_deprecates_nothing(entries: dict[str, Any], field: str) -> None:
    make_draft(make_spec(make_event("old"), make_event("new"), name="shop"))
    event = EventRecord.objects.get(name="old")
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in(page(event, "deprecate"), {"reason": "Old", **entries}))

    assert list(errors) == [field]


def test_a_draft_that_moved_on_is_not_changed_by_accident() -> None:
    record = make_draft(make_spec(make_event("old"), name="shop"))
    event = EventRecord.objects.get()
    asked = visitor(Role.ANALYST)

    errors = assert_refused(lambda: asked.fill_in(page(event, "deprecate"), reason="Old", expected_revision="99"))
    asked.post(page(event, "restore"), revision="99")

    assert "Somebody else saved this" in errors["__all__"][0]
    record.refresh_from_db()
    assert record.draft_revision == 1


def test_an_event_of_another_spec_is_not_found() -> None:
    record = make_draft(make_spec(make_event("one"), name="one"))
    make_draft(make_spec(make_event("two"), name="two"))
    other = EventRecord.objects.get(name="two")

    assert visitor(Role.ANALYST).get(f"/studio/specs/{record.pk}/events/{other.pk}/deprecate/").status_code == 404
