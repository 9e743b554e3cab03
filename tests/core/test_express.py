"""The quick way through the rules: the same outcomes as the whole way, for usual events only, within bounded memory."""

import enum
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from telemetry.core.compiled import CompiledConfig, compile_config
from telemetry.core.enums import DropReason, PrivacyLevel, UndeclaredPolicy
from telemetry.core.events import Accepted, Context, Dropped, PseudonymKey, Written
from telemetry.core.express import ExpressLane
from telemetry.core.intake import InvalidEnvelope, take_envelope
from telemetry.core.observation import Observation
from telemetry.core.pipeline import process_event, process_in_full
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import PropertyDefinition, Sampling, TelemetryDefaults
from telemetry.core.unwritten import Unwritten
from tests.core.builders import (
    make_context,
    make_envelope,
    make_event,
    make_installation,
    make_property,
    make_redaction,
    make_spec,
)
from tests.core.strategies import contexts, envelopes_for, properties_for, specs

KEY = PseudonymKey(epoch=1, secret=b"0123456789abcdef0123456789abcdef")
SPECS = specs().filter(lambda spec: spec.events)
USUAL: dict[str, Any] = {"step": "verify_email", "durationMs": 2100, "userId": "user-123"}


def compiled_with(
    properties: Mapping[str, PropertyDefinition] | None = None, *, undeclared: str = "drop", **event: Any
) -> CompiledConfig:
    """The rules of one event, ready for use."""
    fields = event if properties is None else {**event, "properties": properties}
    defaults = TelemetryDefaults(undeclared_properties=UndeclaredPolicy(undeclared))
    return compile_config(
        resolve_config(make_spec(make_event(**fields), config=defaults), installation=make_installation(), revision=7)
    )


def quick(
    compiled: CompiledConfig,
    properties: Any = USUAL,
    context: Context | None = None,
    *,
    event_id: str = "event-1",
    key: PseudonymKey | None = KEY,
) -> Accepted | Dropped | None:
    """What both quick ways make of an event named step."""
    stamp, around = make_envelope(id=event_id), make_context() if context is None else context
    of_servers = written(ExpressLane.of(compiled, key).judge(stamp, "step", 1, properties, around))
    of_apps = written(lane_of_apps(compiled, key).judge(stamp, "step", 1, properties, around))
    assert of_servers == of_apps
    return of_servers


def written(outcome: Unwritten | Dropped | None) -> Written | Dropped | None:
    """The outcome with its dispatch."""
    return outcome.write() if isinstance(outcome, Unwritten) else outcome


@lru_cache
def lane_of_apps(compiled: CompiledConfig, key: PseudonymKey | None) -> ExpressLane:
    """The lane of trackers, which remembers as theirs does."""
    return ExpressLane(compiled, key, for_store=False)


def in_full(
    compiled: CompiledConfig, properties: Any = USUAL, context: Context | None = None, *, event_id: str = "event-1"
) -> object:
    """What the whole way makes of the same event."""
    envelope = make_envelope(id=event_id, properties=properties, context=make_context() if context is None else context)
    rules = compiled.find("step", 1)
    assert rules is not None
    return process_in_full(take_envelope(envelope), rules, compiled, key=KEY)


# The same outcomes


ODD_VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.sampled_from(
        [10**400, -(10**308), "\0", "a\ud800", "é", "x" * 65_536, "x" * 65_537, "é" * 40_000, b"a", [], {}]
    ),
    st.text(st.characters(exclude_categories=()), max_size=5),
    st.sampled_from(["2026-11-22T10:00:00Z", "alice@example.com", "192.0.2.7"]),
)


@st.composite
def odd_properties(draw: st.DrawFn, event: Any) -> dict[str, Any]:
    """Properties of the event, of which some are replaced, taken out, added or put elsewhere."""
    properties = draw(properties_for(event))
    names = [*properties, *event.properties, "stray"]
    for name in draw(st.lists(st.sampled_from(names), max_size=2)):
        properties[name] = draw(ODD_VALUES)
    for name in draw(st.lists(st.sampled_from(names), max_size=1)):
        properties.pop(name, None)
    return dict(draw(st.permutations(list(properties.items()))))


