"""Lists of specs and versions say what their pages show, at a constant price."""

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.errors import UnknownSpec
from telemetry.models import SpecRecord
from telemetry.selectors.specs import spec_by_name, specs_with_status, version_of, versions_of
from telemetry.services.publishing import publish_version
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_draft, make_published

pytestmark = pytest.mark.usefixtures("workspace")


def publish_again(name: str) -> None:
    save_event(actor=SYSTEM, spec_name=name, event=make_event("later"))
    revision = SpecRecord.objects.get(name=name).draft_revision
    publish_version(actor=SYSTEM, name=name, expected_revision=revision, change_summary="A good reason")


def test_the_list_tells_events_and_the_published_version() -> None:
    make_draft(make_spec(make_event("one"), make_event("two"), name="drafted"))
    version = make_published(make_spec(make_event("three"), name="live"))

    rows = list(specs_with_status())

    assert [(row.name, row.event_count, row.published_version, row.has_changes) for row in rows] == [
        ("drafted", 2, None, True),
        ("live", 1, 1, False),
    ]
    assert [row.published_at for row in rows] == [None, version.published_at]


@pytest.mark.parametrize("specs", [1, 12])
def test_the_list_is_one_query_however_long(specs: int, django_assert_num_queries: DjangoAssertNumQueries) -> None:
    for number in range(specs):
        make_published(make_spec(make_event(f"event_{number}"), name=f"spec_{number}"))

    with django_assert_num_queries(1):
        rows = list(specs_with_status())

    assert len(rows) == specs


def test_a_spec_is_found_by_its_exact_name() -> None:
    make_published(make_spec(name="live"))

    assert spec_by_name("live").published_version == 1
    for name in ("Live", "liv", "%", "", "live\0"):
        with pytest.raises(UnknownSpec):
            spec_by_name(name)


def test_versions_are_listed_newest_first_without_their_documents(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    spec = make_published(make_spec(name="live")).spec
    publish_again("live")

    with django_assert_num_queries(1):
        rows = [(row.version, row.status, row.based_on and row.based_on.version) for row in versions_of(spec)]

    assert rows == [(2, "published", 1), (1, "superseded", None)]
    assert all("document" in row.get_deferred_fields() for row in versions_of(spec))


def test_a_version_is_found_by_number_or_as_the_published_one() -> None:
    make_draft(make_spec(name="drafted"))
    make_published(make_spec(make_event("other"), name="live"))
    publish_again("live")

    assert version_of("live").version == 2
    assert version_of("live", 1).status == "superseded"
    for name, version in (("live", 3), ("drafted", None), ("drafted", 1), ("nothing", None), ("live\0", 1)):
        with pytest.raises(UnknownSpec):
            version_of(name, version)
