"""Documents that are put together from remembered parts are those that are resolved as a whole."""

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.codec import encode_document, encode_spec
from telemetry.core.config import AppBlueprint, EventOverride, FloorException, PrivacyFloor, TenantOverride
from telemetry.core.config_documents import ConfigDocuments, LayerDocuments, Preparation
from telemetry.core.floors import combine_floors
from telemetry.core.plain import to_plain
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Retention, TelemetrySpec
from tests.core import strategies
from tests.core.builders import make_event, make_installation, make_spec

LIMIT = 1_000_000


def as_documents(
    spec: TelemetrySpec,
    blueprint: AppBlueprint | None = None,
    override: TenantOverride | None = None,
    floors: tuple[PrivacyFloor, ...] = (),
    exceptions: tuple[FloorException, ...] = (),
) -> LayerDocuments:
    return LayerDocuments(
        spec=encode_spec(spec).decode(),
        blueprint=encode_document(blueprint or AppBlueprint()).decode(),
        override=None if override is None else encode_document(override).decode(),
        floors=tuple(encode_document(floor).decode() for floor in floors),
        exceptions=tuple(encode_document(exception).decode() for exception in exceptions),
    )


def make(documents: ConfigDocuments, *layers: Any, more: Mapping[str, object] | None = None) -> bytes:
    return documents.make(as_documents(*layers), installation=make_installation(), revision=7, more=more)


def resolved(
    spec: TelemetrySpec,
    blueprint: AppBlueprint | None = None,
    override: TenantOverride | None = None,
    floors: tuple[PrivacyFloor, ...] = (),
    exceptions: tuple[FloorException, ...] = (),
) -> bytes:
    floor = combine_floors(*floors)
    config = resolve_config(spec, blueprint, override, floor, exceptions, installation=make_installation(), revision=7)
    plain: Any = to_plain(config)
    del plain["provenance"]
    return msgspec.json.encode(plain)


@given(
    st.lists(strategies.specs(), min_size=1, max_size=2),
    st.lists(strategies.blueprints(), min_size=1, max_size=2),
    st.lists(st.none() | strategies.overrides(), min_size=1, max_size=3),
    st.lists(st.tuples(strategies.floors()) | st.just(()), min_size=1, max_size=2),
    st.lists(st.tuples(strategies.floor_exceptions()) | st.just(()), min_size=1, max_size=2),
)
def test_whatever_is_remembered_the_document_is_that_of_its_layers(
    specs: list[TelemetrySpec],
    blueprints: list[AppBlueprint],
    overrides: list[TenantOverride | None],
    floors: list[tuple[PrivacyFloor, ...]],
    exceptions: list[tuple[FloorException, ...]],
) -> None:
    documents = ConfigDocuments(LIMIT)
    combined = [
        (spec, blueprint, override, floor, exception)
        for spec in specs
        for blueprint in blueprints
        for override in overrides
        for floor in floors
        for exception in exceptions
    ]

    for layers in combined * 2:
        assert make(documents, *layers) == resolved(*layers)


@given(
    strategies.specs(),
    strategies.blueprints(),
    st.none() | strategies.overrides(),
    st.tuples(strategies.floors()) | st.just(()),
    st.tuples(strategies.floor_exceptions()) | st.just(()),
)
def test_from_prepared_parts_the_document_is_the_same(
    spec: TelemetrySpec,
    blueprint: AppBlueprint,
    override: TenantOverride | None,
    floors: tuple[PrivacyFloor, ...],
    exceptions: tuple[FloorException, ...],
) -> None:
    bare = None if override is None else msgspec.structs.replace(override, events={})
    preparation = Preparation(as_documents(spec, blueprint, bare, floors, exceptions))
    prepared = {preparation.digest: preparation.content()}
    documents = ConfigDocuments(LIMIT)

    made = documents.make(
        as_documents(spec, blueprint, override, floors, exceptions),
        installation=make_installation(),
        revision=7,
        prepared=prepared.__getitem__,
    )

    assert made == resolved(spec, blueprint, override, floors, exceptions)