@given(data=st.data(), key=st.sampled_from([None, KEY]))
def test_both_ways_agree_on_any_run_of_events_of_any_spec(data: st.DataObject, key: PseudonymKey | None) -> None:
    spec = data.draw(SPECS)
    compiled = compile_config(resolve_config(spec, installation=make_installation()))
    lane = lane_of_apps(compiled, key)

    # Several, so that later ones meet what earlier ones left behind.
    for _ in range(data.draw(st.integers(1, 6))):
        event = data.draw(st.sampled_from(spec.events))
        envelope = replace(
            data.draw(envelopes_for(event)),
            properties=data.draw(st.one_of(properties_for(event), odd_properties(event))),
            context=data.draw(contexts()),
        )
        try:
            taken = take_envelope(envelope)
        except InvalidEnvelope:
            continue
        rules = compiled.find(event.name, envelope.version)
        assert rules is not None
        seen: list[Observation] = []
        outcome = process_event(envelope, compiled, key=key, observer=seen.append)
        later = lane.judge(taken, taken.name, taken.version, taken.properties, taken.context)
        expected: list[Observation] = []
        assert outcome == process_in_full(taken, rules, compiled, key=key, observer=expected.append)
        assert later is None or outcome == written(later)
        assert seen == expected


@pytest.mark.parametrize("privacy", PrivacyLevel)
@pytest.mark.parametrize("rate", [0.0, 0.5, 1.0])
@pytest.mark.parametrize(
    "strategy",
    [
        make_redaction("mask"),
        make_redaction("drop"),
        make_redaction("null"),
        make_redaction("hash"),
        make_redaction("truncate", length=3),
        make_redaction("email_domain"),
    ],
    ids=lambda redaction: redaction.strategy.value,
)
@pytest.mark.parametrize("user", ["user-123", "", None])
def test_usual_events_take_the_quick_way_to_the_same_outcome(
    privacy: PrivacyLevel, rate: float, strategy: Any, user: str | None
) -> None:
    compiled = compiled_with(
        {
            "step": make_property(required=True, allowed_values=("verify_email", "pay")),
            "email": make_property(redaction=strategy),
            "durationMs": make_property("number"),
            "retried": make_property("boolean"),
            "startedAt": make_property("timestamp"),
        },
        privacy=privacy,
        sampling=Sampling(rate=rate),
    )
    properties = {
        "email": "alice@example.com",
        "step": "pay",
        "startedAt": "2026-11-22T10:00:00Z",
        "durationMs": 21.5,
        "retried": True,
    }
    context = make_context(user_id=user, session_id=user)

    outcomes = [quick(compiled, properties, context, event_id=f"event-{number}") for number in range(20)]

    assert None not in outcomes
    assert outcomes == [in_full(compiled, properties, context, event_id=f"event-{number}") for number in range(20)]


def test_a_disabled_event_is_dropped_with_its_metrics() -> None:
    event = replace(make_event(), sampling=Sampling(rate=1.0))
    config = resolve_config(make_spec(event), installation=make_installation())
    compiled = compile_config(replace(config, events=(replace(config.events[0], enabled=False),)))

    outcome = quick(compiled)

    assert outcome == Dropped(name="step", version=1, reason=DropReason.DISABLED, metrics={"durationMs": 2100.0})


def test_an_event_without_properties_takes_the_quick_way() -> None:
    compiled = compiled_with({"step": make_property()})

    outcome = quick(compiled, {})

    assert isinstance(outcome, Accepted)
    assert outcome == in_full(compiled, {})


# Anything unusual goes the whole way


@pytest.mark.parametrize(
    "properties",
    [
        {**USUAL, "stray": 1},
        {"durationMs": 2100},
        {**USUAL, "step": None},
        {**USUAL, "step": "a\0b"},
        {**USUAL, "step": "\ud800"},
        {**USUAL, "step": "x" * 65_537},
        {**USUAL, "durationMs": True},
        {**USUAL, "durationMs": "2100"},
        {**USUAL, "durationMs": float("nan")},
        {**USUAL, "durationMs": 10**400},
        [("step", "verify_email")],
        None,
        type("Mine", (dict,), {})(USUAL),
    ],
)
def test_an_event_with_anything_unusual_goes_the_whole_way(properties: Any) -> None:
    compiled = compiled_with()

    # Also when usual ones came before it.
    assert quick(compiled) is not None
    assert quick(compiled, properties) is None


