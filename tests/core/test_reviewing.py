"""Changes of personal data are recognised by the level of the events that they touch."""

from typing import Any

import pytest
from hypothesis import given

from telemetry.core.enums import PrivacyLevel
from telemetry.core.reviewing import find_personal_data_changes
from telemetry.core.spec import EventDefinition, Semantics, TelemetryDefaults, TelemetrySpec
from tests.core.builders import make_event, make_sigil_spec, make_spec
from tests.core.strategies import specs

PERSONAL = [PrivacyLevel.PII, PrivacyLevel.SENSITIVE]
OTHER = [PrivacyLevel.PUBLIC, PrivacyLevel.INTERNAL]
NEW_TEXT = Semantics(what="Something else")


def event(privacy: PrivacyLevel = PrivacyLevel.PII, version: int = 1, **fields: Any) -> EventDefinition:
    return make_event("a", version, privacy=privacy, **fields)


def places(before: TelemetrySpec | None, after: TelemetrySpec) -> list[str]:
    found = find_personal_data_changes(before, after)
    assert {error.code for error in found} <= {"personal_data"}
    return [error.path for error in found]


def test_the_seeds_spec_can_be_published_by_one_person() -> None:
    assert places(None, make_sigil_spec()) == []


@pytest.mark.parametrize("level", PERSONAL)
def test_everything_in_a_first_version_is_new(level: PrivacyLevel) -> None:
    after = make_spec(make_event("plain"), event(level), config=TelemetryDefaults(default_retention_days=7))

    assert places(None, after) == ['events["a@1"]']


@pytest.mark.parametrize("level", PERSONAL)
def test_an_event_that_comes_goes_or_differs_counts(level: PrivacyLevel) -> None:
    with_it, changed, without = (
        make_spec(make_event("plain"), event(level)),
        make_spec(make_event("plain"), event(level, semantics=NEW_TEXT)),
        make_spec(make_event("plain")),
    )

    assert places(without, with_it) == places(with_it, without) == places(with_it, changed) == ['events["a@1"]']


@pytest.mark.parametrize("level", OTHER)
def test_events_at_other_levels_do_not_count_even_with_flagged_properties(level: PrivacyLevel) -> None:
    before = make_spec(event(level), config=TelemetryDefaults(default_retention_days=7))
    after = make_spec(event(level, semantics=NEW_TEXT), make_event("new"))

    assert places(before, after) == []


@pytest.mark.parametrize(("before", "after"), [(*PERSONAL,), (OTHER[0], PERSONAL[0]), (PERSONAL[1], OTHER[1])])
def test_a_change_of_level_counts_both_ways(before: PrivacyLevel, after: PrivacyLevel) -> None:
    assert places(make_spec(event(before)), make_spec(event(after))) == ['events["a@1"]']


def test_a_new_version_at_an_open_level_counts_when_the_old_one_was_not() -> None:
    before, after = make_spec(event()), make_spec(event(), event(PrivacyLevel.PUBLIC, 2))

    assert places(before, after) == ['events["a@2"]']


def test_the_message_names_the_highest_level() -> None:
    found = find_personal_data_changes(make_spec(event(PrivacyLevel.SENSITIVE)), make_spec(event(PrivacyLevel.PII)))

    assert found[0].message == "changes an event at level sensitive"


def test_defaults_count_when_an_event_at_such_a_level_lives_under_them() -> None:
    shorter = TelemetryDefaults(default_retention_days=7)

    assert places(make_spec(event()), make_spec(event(), config=shorter)) == ["config"]
    assert places(make_spec(make_event()), make_spec(make_event(), config=shorter)) == []


@given(specs())
def test_a_spec_changes_nothing_against_itself(spec: TelemetrySpec) -> None:
    assert places(spec, spec) == []
