"""A breaking change needs a new version of the event."""

import msgspec
import pytest
from hypothesis import given

from telemetry.core.diff import RULES, diff_specs, find_unversioned_breaks
from telemetry.core.enums import ChangeClass
from telemetry.core.spec import Deprecation, TelemetrySpec
from tests.core.builders import make_event, make_property, make_spec
from tests.core.strategies import specs
from tests.core.test_diff import CASES, policy, with_event, with_property


def breaks(before: TelemetrySpec, after: TelemetrySpec) -> list[tuple[str, str]]:
    return [(error.path, error.message) for error in find_unversioned_breaks(before, after)]


def test_a_breaking_change_of_an_event_is_an_error_that_names_the_version_to_add() -> None:
    before = make_spec(make_event("other"), make_event("step", 1), make_event("step", 4))
    changed = make_event("step", 1, properties={**make_event().properties, "step": make_property("number")})
    after = make_spec(make_event("step", 4), changed, make_event("other"))

    [type_, required] = [
        *find_unversioned_breaks(before, after),
        *find_unversioned_breaks(with_property(), with_property(required=True)),
    ]

    assert (type_.code, type_.path) == ("unversioned_break", "events[1].properties.step.type")
    assert type_.message == (
        "string became number: this breaks step@1 as it was published (type_changed); "
        "leave it as it was, and make the change in step@5"
    )
    assert required.path == "events[0].properties.value.required"
    assert "(became_required)" in required.message
    assert required.message.endswith("make the change in step@2")


def test_the_same_change_in_a_new_version_is_none() -> None:
    before = with_property()
    after = make_spec(
        *before.events, make_event("step", 2, properties={"value": make_property("number", required=True)})
    )

    assert breaks(before, after) == []


@pytest.mark.parametrize("severity", [ChangeClass.RISKY, ChangeClass.SAFE])
def test_what_does_not_break_needs_no_new_version(severity: ChangeClass) -> None:
    cases = [case for case in CASES if RULES[case[0]].severity is severity]

    found = [rule for rule, before, after, _ in cases if breaks(before, after)]

    assert len(cases) > 20
    assert found == []


def test_every_breaking_change_inside_an_event_needs_one() -> None:
    inside = [
        case for case in CASES if RULES[case[0]].severity is ChangeClass.BREAKING and case[3].startswith("events")
    ]

    assert len({case[0] for case in inside}) == 9
    assert all(breaks(before, after) for _, before, after, _ in inside)


def test_an_event_must_not_vanish() -> None:
    before, after = make_spec(make_event(), make_event("old", 3)), make_spec(make_event())

    [error] = find_unversioned_breaks(before, after)

    assert (error.code, error.path) == ("unversioned_break", "events")
    assert error.message == (
        "old@3 was removed, and apps may still send it (event_removed); first publish it as deprecated, or add old@4"
    )


def test_a_deprecated_event_may_go() -> None:
    before = make_spec(make_event(), make_event("old", deprecation=Deprecation(reason="Nobody reads it")))

    assert breaks(before, make_spec(make_event())) == []


def test_an_event_may_go_when_a_newer_version_of_it_is_there() -> None:
    before = make_spec(make_event("step", 1), make_event("step", 3))

    assert breaks(before, make_spec(make_event("step", 3))) == []
    assert breaks(before, make_spec(make_event("step", 4))) == []
    assert [path for path, _ in breaks(before, make_spec(make_event("step", 1)))] == ["events"]


def test_breaking_changes_outside_events_are_shown_but_no_errors() -> None:
    before, after = with_event(policy("drop")), with_event(policy("quarantine"))

    assert diff_specs(before, after).worst is ChangeClass.BREAKING
    assert breaks(before, after) == []


@given(specs())
def test_a_first_version_and_one_without_change_break_nothing(spec: TelemetrySpec) -> None:
    nothing = msgspec.structs.replace(spec, events=())

    assert breaks(spec, spec) == []
    assert breaks(nothing, spec) == []
