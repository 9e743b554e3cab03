"""What a person looks at before publishing, and adding events without replacing any."""

import pytest

from telemetry.core.codec import encode_spec
from telemetry.core.enums import PrivacyLevel, Stability
from telemetry.core.errors import DuplicateEvent
from telemetry.core.spec import Semantics, TelemetryDefaults
from telemetry.mappers import spec_from_records
from telemetry.models import SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.selectors.specs import versions_to_bind
from telemetry.services.publishing import archive_version, publish_version
from telemetry.services.reviews import review_draft
from telemetry.services.specs import delete_event, replace_draft, save_event, save_meta
from tenants.actors import SYSTEM
from tests.core.builders import make_event, make_meta, make_property, make_spec
from tests.telemetry.factories import everything_stored, make_draft, make_published

pytestmark = pytest.mark.usefixtures("workspace")


def names(events: tuple[object, ...]) -> list[str]:
    return [event.name for event in events]  # type: ignore[attr-defined]  # of event definitions


def test_the_first_version_is_all_new() -> None:
    review = review_draft(DraftState(make_draft(make_spec(make_event("a"), make_event("b")))))

    assert review.before is None
    assert review.has_changes
    assert (names(review.added), names(review.changed), names(review.removed)) == (["a", "b"], [], [])


def test_a_draft_that_says_what_is_published_has_no_changes() -> None:
    record = SpecRecord.objects.get(pk=make_published().spec_id)

    review = review_draft(DraftState(record))

    assert not review.has_changes
    assert (review.added, review.changed, review.removed, review.loosened, review.errors) == ((), (), (), (), ())


def test_what_is_new_changed_and_removed_is_told_apart() -> None:
    record = make_published(make_spec(make_event("kept"), make_event("changed"), make_event("gone"))).spec
    save_event(actor=SYSTEM, spec_name=record.name, event=make_event("changed", semantics=Semantics(what="Else")))
    save_event(actor=SYSTEM, spec_name=record.name, event=make_event("kept", version=2))
    delete_event(actor=SYSTEM, spec_name=record.name, event_name="gone", event_version=1)
    record.refresh_from_db()

    review = review_draft(DraftState(record))

    assert [(event.name, event.version) for event in review.added] == [("kept", 2)]
    assert names(review.changed) == ["changed"]
    assert names(review.removed) == ["gone"]


def test_changes_of_texts_and_defaults_are_told_apart() -> None:
    record = make_published().spec
    spec = spec_from_records(SpecRecord.objects.get(pk=record.pk))
    beta = make_meta(spec.meta.name, 2, title="Other", stability=Stability.BETA)
    save_meta(actor=SYSTEM, meta=beta, config=spec.config)
    meta_only = review_draft(DraftState(SpecRecord.objects.get(pk=record.pk)))
    save_meta(actor=SYSTEM, meta=beta, config=TelemetryDefaults(default_retention_days=7))
    both = review_draft(DraftState(SpecRecord.objects.get(pk=record.pk)))

    assert (meta_only.meta_changed, meta_only.defaults_changed) == (True, False)
    assert (both.meta_changed, both.defaults_changed) == (True, True)


@pytest.mark.parametrize("of", ["events", "properties"])
def test_another_order_alone_is_a_change(of: str) -> None:
    one, two = make_property(), make_property("number")
    first, second = make_event("a", properties={"one": one, "two": two}), make_event("b")
    record = make_published(make_spec(first, second)).spec
    events = (second, first) if of == "events" else (make_event("a", properties={"two": two, "one": one}), second)
    replace_draft(
        actor=SYSTEM,
        name=record.name,
        document=encode_spec(make_spec(*events, version=2)),
        expected_revision=SpecRecord.objects.get().draft_revision,
    )
    record = SpecRecord.objects.get()

    review = review_draft(DraftState(record))
    publish_version(
        actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="Order matters"
    )

    assert review.has_changes
    assert (names(review.added), names(review.changed)) == ([], ["a"] if of == "properties" else [])


def test_a_draft_that_says_what_was_archived_can_be_published_again() -> None:
    version = make_published()
    archive_version(actor=SYSTEM, name=version.spec.name, version=version.version)

    assert review_draft(DraftState(SpecRecord.objects.get())).has_changes


def test_what_protects_less_is_named() -> None:
    record = make_published(make_spec(make_event("a", privacy=PrivacyLevel.PII))).spec
    save_event(actor=SYSTEM, spec_name=record.name, event=make_event("a", privacy=PrivacyLevel.PUBLIC))
    record.refresh_from_db()

    assert [error.path for error in review_draft(DraftState(record)).loosened][:1] == ['events["a@1"].privacy']


# Adding


def test_adding_never_replaces_an_event() -> None:
    record = make_draft(make_spec(make_event("a")))
    before = everything_stored()

    with pytest.raises(DuplicateEvent):
        save_event(
            actor=SYSTEM,
            spec_name=record.name,
            event=make_event("a", semantics=Semantics(what="Else")),
            must_be_new=True,
        )

    assert everything_stored() == before


def test_a_new_event_is_added_last() -> None:
    record = make_draft(make_spec(make_event("a")))

    save_event(actor=SYSTEM, spec_name=record.name, event=make_event("b"), must_be_new=True)

    assert names(spec_from_records(record).events) == ["a", "b"]


# What can be bound


def test_what_can_be_bound_is_every_version_that_is_not_archived() -> None:
    make_published(make_spec(make_event("b"), name="beta"))
    record = make_published(make_spec(make_event("a"), name="alpha")).spec
    for number in (2, 3):
        save_event(actor=SYSTEM, spec_name="alpha", event=make_event("a", number))
        record.refresh_from_db()
        publish_version(
            actor=SYSTEM, name="alpha", expected_revision=record.draft_revision, change_summary=f"Version {number}"
        )
    archive_version(actor=SYSTEM, name="alpha", version=2)
    make_draft(make_spec(name="never"))

    assert versions_to_bind() == [("alpha", 3), ("alpha", 1), ("beta", 1)]
