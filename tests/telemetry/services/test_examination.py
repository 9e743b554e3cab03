"""Impacts put together from the parts of single events are those of whole configs, and equal ones have equal keys."""

from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.blast_radius import InstallationImpact, blast_radius, find_orphans_of_floor
from telemetry.core.config import (
    AppBlueprint,
    EventOverride,
    FloorException,
    PrivacyFloor,
    SamplingBounds,
    TenantOverride,
)
from telemetry.core.enums import Layer
from telemetry.core.errors import FieldError
from telemetry.core.reach import reach_of_floors
from telemetry.core.resolution import find_loosening, resolve_config
from telemetry.core.spec import Retention, TelemetryDefaults, TelemetrySpec
from telemetry.services.examination import ANYBODY, Budget, Examination, Layers, TooManyDiffer
from telemetry.services.references import find_misfits
from tests.core import strategies
from tests.core.builders import make_event, make_spec
from tests.core.test_reach import changes

NOBODY = Layers(AppBlueprint(), TenantOverride(), PrivacyFloor())


def whole_impact(before: TelemetrySpec | None, after: TelemetrySpec, layers: Layers) -> InstallationImpact:
    """The impact as it is defined: both configs resolved as a whole, every problem looked for everywhere."""

    def config(spec: TelemetrySpec) -> Any:
        return resolve_config(spec, *layers, installation=ANYBODY)

    return blast_radius(
        None if before is None else config(before),
        config(after),
        problems_before=() if before is None else problems(before, layers),
        problems_after=problems(after, layers),
    )


def problems(spec: TelemetrySpec, layers: Layers) -> Iterator[FieldError]:
    blueprint, override, limits = layers.blueprint, layers.override, layers.limits
    as_override = TenantOverride(
        enabled=blueprint.enabled,
        default_sampling_rate=blueprint.default_sampling_rate,
        undeclared_properties=blueprint.undeclared_properties,
        events=blueprint.events,
    )
    of_blueprint = (*find_misfits(spec, blueprint), *find_loosening(spec, None, as_override, *limits))
    of_tenant = (*find_misfits(spec, override), *find_loosening(spec, blueprint, override, *limits))
    yield from find_orphans_of_floor(spec, layers.floor)
    for layer, found in ((Layer.BLUEPRINT, of_blueprint), (Layer.TENANT, of_tenant)):
        yield from (FieldError(each.code, f"{layer}.{each.path}", each.message) for each in found)


def about_known_events(layers: Layers, before: TelemetrySpec | None, after: TelemetrySpec) -> Layers:
    """What is said about an event that neither version has had no effect before, and so loses none."""
    names = {event.name for spec in (before, after) if spec is not None for event in spec.events}

    def known(layer: Any) -> Any:
        events = {key: value for key, value in layer.events.items() if key.partition("@")[0] in names}
        return msgspec.structs.replace(layer, events=events)

    return layers._replace(blueprint=known(layers.blueprint), override=known(layers.override))


def comparable(impact: InstallationImpact) -> Any:
    """Problems without their order, and without the suggestion of what is spelt alike."""
    found = (impact.orphaned, impact.contradictory, impact.below_floor)
    return [{(each.code, each.path) for each in kind} for kind in found], impact.events, impact.config


@given(
    changes(),
    st.booleans(),
    strategies.blueprints(),
    st.lists(strategies.overrides(), min_size=2, max_size=3),
    strategies.floors(),
)
def test_an_impact_put_together_from_parts_is_that_of_whole_configs(
    change: tuple[TelemetrySpec, TelemetrySpec],
    is_first: bool,
    blueprint: AppBlueprint,
    overrides: list[TenantOverride],
    floor: PrivacyFloor,
) -> None:
    before, after = (None, change[1]) if is_first else change
    examination = Examination(before, after)
    found = []

    for override in (*overrides, TenantOverride()):
        layers = Layers(blueprint, override, floor)
        composition = examination.compose(layers)
        impact = examination.impact(composition)

        assert comparable(impact) == comparable(whole_impact(before, after, about_known_events(layers, before, after)))
        assert composition.has_changes is impact.has_changes
        found.append((composition, impact))

    for composition, impact in found:
        assert [other == composition for other, _ in found] == [same == impact for _, same in found]