def test_prepared_parts_are_taken_and_asked_for_once() -> None:
    spec = make_spec(*(make_event(f"event_{number}") for number in range(3)))
    preparation = Preparation(as_documents(spec))
    asked: list[str] = []

    def prepared(digest: str) -> bytes:
        asked.append(digest)
        return preparation.content().replace(b'"enabled":true', b'"enabled":false')

    documents = ConfigDocuments(LIMIT)
    made = [
        documents.make(as_documents(spec), installation=make_installation(), revision=7, prepared=prepared)
        for _ in range(2)
    ]

    assert asked == [preparation.digest]
    assert [event["enabled"] for event in json.loads(made[1])["events"]] == [False] * 3


def test_the_digest_tells_every_layer_from_every_other() -> None:
    spec, other = make_spec(make_event("a")), make_spec(make_event("b"))
    floor = PrivacyFloor(forced_off=("a",))
    layers: list[tuple[Any, ...]] = [
        (spec,),
        (other,),
        (spec, AppBlueprint(enabled=False)),
        (spec, None, TenantOverride(enabled=False)),
        (spec, None, TenantOverride(default_sampling_rate=0.5)),
        (spec, None, None, (floor,)),
        (spec, None, None, (floor, floor)),
    ]

    assert len({Preparation(as_documents(*each)).digest for each in layers}) == len(layers)


def test_wishes_for_single_events_cannot_be_prepared() -> None:
    wishes = TenantOverride(events={"a": EventOverride(enabled=False)})

    with pytest.raises(ValueError, match="single events"):
        Preparation(as_documents(make_spec(make_event("a")), None, wishes))


def test_every_form_of_a_tenants_wish_for_one_event_has_a_part_of_its_own() -> None:
    documents = ConfigDocuments(LIMIT)
    spec = make_spec(make_event("a"), make_event("b"))
    forms = [
        TenantOverride(events={reference: EventOverride(**wish)})
        for reference in ("a", "a@1", "b", "nowhere")
        for wish in ({"enabled": False}, {"sampling_rate": 0.5}, {"sampling_rate": 0.25}, {"retention_days": 1})
    ]

    made = [make(documents, spec, None, form) for form in forms]

    assert made == [resolved(spec, None, form) for form in forms]
    assert len(set(made[:4])) == 4


def test_installations_with_equal_layers_share_every_event() -> None:
    documents = ConfigDocuments(LIMIT)
    spec = make_spec(*(make_event(f"event_{number}") for number in range(20)))
    make(documents, spec)
    known = len(documents)

    other = documents.make(as_documents(spec), installation=make_installation(), revision=8)
    make(documents, spec, None, TenantOverride(events={"event_3": EventOverride(enabled=False)}))

    assert known == 20
    assert json.loads(other)["revision"] == 8
    assert len(documents) == 21


def test_a_new_version_costs_the_events_that_it_changed() -> None:
    documents = ConfigDocuments(LIMIT)
    events = [make_event(f"event_{number}") for number in range(20)]
    make(documents, make_spec(*events))

    events[4] = msgspec.structs.replace(events[4], retention=Retention(days=3))
    make(documents, make_spec(*events, version=2))

    assert len(documents) == 21


def test_more_fields_follow_the_others() -> None:
    documents = ConfigDocuments(LIMIT)
    spec = make_spec(make_event("a"))

    made = make(documents, spec, more={"pseudonymKey": {"epoch": 1}})

    plain = make(documents, spec)
    assert made == plain[:-1] + b',"pseudonymKey":{"epoch":1}}'


def test_what_was_not_used_for_longest_is_forgotten() -> None:
    documents = ConfigDocuments(60_000)
    spec = make_spec(*(make_event(f"event_{number}") for number in range(10)))

    for number in range(100):
        blueprint = AppBlueprint(default_sampling_rate=number / 100)
        assert make(documents, spec, blueprint) == resolved(spec, blueprint)

    assert 10 <= len(documents) < 200


def test_what_alone_is_larger_than_the_limit_is_made_all_the_same() -> None:
    documents = ConfigDocuments(10)
    spec = make_spec(make_event("a"))

    assert make(documents, spec) == resolved(spec)
    assert len(documents) == 0


def test_threads_share_one_memory() -> None:
    documents = ConfigDocuments(60_000)
    specs = [make_spec(*(make_event(f"event_{number}_{version}") for number in range(10))) for version in range(8)]
    expected = [resolved(spec) for spec in specs]

    def work(worker: int) -> bool:
        return all(make(documents, specs[(worker + turn) % 8]) == expected[(worker + turn) % 8] for turn in range(40))

    with ThreadPoolExecutor(4) as threads:
        assert all(threads.map(work, range(4)))
