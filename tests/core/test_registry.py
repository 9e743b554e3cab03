"""The registry answers by name and version, and takes a spec whole or not at all."""

import pytest

from telemetry.core.errors import DuplicateEvent, DuplicateSpec, UnknownEvent, UnknownSpec
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.spec import Semantics
from tests.core.builders import make_event, make_sigil_spec, make_spec


def test_an_empty_registry_has_nothing() -> None:
    registry = TelemetryRegistry()

    assert (len(registry), list(registry), registry.specs(), registry.events()) == (0, [], (), ())


def test_the_seeds_event_leads_to_its_spec() -> None:
    spec = make_sigil_spec()
    registry = TelemetryRegistry([spec])

    event = registry.find_event("sigil.telemetry.workflow_step", 1)

    assert event is spec.events[0]
    assert registry.spec_of(event.name, event.version) is spec


@pytest.mark.parametrize("order", [(1, 2, 10), (10, 2, 1), (2, 10, 1)])
def test_without_a_version_the_highest_one_is_given_whatever_the_order(order: tuple[int, int, int]) -> None:
    registry = TelemetryRegistry(make_spec(version=version) for version in order)

    assert registry.get("sigil.telemetry").meta.version == 10
    assert registry.get("sigil.telemetry", 2).meta.version == 2
    assert [spec.meta.version for spec in registry] == list(order)
    assert len(registry) == 3


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_an_event_is_that_of_the_latest_spec_version_that_has_it(order: tuple[int, int]) -> None:
    old = make_spec(make_event(), make_event("gone"), version=1)
    new = make_spec(make_event(semantics=Semantics(what="Said better")), make_event(version=2), version=2)
    registry = TelemetryRegistry([(old, new)[index] for index in order])

    assert registry.find_event("step", 1).semantics.what == "Said better"
    assert registry.find_event("step").version == 2
    assert registry.spec_of("step", 1) is new
    assert registry.find_event("gone") is old.events[1]
    assert registry.spec_of("gone") is old
    assert {(event.name, event.version) for event in registry.events()} == {("step", 1), ("step", 2), ("gone", 1)}


def test_a_higher_event_version_of_an_older_spec_version_is_still_the_highest() -> None:
    registry = TelemetryRegistry([make_spec(make_event(version=3), version=1), make_spec(make_event(), version=2)])

    assert registry.find_event("step").version == 3


def test_a_name_and_version_is_registered_once() -> None:
    registry = TelemetryRegistry([make_spec()])

    with pytest.raises(DuplicateSpec, match=r"^version 1 of the spec sigil\.telemetry is registered already$"):
        registry.register(make_spec(make_event("other")))

    assert [event.name for event in registry.events()] == ["step"]


def test_an_event_belongs_to_one_spec_and_nothing_is_half_registered() -> None:
    registry = TelemetryRegistry([make_spec()])
    intruder = make_spec(make_event("new"), make_event("step"), name="other")

    with pytest.raises(DuplicateEvent, match=r"^version 1 of the event step belongs to the spec sigil\.telemetry$"):
        registry.register(intruder)

    with pytest.raises(UnknownSpec):
        registry.get("other")
    with pytest.raises(UnknownEvent):
        registry.find_event("new")
    assert len(registry) == 1


def test_other_versions_of_an_event_may_belong_to_other_specs() -> None:
    registry = TelemetryRegistry([make_spec(), make_spec(make_event(version=2), name="other")])

    assert registry.spec_of("step", 1).meta.name == "sigil.telemetry"
    assert registry.spec_of("step").meta.name == "other"


def test_a_spec_that_has_an_event_twice_is_refused() -> None:
    registry = TelemetryRegistry()

    with pytest.raises(DuplicateEvent, match=r"^version 1 of the event step occurs twice in the spec$"):
        registry.register(make_spec(make_event(), make_event()))

    assert registry.events() == ()


@pytest.mark.parametrize(
    ("name", "version", "shown"),
    [
        ("none", None, "'none'"),
        ("none", 1, "'none' in version 1"),
        ("x" * 1000, None, repr("x" * 200)),
        ("x" * 1000, 2, repr("x" * 200) + " in version 2"),
    ],
)
def test_what_nobody_registered_is_unknown(name: str, version: int | None, shown: str) -> None:
    registry = TelemetryRegistry([make_spec()])

    with pytest.raises(UnknownSpec, match=f"^no spec {shown} is registered$"):
        registry.get(name, version)
    with pytest.raises(UnknownEvent, match=f"^no event {shown} is registered$"):
        registry.find_event(name, version)
    with pytest.raises(UnknownEvent):
        registry.spec_of(name, version)


def test_a_version_that_a_known_name_lacks_is_unknown() -> None:
    registry = TelemetryRegistry([make_spec()])

    with pytest.raises(UnknownSpec, match="in version 2"):
        registry.get("sigil.telemetry", 2)
    with pytest.raises(UnknownEvent, match="in version 2"):
        registry.find_event("step", 2)
