"""A draft and the versions beside it are read once, however many ask."""

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.models import SpecRecord, SpecVersion, VersionStatus
from telemetry.selectors.draft_states import DraftState
from tests.core.builders import make_event, make_spec
from tests.telemetry.factories import make_draft, make_published

pytestmark = pytest.mark.django_db


def test_a_draft_and_its_versions_cost_two_queries_together(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    spec = make_spec(make_event("step"))
    make_published(spec)
    state = DraftState(SpecRecord.objects.get())

    with django_assert_num_queries(2):
        found = [(state.draft.events, state.newest_spec, state.published_spec) for _ in range(3)]

    assert found[0] == (spec.events, spec, spec)
    assert state.newest is not None
    assert state.newest.version == 1


def test_without_a_version_there_is_only_the_draft(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    state = DraftState(make_draft(make_spec()))

    with django_assert_num_queries(1):
        assert (state.newest, state.newest_spec, state.published_spec) == (None, None, None)


def test_an_archived_version_is_the_newest_and_not_published() -> None:
    version = make_published(make_spec(make_event("step")))
    SpecVersion.objects.filter(pk=version.pk).update(status=VersionStatus.ARCHIVED)

    state = DraftState(SpecRecord.objects.get())

    assert (state.newest, state.published_spec) == (version, None)
    assert state.newest_spec is not None