@given(
    strategies.specs(),
    strategies.blueprints(),
    st.lists(strategies.overrides(), min_size=2, max_size=3),
    strategies.floors(),
    strategies.floors(),
    st.lists(strategies.floor_exceptions(), max_size=2).map(tuple),
)
def test_the_impact_of_a_floor_put_together_from_parts_is_that_of_whole_configs(
    spec: TelemetrySpec,
    blueprint: AppBlueprint,
    overrides: list[TenantOverride],
    before: PrivacyFloor,
    after: PrivacyFloor,
    exceptions: tuple[FloorException, ...],
) -> None:
    examination = Examination(spec, spec, reach=reach_of_floors(spec, before, after))

    for override in (*overrides, TenantOverride()):
        layers = about_known_events(Layers(blueprint, override, before, exceptions), None, spec)
        impact = examination.impact(examination.compose(layers, after))

        old, new = (
            resolve_config(spec, *layers._replace(floor=floor), installation=ANYBODY) for floor in (before, after)
        )
        expected = blast_radius(
            old,
            new,
            problems_before=problems(spec, layers),
            problems_after=without_orphans_of_floor(problems(spec, layers._replace(floor=after))),
        )
        assert comparable(impact) == comparable(expected)


def without_orphans_of_floor(found: Iterator[FieldError]) -> Iterator[FieldError]:
    """Installations that have no such event lose nothing by a floor that names one."""
    return (each for each in found if not each.path.startswith("floor."))


def test_what_is_said_alike_of_an_event_is_resolved_once() -> None:
    names = [f"e{number}" for number in range(10)]
    before = make_spec(*(make_event(name) for name in names))
    after = make_spec(*before.events, config=TelemetryDefaults(default_retention_days=7))
    examination = Examination(before, after)

    for days in (5, 6):
        for name in names:
            override = TenantOverride(events={name: EventOverride(retention_days=days)})
            examination.compose(NOBODY._replace(override=override))
    # An override of two events says nothing new about either.
    both = {"e1": EventOverride(retention_days=5), "e2": EventOverride(retention_days=6)}
    examination.compose(NOBODY._replace(override=TenantOverride(events=both)))

    # Each name before and after: without a wish, with five and with six days.
    assert examination.resolved == 2 * len(names) * 3


def test_what_a_change_does_not_meet_is_not_resolved() -> None:
    before = make_spec(make_event("a"), make_event("b"))
    examination = Examination(before, make_spec(make_event("a", retention=Retention(days=7)), make_event("b")))

    for number in range(1, 100):
        wishes = EventOverride(sampling_rate=number / 100, enabled=False)
        override = TenantOverride(default_sampling_rate=number / 100, events={"a": wishes, "b": wishes})
        examination.compose(NOBODY._replace(override=override))

    assert examination.resolved == 2


def test_a_wish_about_all_events_that_had_no_effect_before_is_not_blamed_on_an_event_that_comes() -> None:
    before, after = make_spec(make_event("a")), make_spec(make_event("a"), make_event("b"))
    floor = PrivacyFloor(sampling=SamplingBounds(minimum_rate=0.1))
    low = TenantOverride(default_sampling_rate=0.01)
    a_of_its_own = TenantOverride(default_sampling_rate=0.01, events={"a": EventOverride(sampling_rate=0.5)})
    layers = NOBODY._replace(override=low, floor=floor)

    # The floor holds the default of the event "a" back already. Its otherwise rate too, when it has a rate of its own.
    for override in (low, a_of_its_own):
        assert Examination(before, after).compose(layers._replace(override=override)).problems == ()
    empty = msgspec.structs.replace(before, events=())
    assert [each.path for each in Examination(empty, after).compose(layers).problems] == ["tenant.defaultSamplingRate"]


def test_a_spent_budget_is_said_and_what_is_known_is_still_told() -> None:
    before, after = make_spec(make_event("a")), make_spec(make_event("a", retention=Retention(days=7)))
    examination = Examination(before, after, budget=Budget(4))
    layers = [
        NOBODY._replace(override=TenantOverride(events={"a": EventOverride(retention_days=days)})) for days in (2, 3)
    ]
    known = examination.compose(layers[0])

    with pytest.raises(TooManyDiffer):
        examination.compose(layers[1])

    assert examination.compose(layers[0]) == known