@pytest.mark.parametrize(
    "context",
    [
        make_context(metadata={"build": 1}),
        make_context(channel="not an identifier"),
        make_context(user_id=7),
        make_context(user_id=["list"]),
        make_context(user_id=type("Mine", (str,), {})("someone")),
    ],
)
def test_an_event_in_an_unusual_context_goes_the_whole_way(context: Context) -> None:
    assert quick(compiled_with(), USUAL, context) is None


def test_an_event_of_a_spec_with_conditions_or_json_goes_the_whole_way() -> None:
    conditional = compiled_with(sampling=Sampling(rate=0.5, conditions=("properties.durationMs > 100.0",)))
    with_json = compiled_with({"step": make_property("json")})

    assert quick(conditional) is None
    assert quick(with_json, {"step": "a"}) is None


def test_names_of_a_foreign_class_come_out_as_the_rules_have_them() -> None:
    class Names(str):
        """Claims to be a harmless name."""

        def __eq__(self, other: object) -> bool:
            return other == "step"

        def __hash__(self) -> int:
            return hash("step")

    compiled = compiled_with()
    assert quick(compiled, {"step": "a"}) is not None

    outcome = process_event(make_envelope(properties={Names("userId"): "user-123"}), compiled, key=KEY)

    assert all(type(name) is str for name in getattr(getattr(outcome, "dispatch", None), "properties", {}))


def test_a_name_that_raises_when_it_is_looked_up_goes_the_whole_way() -> None:
    class Raising(str):
        """Cannot be hashed a second time."""

        hashed = 0

        def __hash__(self) -> int:
            self.hashed += 1
            if self.hashed > 1:
                raise RuntimeError
            return 1

    assert quick(compiled_with(), {Raising("step"): "a"}) is None


class Channel(enum.StrEnum):
    """Names whose members equal their texts."""

    web = "web"


def test_members_of_an_enum_in_a_context_come_out_as_plain_text() -> None:
    compiled = compiled_with()
    assert quick(compiled) is not None

    outcome = process_event(make_envelope(context=make_context(channel=Channel.web)), compiled, key=KEY)

    assert isinstance(outcome, Accepted)
    assert type(outcome.dispatch.context.channel) is str


# Bounds


def test_a_client_that_makes_up_shapes_fills_no_memory() -> None:
    names = [f"p{number}" for number in range(100)]
    compiled = compiled_with({name: make_property() for name in names})

    outcomes = [quick(compiled, {name: "a"}) for name in names]

    assert sum(outcome is not None for outcome in outcomes) == 32
    assert all(process_event(make_envelope(properties={name: "a"}), compiled, key=KEY) for name in names)


def test_no_text_of_a_spec_or_event_becomes_code() -> None:
    event = make_event(name="x.$:/- y", properties={"a$ b-c.d": make_property()})
    compiled = compile_config(resolve_config(make_spec(event), installation=make_installation()))

    properties = {"a$ b-c.d": "');import os"}
    outcome = ExpressLane.of(compiled, KEY).judge(make_envelope(), event.name, 1, properties, Context())

    assert isinstance(outcome, Accepted)
    assert outcome.dispatch.properties == {"a$ b-c.d": "');import os"}


def test_each_key_has_pseudonyms_of_its_own() -> None:
    compiled = compiled_with()
    other = PseudonymKey(epoch=2, secret=b"another key of sixteen bytes")

    first, second, none = (quick(compiled, key=key) for key in (KEY, other, None))

    assert isinstance(first, Accepted)
    assert isinstance(second, Accepted)
    assert isinstance(none, Accepted)
    assert first.dispatch.context.user_id != second.dispatch.context.user_id
    assert none.dispatch.context.user_id is None
