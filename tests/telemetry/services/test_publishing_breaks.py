"""What was published as one version of an event stays true: a breaking change is published as the next version."""

import pytest

from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import Deprecation
from telemetry.models import SpecRecord, SpecVersion
from telemetry.selectors.draft_states import DraftState
from telemetry.services.publishing import archive_version, publish_version
from telemetry.services.reviews import review_draft
from telemetry.services.specs import delete_event, save_event
from tenants.actors import SYSTEM
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import everything_stored, make_draft, make_published

pytestmark = pytest.mark.usefixtures("workspace")

NAME = "sigil.telemetry"
PUBLISHED = make_event(properties={"step": make_property(required=True)})


def publish() -> SpecVersion:
    """The draft is published as it is now."""
    revision = SpecRecord.objects.get().draft_revision
    return publish_version(actor=SYSTEM, name=NAME, expected_revision=revision, change_summary="A good reason")


def change_type(version: int = 1) -> None:
    """In the draft, this version of the event has a number where the published one has text."""
    event = make_event(version=version, properties={"step": make_property("number", required=True)})
    save_event(actor=SYSTEM, spec_name=NAME, event=event)


def test_a_breaking_change_is_refused_with_its_place_and_the_version_to_add() -> None:
    make_published(make_spec(make_event("other"), PUBLISHED))
    change_type()
    before = everything_stored()

    with pytest.raises(InvalidDocument, match="the publication breaks 1 rule") as error:
        publish()

    [broken] = error.value.errors
    assert (broken.code, broken.path) == ("unversioned_break", "events[1].properties.step.type")
    assert broken.message == (
        "string became number: this breaks step@1 as it was published (type_changed); "
        "leave it as it was, and make the change in step@2"
    )
    assert everything_stored() == before


def test_the_change_is_published_as_a_new_version_of_the_event() -> None:
    make_published(make_spec(PUBLISHED))
    change_type(version=2)

    assert publish().version == 2


def test_what_does_not_break_is_published_in_place() -> None:
    make_published(make_spec(make_event(properties={})))
    save_event(actor=SYSTEM, spec_name=NAME, event=make_event(properties={"step": make_property()}))

    assert publish().version == 2


def test_an_event_is_published_as_deprecated_before_it_goes() -> None:
    make_published(make_spec(make_event(), make_event("old")))
    delete_event(actor=SYSTEM, spec_name=NAME, event_name="old", event_version=1)
    before = everything_stored()

    with pytest.raises(InvalidDocument, match=r"old@1 was removed, .* first publish it as deprecated, or add old@2"):
        publish()
    assert everything_stored() == before

    save_event(actor=SYSTEM, spec_name=NAME, event=make_event("old", deprecation=Deprecation(reason="Unused")))
    publish()
    delete_event(actor=SYSTEM, spec_name=NAME, event_name="old", event_version=1)
    assert publish().version == 3


def test_archiving_does_not_open_a_way_around() -> None:
    make_published(make_spec(PUBLISHED))
    archive_version(actor=SYSTEM, name=NAME, version=1)
    change_type()

    with pytest.raises(InvalidDocument, match="type_changed"):
        publish()


def test_a_first_version_has_nothing_to_break() -> None:
    make_draft(make_spec(PUBLISHED))
    change_type()

    assert publish().version == 1


def test_whoever_reviews_the_draft_sees_what_would_be_refused() -> None:
    make_published(make_spec(PUBLISHED))
    change_type()

    review = review_draft(DraftState(SpecRecord.objects.get()))

    assert [(error.code, error.path) for error in review.errors] == [
        ("unversioned_break", "events[0].properties.step.type")
    ]
