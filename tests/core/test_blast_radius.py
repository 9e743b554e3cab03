"""What becomes of one installation when a spec changes: every difference of its config, every wish that falls flat."""

from typing import Any

import pytest

from telemetry.core.blast_radius import (
    EventImpact,
    ValueChange,
    blast_radius,
    find_orphans_of_floor,
)
from telemetry.core.config import AppBlueprint, EffectiveConfig, EventOverride, PrivacyFloor, TenantOverride
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import FieldError
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Retention, Sampling, TelemetryDefaults, TelemetrySpec
from tests.core.builders import make_event, make_installation, make_property, make_redaction, make_spec


def resolve(spec: TelemetrySpec, override: TenantOverride | None = None) -> EffectiveConfig:
    return resolve_config(spec, AppBlueprint(), override, PrivacyFloor(), installation=make_installation())


def change_of(**fields: Any) -> list[tuple[str, object, object]]:
    """The values of the one event ``step`` that change when it gets these fields."""
    impact = blast_radius(resolve(make_spec()), resolve(make_spec(make_event(**fields))))
    (event,) = impact.events
    assert (event.name, event.version, event.change) == ("step", 1, "changed")
    assert impact.config == ()
    return [(value.path, value.before, value.after) for value in event.values]


MASK = {"strategy": "mask"}


@pytest.mark.parametrize(
    ("fields", "changes"),
    [
        ({"retention": Retention(days=7)}, [("retention.days", 30, 7)]),
        ({"sampling": Sampling(rate=0.25)}, [("sampling.rate", 1, 0.25)]),
        (
            {"sampling": Sampling(rate=1.0, conditions=("properties.durationMs > 1.0",))},
            [("sampling.conditions", None, ["properties.durationMs > 1.0"])],
        ),
        ({"tags": ("new",)}, [("tags", [], ["new"])]),
        (
            {"privacy": PrivacyLevel.PII},
            [("privacy", "internal", "pii"), ("properties.step.redaction", None, MASK)],
        ),
    ],
)
def test_each_value_that_differs_is_named_with_both_sides(
    fields: dict[str, Any], changes: list[tuple[str, object, object]]
) -> None:
    assert change_of(**fields) == changes


def test_properties_that_come_and_go_are_values() -> None:
    properties = {"step": make_property(required=True), "order id": make_property("number")}

    assert change_of(properties=properties) == [
        ('properties["order id"]', None, {"type": "number"}),
        ("properties.durationMs", {"type": "number"}, None),
        ("properties.userId", {"type": "string", "redaction": MASK}, None),
    ]


def test_a_redaction_changes_as_a_whole() -> None:
    def userid(strategy: str, **settings: Any) -> dict[str, Any]:
        return {"userId": make_property(redaction=make_redaction(strategy, **settings))}

    before = resolve(make_spec(make_event(properties=userid("hash"))))
    after = resolve(make_spec(make_event(properties=userid("truncate", length=3))))

    (event,) = blast_radius(before, after).events

    assert event.values == (
        ValueChange(
            path="properties.userId.redaction",
            before={"strategy": "hash"},
            after={"strategy": "truncate", "length": 3},
        ),
    )


def test_events_that_come_and_go_are_named() -> None:
    before, after = make_spec(make_event("a"), make_event("b")), make_spec(make_event("b"), make_event("b", 2))

    impact = blast_radius(resolve(before), resolve(after))

    assert impact.events == (
        EventImpact(name="b", version=2, change="added"),
        EventImpact(name="a", version=1, change="removed"),
    )
    assert impact.has_changes
    assert not impact.has_problems


def test_an_installation_without_a_config_gains_every_event() -> None:
    impact = blast_radius(None, resolve(make_spec(make_event("a"))))

    assert impact.events == (EventImpact(name="a", version=1, change="added"),)
    assert impact.config == ()


def test_values_of_the_whole_installation_are_named_once() -> None:
    before = make_spec(config=TelemetryDefaults(context_properties={"plan": make_property()}))

    impact = blast_radius(resolve(before), resolve(make_spec()))

    assert [change.path for change in impact.config] == ["contextProperties.plan"]
    assert impact.events == ()


def test_what_an_override_fixes_does_not_change() -> None:
    fixed = TenantOverride(events={"step": EventOverride(retention_days=3, sampling_rate=0.5)})
    before, after = make_spec(), make_spec(make_event(retention=Retention(days=7), sampling=Sampling(rate=0.9)))

    assert not blast_radius(resolve(before, fixed), resolve(after, fixed)).has_changes


# Problems


def problem(code: str, path: str = "tenant.events.a", message: str = "is wrong") -> FieldError:
    return FieldError(code, path, message)


def test_new_problems_are_sorted_by_what_they_mean() -> None:
    found = [
        problem(code) for code in ("unknown_event", "unknown_property", "loosens", "unknown_metric", "below_floor")
    ]

    impact = blast_radius(None, resolve(make_spec()), problems_after=found)

    assert [each.code for each in impact.orphaned] == ["unknown_event", "unknown_property"]
    assert [each.code for each in impact.contradictory] == ["loosens", "unknown_metric"]
    assert [each.code for each in impact.below_floor] == ["below_floor"]
    assert impact.has_problems


def test_a_problem_that_there_was_already_is_not_blamed_on_the_change() -> None:
    config = resolve(make_spec())
    before = problem("unknown_event", message="no such event; did you mean 'b'?")

    impact = blast_radius(config, config, problems_before=[before], problems_after=[problem("unknown_event")])

    assert not impact.has_problems


def test_a_floor_that_names_an_event_which_is_not_there_is_an_orphan() -> None:
    floor = PrivacyFloor(forced_on=("step", "gone@2"), forced_off=("step@1", "step@2"))

    found = find_orphans_of_floor(make_spec(), floor)

    assert [(each.code, each.path) for each in found] == [
        ("unknown_event", 'floor.forcedOff["step@2"]'),
        ("unknown_event", 'floor.forcedOn["gone@2"]'),
    ]
