"""What a change can make a difference to, and that everything else may be left out of a layer."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.blast_radius import config_changes, event_impacts
from telemetry.core.config import (
    AnomalyOverride,
    AppBlueprint,
    EffectiveConfig,
    EventOverride,
    PrivacyFloor,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import PrivacyLevel, RedactionStrategy, UndeclaredPolicy
from telemetry.core.reach import reach_of, within_reach
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import (
    AnomalyDefaults,
    AnomalyDetection,
    Redaction,
    Retention,
    Sampling,
    Semantics,
    TelemetryDefaults,
    TelemetrySpec,
)
from tests.core import strategies
from tests.core.builders import make_event, make_installation, make_property, make_spec

ALL = frozenset(EventOverride.__struct_fields__)
DAYS = {"privacy", "retention_days", "retention_policy"}


def touched(before: dict[str, Any], after: dict[str, Any]) -> Any:
    """The wishes about the event ``step`` that meet something when its fields become others."""
    return reach_of(make_spec(make_event(**before)), make_spec(make_event(**after))).events.get("step")


@pytest.mark.parametrize(
    ("change", "wishes"),
    [
        ({"semantics": Semantics(what="Else")}, None),
        ({"tags": ("new",)}, set()),
        ({"retention": Retention(days=7)}, DAYS),
        ({"sampling": Sampling(rate=0.5)}, {"sampling_rate"}),
        ({"anomaly_detection": AnomalyDetection()}, {"anomaly_detection"}),
        ({"privacy": PrivacyLevel.PII}, {"privacy", "redaction", "retention_days"}),
        ({"properties": {}}, {"privacy", "redaction", "anomaly_detection"}),
    ],
)
def test_a_changed_part_meets_the_wishes_on_which_its_values_depend(
    change: dict[str, Any], wishes: set[str] | None
) -> None:
    assert touched({}, change) == touched(change, {}) == wishes


def test_an_event_that_comes_or_goes_meets_every_wish() -> None:
    step, other = make_event("step"), make_event("other")

    assert reach_of(make_spec(other), make_spec(other, step)).events == {"step": ALL}
    assert reach_of(make_spec(other, step), make_spec(other)).events == {"step": ALL}
    assert reach_of(make_spec(step), make_spec(step, make_event("step", 2))).events == {"step": ALL}
    assert reach_of(None, make_spec(step)).events == {"step": ALL}


@pytest.mark.parametrize(
    ("config", "wishes"),
    [
        (TelemetryDefaults(), None),
        (TelemetryDefaults(undeclared_properties=UndeclaredPolicy.KEEP), None),
        (TelemetryDefaults(default_retention_days=7), DAYS),
        (TelemetryDefaults(default_sampling_rate=0.5), {"sampling_rate"}),
        (TelemetryDefaults(anomaly_detection=AnomalyDefaults(enabled=False)), {"anomaly_detection"}),
        (TelemetryDefaults(anomaly_detection=AnomalyDefaults(check_interval_ms=60_000)), None),
    ],
)
def test_a_default_meets_the_wishes_about_events_that_take_it(
    config: TelemetryDefaults, wishes: set[str] | None
) -> None:
    assert reach_of(make_spec(), make_spec(config=config)).events.get("step") == wishes


def test_a_default_does_not_reach_an_event_with_days_of_its_own() -> None:
    own = make_event(retention=Retention(days=9))

    reach = reach_of(make_spec(own), make_spec(own, config=TelemetryDefaults(default_retention_days=7)))

    assert reach.events == {}


def test_wishes_that_meet_nothing_are_left_out_and_references_that_are_not_settled_stay() -> None:
    before = make_spec(make_event("a"), make_event("b"), make_event("gone"))
    after = make_spec(make_event("a", retention=Retention(days=7)), make_event("b"))
    wish = EventOverride(enabled=False, sampling_rate=0.5)
    override = TenantOverride(
        spec=SpecPointer(name="x"),
        enabled=False,
        default_sampling_rate=0.5,
        undeclared_properties=UndeclaredPolicy.QUARANTINE,
        events={
            "a": EventOverride(retention_days=3, sampling_rate=0.5),
            "a@1": wish,
            "b": wish,
            "gone": EventOverride(redaction={"p": Redaction(strategy=RedactionStrategy.DROP)}),
            "gone@2": EventOverride(),
        },
    )

    reduced = within_reach(override, reach_of(before, after))

    assert reduced.events == {
        "a": EventOverride(retention_days=3),
        "gone": override.events["gone"],
        "gone@2": EventOverride(),
    }
    # An event goes, and with it whatever was switched or sampled by the override as a whole.
    assert (reduced.spec, reduced.enabled, reduced.default_sampling_rate) == (None, False, 0.5)
    assert reduced.undeclared_properties is None


def test_overrides_that_differ_in_what_is_not_met_are_the_same_to_a_change() -> None:
    reach = reach_of(make_spec(), make_spec(make_event(retention=Retention(days=7))))
    wishes = [
        EventOverride(sampling_rate=0.1),
        EventOverride(enabled=False),
        EventOverride(anomaly_detection=AnomalyOverride(enabled=False)),
    ]

    assert {within_reach(TenantOverride(enabled=False, events={"step": wish}), reach) for wish in wishes} == {
        TenantOverride()
    }


@st.composite
def changes(draw: st.DrawFn) -> tuple[TelemetrySpec, TelemetrySpec]:
    """A spec, and another in which some events are the same, some have a part of another, some come and go."""
    before, donor = draw(strategies.specs()), draw(strategies.specs())
    parts = ("privacy", "retention", "sampling", "anomaly_detection", "tags", "semantics")
    events = {}
    for event in before.events:
        other = draw(st.sampled_from([*donor.events, None]))
        part = draw(st.sampled_from([*parts, "nothing", "gone"]))
        if part == "gone":
            continue
        if other is not None and part in parts:
            event = msgspec.structs.replace(event, **{part: getattr(other, part)})
            if part == "sampling":
                event = msgspec.structs.replace(event, properties=other.properties, anomaly_detection=None)
        events[event.name, event.version] = event
    for event in donor.events[: draw(st.integers(0, 2))]:
        events.setdefault((event.name, event.version), event)
    config = donor.config if draw(st.booleans()) else before.config
    return before, msgspec.structs.replace(before, config=config, events=tuple(events.values()))


@given(changes(), strategies.blueprints(), strategies.overrides(), strategies.floors())
def test_leaving_out_what_is_not_met_changes_nothing(
    change: tuple[TelemetrySpec, TelemetrySpec], blueprint: AppBlueprint, override: TenantOverride, floor: PrivacyFloor
) -> None:
    before, after = change
    reach = reach_of(before, after)

    def differences(*layers: Any) -> Any:
        old, new = (resolve(spec, *layers) for spec in (before, after))
        return tuple(event_impacts(old.events, new.events)), tuple(config_changes(old, new))

    reduced = (within_reach(blueprint, reach), within_reach(override, reach), floor)
    assert differences(*reduced) == differences(blueprint, override, floor)


def resolve(
    spec: TelemetrySpec, blueprint: AppBlueprint, override: TenantOverride, floor: PrivacyFloor
) -> EffectiveConfig:
    return resolve_config(spec, blueprint, override, floor, installation=make_installation())


def test_what_the_layers_say_of_properties_is_met_by_their_change() -> None:
    hashed = EventOverride(redaction={"p": Redaction(strategy=RedactionStrategy.HASH)})
    before, after = (make_spec(make_event(properties={"p": make_property(t)})) for t in ("string", "number"))

    assert within_reach(TenantOverride(events={"step": hashed}), reach_of(before, after)).events == {"step": hashed}
