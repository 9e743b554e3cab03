"""An event's way through the rules: what is rejected, dropped and accepted, and that nothing personal comes out."""

import collections
import datetime as dt
import enum
import json
import threading
import types
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Never, Self

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.config import EffectiveConfig, EffectiveProperty
from telemetry.core.enums import (
    DropReason,
    Environment,
    PrivacyLevel,
    PropertyType,
    RedactionStrategy,
    UndeclaredPolicy,
    ViolationCode,
)
from telemetry.core.errors import InvalidDocument
from telemetry.core.events import Accepted, Context, Dropped, Envelope, Outcome, PseudonymKey, Rejected, Violation
from telemetry.core.pipeline import compile_config, process_event
from telemetry.core.redaction import redact_value
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import PropertyDefinition, Sampling, TelemetryDefaults
from tests.core.builders import (
    NOON,
    make_context,
    make_envelope,
    make_event,
    make_installation,
    make_property,
    make_redaction,
    make_spec,
)
from tests.core.strategies import envelopes_for, specs

KEY = PseudonymKey(epoch=1, secret=b"0123456789abcdef0123456789abcdef")
PROPERTIES = {
    "step": make_property(required=True),
    "durationMs": make_property("number"),
    "retried": make_property("boolean"),
    "startedAt": make_property("timestamp"),
    "cart": make_property("json"),
    "userId": make_property(pii=True, redact=True),
}


def make_config(
    *, undeclared: str = "drop", context_properties: Mapping[str, PropertyDefinition] | None = None, **event: Any
) -> EffectiveConfig:
    """The effective config of one event with all kinds of properties."""
    defaults = TelemetryDefaults(
        undeclared_properties=UndeclaredPolicy(undeclared), context_properties=context_properties or {}
    )
    spec = make_spec(make_event(**{"properties": PROPERTIES, **event}), config=defaults)
    return resolve_config(spec, installation=make_installation(), revision=7)


def process(
    envelope: Envelope | None = None,
    *,
    key: PseudonymKey | None = KEY,
    config: EffectiveConfig | None = None,
    **envelope_fields: Any,
) -> Outcome:
    return process_event(envelope or make_envelope(**envelope_fields), compile_config(config or make_config()), key=key)


def accepted(outcome: Outcome) -> Accepted:
    assert isinstance(outcome, Accepted)
    return outcome


def violations(outcome: Outcome) -> list[tuple[str, str, str]]:
    return [(each.code.value, each.path, each.message) for each in outcome.violations]


def pseudonym(text: str, key: PseudonymKey = KEY) -> str:
    shown: str = redact_value(text, PropertyType.STRING, make_redaction("hash"), key)
    return shown


def context_of(**fields: Any) -> Context:
    """A context of these fields, whatever types they have."""
    return Context(**fields)


# Accepted


@pytest.mark.parametrize(
    ("type_", "allowed", "taken", "refused"),
    [
        ("string", ("free", "pro"), ["free", "pro"], ["Free", "", "pro "]),
        ("number", (1.0, 2.5), [1, 1.0, 2.5], [2, 0, -1.0]),
    ],
)
def test_only_allowed_values_are_taken_and_others_are_never_repeated(
    type_: str, allowed: tuple[str | float, ...], taken: list[str | float], refused: list[str | float]
) -> None:
    config = make_config(properties={"plan": make_property(type_, allowed_values=allowed)})

    outcomes = [process(properties={"plan": value}, config=config) for value in (*taken, *refused)]

    message = "must be one of the property's allowed values"
    assert [accepted(each).dispatch.properties["plan"] for each in outcomes[: len(taken)]] == taken
    for outcome in outcomes[len(taken) :]:
        assert isinstance(outcome, Rejected)
        assert violations(outcome) == [("not_allowed_value", "properties.plan", message)]


def test_allowed_values_are_checked_before_a_value_is_hidden_and_hold_for_metadata_too() -> None:
    plan = make_property(pii=True, redact=True, allowed_values=("free", "pro"))
    config = make_config(properties={"plan": plan}, context_properties={"plan": plan})

    good = accepted(process(properties={"plan": "pro"}, context=make_context(metadata={"plan": "free"}), config=config))
    bad = process(properties={"plan": "gold"}, context=make_context(metadata={"plan": "gold"}), config=config)
    absent = process(properties={"plan": None}, config=config)

    assert (good.dispatch.properties, good.dispatch.context.metadata) == ({"plan": "REDACTED"}, {"plan": "REDACTED"})
    assert [path for _, path, _ in violations(bad)] == ["properties.plan", "context.metadata.plan"]
    assert absent


def test_a_value_of_another_type_is_said_to_be_that() -> None:
    config = make_config(properties={"plan": make_property(allowed_values=("free",))})

    assert violations(process(properties={"plan": 1}, config=config)) == [
        ("wrong_type", "properties.plan", "must be text")
    ]


def test_an_accepted_event_is_dispatched_with_its_personal_data_hidden() -> None:
    properties = {"step": "verify_email", "durationMs": 2100, "userId": "user-123"}

    outcome = process(properties=properties, context=Context(user_id="user-123", tenant_id="acme", channel="web"))

    assert isinstance(outcome, Accepted)
    assert outcome.dispatch.properties == {"step": "verify_email", "durationMs": 2100, "userId": "REDACTED"}
    assert outcome.dispatch.context == Context(user_id=pseudonym("user-123"), tenant_id="acme", channel="web")
    assert outcome.dispatch.name == "step"
    assert outcome.dispatch.version == 1
    assert outcome.dispatch.id == "01936d2e-0000-7000-8000-000000000001"
    assert outcome.dispatch.occurred_at == NOON
    assert outcome.dispatch.privacy is PrivacyLevel.INTERNAL
    assert outcome.dispatch.inclusion_probability == 1.0
    assert outcome.dispatch.config_revision == 7
    assert outcome.metrics == {"durationMs": 2100.0}
    assert outcome.violations == ()
    assert outcome.redacted == ("context.userId", "properties.userId")


def test_without_a_version_the_latest_of_the_event_holds() -> None:
    events = [make_event(version=version, tags=(f"v{version}",)) for version in (2, 10, 9)]
    config = resolve_config(make_spec(*events), installation=make_installation())

    latest = accepted(process(config=config, version=None))
    older = accepted(process(config=config, version=9))

    assert latest.dispatch.tags == ("v10",)
    assert older.dispatch.tags == ("v9",)


def test_the_instant_is_dispatched_in_utc() -> None:
    local = dt.datetime(2026, 11, 22, 14, 30, tzinfo=dt.timezone(dt.timedelta(hours=2, minutes=30)))

    outcome = accepted(process(occurred_at=local))

    assert outcome.dispatch.occurred_at == NOON
    assert outcome.dispatch.occurred_at.tzinfo is dt.UTC


def test_an_optional_property_that_is_null_counts_as_absent() -> None:
    outcome = accepted(process(properties={"step": "a", "durationMs": None, "userId": None}))

    assert outcome.dispatch.properties == {"step": "a"}
    assert outcome.metrics == {}
    assert "properties.userId" not in outcome.redacted


def test_null_is_a_json_value() -> None:
    config = make_config(properties={"cart": make_property("json", required=True)})

    assert accepted(process(properties={"cart": None}, config=config)).dispatch.properties == {"cart": None}
    assert isinstance(process(properties={}, config=config), Rejected)


def test_numbers_and_json_objects_with_a_numeric_value_are_metrics() -> None:
    properties = {"step": "7", "durationMs": 2.5, "cart": {"value": 12, "items": 3}}

    assert accepted(process(properties=properties)).metrics == {"durationMs": 2.5, "cart": 12.0}
    assert accepted(process(properties={"step": "a", "cart": {"value": True}})).metrics == {}
    assert accepted(process(properties={"step": "a", "cart": {"value": "12"}})).metrics == {}
    assert accepted(process(properties={"step": "a", "cart": [12]})).metrics == {}


# Rejected


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"name": "other"}, ("unknown_event", "name", "no event is named 'other' with version 1")),
        ({"version": 2}, ("unknown_event", "name", "no event is named 'step' with version 2")),
        ({"name": "other", "version": None}, ("unknown_event", "name", "no event is named 'other'")),
        (
            {"name": "opened:alice@example.com", "version": None},
            ("unknown_event", "name", "no event has this name"),
        ),
        ({"name": "call +49 170 1234567", "version": None}, ("unknown_event", "name", "no event has this name")),
        ({"name": "account_123456", "version": None}, ("unknown_event", "name", "no event has this name")),
        ({"name": "a" * 129, "version": None}, ("unknown_event", "name", "no event has this name")),
        ({"name": "step\n", "version": None}, ("unknown_event", "name", "no event has this name")),
        ({"properties": {}}, ("missing_required", "properties.step", "is required")),
        ({"properties": {"step": None}}, ("missing_required", "properties.step", "is required")),
    ],
)
def test_an_event_that_is_not_as_planned_is_rejected(fields: dict[str, Any], expected: tuple[str, str, str]) -> None:
    outcome = process(**fields)

    assert isinstance(outcome, Rejected)
    assert violations(outcome) == [expected]
    assert not outcome


@pytest.mark.parametrize(
    ("properties", "code", "path", "message"),
    [
        ({"step": 7}, "wrong_type", "properties.step", "must be text"),
        ({"step": b"a"}, "wrong_type", "properties.step", "must be text"),
        ({"durationMs": "7"}, "wrong_type", "properties.durationMs", "must be a number"),
        ({"durationMs": True}, "wrong_type", "properties.durationMs", "must be a number"),
        ({"durationMs": Decimal(7)}, "wrong_type", "properties.durationMs", "must be a number"),
        ({"retried": 1}, "wrong_type", "properties.retried", "must be true or false"),
        ({"retried": "true"}, "wrong_type", "properties.retried", "must be true or false"),
        ({"cart": {1, 2}}, "wrong_type", "properties.cart", "must be a JSON value"),
        ({"cart": object()}, "wrong_type", "properties.cart", "must be a JSON value"),
        ({"cart": {"a": NOON}}, "wrong_type", "properties.cart", "must be a JSON value"),
        ({"cart": {1: "a"}}, "wrong_type", "properties.cart", "must be a JSON value, whose keys are text"),
        (
            {"durationMs": float("nan")},
            "unsafe_value",
            "properties.durationMs",
            "must be a finite number that a double can hold",
        ),
        (
            {"durationMs": -float("inf")},
            "unsafe_value",
            "properties.durationMs",
            "must be a finite number that a double can hold",
        ),
        (
            {"durationMs": 10**400},
            "unsafe_value",
            "properties.durationMs",
            "must be a finite number that a double can hold",
        ),
        ({"step": "a\0b"}, "unsafe_value", "properties.step", "must not contain NUL characters"),
        ({"step": "a\ud800"}, "unsafe_value", "properties.step", "must not contain lone surrogates"),
        ({"step": "a" * 65_537}, "unsafe_value", "properties.step", "must not be longer than 65536 bytes"),
        ({"step": "é" * 32_769}, "unsafe_value", "properties.step", "must not be longer than 65536 bytes"),
        ({"cart": {"a\0": 1}}, "unsafe_value", "properties.cart", "must not contain NUL characters"),
        ({"cart": ["a\ud800"]}, "unsafe_value", "properties.cart", "must not contain lone surrogates"),
        (
            {"cart": [[float("inf")]]},
            "unsafe_value",
            "properties.cart",
            "must be a finite number that a double can hold",
        ),
        ({"cart": [0] * 10_000}, "unsafe_value", "properties.cart", "must not hold more than 10000 values"),
    ],
)
def test_a_value_that_is_wrong_or_unsafe_rejects_the_event(
    properties: dict[str, object], code: str, path: str, message: str
) -> None:
    outcome = process(properties={"step": "a", **properties})

    assert isinstance(outcome, Rejected)
    assert violations(outcome) == [(code, path, message)]


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-22",
        "2026-11-22T10:00:00",
        "2026-11-22T10:00Z",
        "2026-11-22T10:00:60Z",
        "2026-02-30T10:00:00Z",
        "2026-W47-7T10:00:00Z",
        "20261122T100000Z",
        "2026-11-22T10:00:00+24:00",
        "2026-11-22T10:00:00Z\n",
        "٢٠٢٦-11-22T10:00:00Z",
        "0001-01-01T00:00:00+10:00",
        "",
        "alice@example.com",
    ],
)
def test_a_timestamp_that_is_not_rfc_3339_with_a_zone_is_rejected(text: str) -> None:
    outcome = process(properties={"step": "a", "startedAt": text})

    assert [(code, path) for code, path, _ in violations(outcome)] == [("wrong_type", "properties.startedAt")]


@pytest.mark.parametrize(
    "text", ["2026-11-22T10:00:00Z", "2026-11-22t10:00:00.123456789-02:30", "2026-11-22 10:00:00z"]
)
def test_a_timestamp_is_dispatched_as_it_was_sent(text: str) -> None:
    assert accepted(process(properties={"step": "a", "startedAt": text})).dispatch.properties["startedAt"] == text


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"id": "alice@example.com"}, "id"),
        ({"id": ""}, "id"),
        ({"id": "a" * 129}, "id"),
        ({"id": "a\n"}, "id"),
        ({"id": 7}, "id"),
        ({"name": None}, "name"),
        ({"name": ["step"]}, "name"),
        ({"version": "1"}, "version"),
        ({"version": True}, "version"),
        ({"version": 0}, "version"),
        ({"version": 10**5000}, "version"),
        ({"version": [1]}, "version"),
        ({"occurred_at": "2026-11-22T10:00:00Z"}, "occurredAt"),
        ({"occurred_at": None}, "occurredAt"),
        ({"occurred_at": dt.datetime(2026, 11, 22)}, "occurredAt"),  # noqa: DTZ001 - the zone is what is missing
        ({"occurred_at": dt.datetime(1, 1, 1, tzinfo=dt.timezone(dt.timedelta(hours=5)))}, "occurredAt"),
        ({"properties": None}, "properties"),
        ({"properties": [("step", "a")]}, "properties"),
        ({"properties": {1: "a"}}, "properties"),
        ({"properties": {f"p{number}": 1 for number in range(501)}}, "properties"),
        ({"context": None}, "context"),
        ({"context": {"userId": "u"}}, "context"),
        ({"context": context_of(user_id=7)}, "context.userId"),
        ({"context": context_of(channel=["web"])}, "context.channel"),
        ({"context": context_of(metadata=None)}, "context.metadata"),
        ({"context": context_of(metadata={1: 2})}, "context.metadata"),
    ],
    ids=lambda value: str(value)[:40] if isinstance(value, str) else None,
)
def test_an_envelope_that_cannot_be_read_is_rejected_with_the_place(fields: dict[str, Any], path: str) -> None:
    outcome = process(**fields)

    assert isinstance(outcome, Rejected)
    assert [each.path for each in outcome.violations] == [path]


def test_every_broken_part_of_an_envelope_is_reported_at_once() -> None:
    outcome = process(id="no id", version=0, context=context_of(actor=1, user_id=2))

    assert [each.path for each in outcome.violations] == ["id", "version", "context.userId", "context.actor"]


def test_all_violations_of_the_values_are_reported_at_once() -> None:
    outcome = process(properties={"durationMs": "7", "retried": 0, "nope": 1})

    assert violations(outcome) == [
        ("wrong_type", "properties.durationMs", "must be a number"),
        ("wrong_type", "properties.retried", "must be true or false"),
        ("undeclared_property", "properties.nope", "is not declared; it was left out"),
        ("missing_required", "properties.step", "is required"),
    ]


@pytest.mark.parametrize("odd", [None, 7, "step", {"name": "step"}, [], object()])
def test_what_is_no_envelope_is_rejected(odd: Any) -> None:
    assert violations(process_event(odd, compile_config(make_config()), key=KEY)) == [
        ("wrong_type", "", "must be an event in an envelope")
    ]


# Odd input of all kinds


class Loud(str):
    """Text whose every method betrays whoever calls it."""

    __slots__ = ()

    def _betray(self, *_args: object, **_kwargs: object) -> Never:
        raise RuntimeError("called")

    __str__ = __repr__ = __eq__ = __len__ = __iter__ = __contains__ = __add__ = __radd__ = encode = isascii = _betray

    def __hash__(self) -> int:
        return str.__hash__(self)


class Colour(enum.StrEnum):
    RED = "red"


class Broken(Mapping[str, object]):
    def __getitem__(self, key: str) -> Never:
        raise KeyError(key)

    def __iter__(self) -> Never:
        raise OSError("gone")

    def __len__(self) -> int:
        return 1


class Endless(Mapping[str, int]):
    def __getitem__(self, key: str) -> int:
        return 1

    def __iter__(self) -> Iterator[str]:
        return (f"p{number}" for number in iter(int, 1))

    def __len__(self) -> int:
        return 1


class Pretender:
    @property  # type: ignore[misc]  # nobody sets it
    def __class__(self) -> type[Self]:
        raise RuntimeError("called")


class FailingZone(dt.tzinfo):
    def utcoffset(self, when: dt.datetime | None) -> Never:
        raise RuntimeError("called")

    dst = tzname = utcoffset


def cyclic_list() -> list[object]:
    cycle: list[object] = []
    cycle.append(cycle)
    return cycle


def nested(depth: int) -> object:
    value: object = 1
    for _ in range(depth):
        value = [value]
    return value


@pytest.mark.parametrize(
    "fields",
    [
        {"properties": {"step": "a", "cart": cyclic_list()}},
        {"properties": {"step": "a", "cart": nested(33)}},
        {"properties": {"step": "a", "cart": nested(100_000)}},
        {"properties": {"step": Pretender()}},
        {"properties": {"step": "a", "cart": Pretender()}},
        {"properties": Broken()},
        {"properties": Endless()},
        {"properties": Pretender()},
        {"context": Context(metadata=Broken())},
        {"occurred_at": dt.datetime(2026, 11, 22, tzinfo=FailingZone())},
        {"context": Pretender()},
        {"id": Pretender()},
    ],
)
def test_hostile_input_is_rejected_and_its_code_never_runs(fields: dict[str, Any]) -> None:
    assert isinstance(process(**fields), Rejected)


def test_texts_of_subclasses_are_read_as_plain_text() -> None:
    envelope = make_envelope(
        id=Loud("event-1"),
        name=Loud("step"),
        properties={Loud("step"): Loud("a"), "cart": {Loud("k"): Colour.RED}, Loud("nope"): 1},
        context=Context(user_id=Loud("user-123"), channel=Loud("web")),
    )

    outcome = accepted(process(envelope))

    assert outcome.dispatch.properties == {"step": "a", "cart": {"k": "red"}}
    assert outcome.dispatch.context == Context(user_id=pseudonym("user-123"), channel="web")
    texts = [outcome.dispatch.id, *outcome.dispatch.properties, *outcome.dispatch.properties["cart"].values()]
    assert {type(text) for text in texts} == {str}


def test_mappings_tuples_and_numbers_of_subclasses_are_read_as_plain_values() -> None:
    class Money(float):
        pass

    class Size(enum.IntEnum):
        LARGE = 3

    properties = types.MappingProxyType(
        {"step": "a", "durationMs": Money(2.5), "cart": collections.OrderedDict(sizes=(Size.LARGE, None))}
    )

    outcome = accepted(process(properties=properties))

    assert outcome.dispatch.properties == {"step": "a", "durationMs": 2.5, "cart": {"sizes": [3, None]}}
    assert type(outcome.dispatch.properties["durationMs"]) is float
    assert type(outcome.dispatch.properties["cart"]["sizes"][0]) is int


def test_json_32_levels_deep_is_accepted() -> None:
    assert accepted(process(properties={"step": "a", "cart": nested(32)})).dispatch.properties["cart"] == nested(32)


SCALARS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(),
    st.text(st.characters(), max_size=8),
    st.binary(max_size=4),
    st.datetimes(),
    st.sampled_from([Colour.RED, Decimal("sNaN"), object, ...]),
)
NAMES = st.one_of(st.text(max_size=4), st.sampled_from(["step", "cart", "durationMs", "build"]))
ANYTHING = st.recursive(
    SCALARS,
    lambda inner: st.one_of(
        st.lists(inner, max_size=3),
        st.tuples(inner),
        st.frozensets(NAMES, max_size=2),
        st.dictionaries(st.one_of(NAMES, st.integers()), inner, max_size=3),
    ),
    max_leaves=6,
)
ANY_CONTEXT = st.builds(
    Context, user_id=ANYTHING, tenant_id=ANYTHING, channel=st.text(st.characters()), metadata=ANYTHING
)


@given(
    id=st.one_of(st.just("event-1"), ANYTHING),
    name=st.one_of(st.just("step"), ANYTHING),
    version=st.one_of(st.none(), ANYTHING),
    occurred_at=st.one_of(st.just(NOON), ANYTHING),
    properties=st.one_of(st.dictionaries(NAMES, ANYTHING), ANYTHING),
    context=st.one_of(st.just(Context(user_id="user-123")), ANY_CONTEXT, ANYTHING),
    undeclared=st.sampled_from(UndeclaredPolicy),
    privacy=st.sampled_from(PrivacyLevel),
    key=st.sampled_from([None, KEY]),
)
def test_nothing_that_an_envelope_may_hold_raises(
    undeclared: UndeclaredPolicy, privacy: PrivacyLevel, key: PseudonymKey | None, **fields: Any
) -> None:
    config = make_config(undeclared=undeclared, privacy=privacy, context_properties={"build": make_property("number")})

    outcome = process_event(Envelope(**fields), compile_config(config), key=key)

    assert isinstance(outcome, Accepted | Rejected)


@given(
    values=st.dictionaries(NAMES, ANYTHING, max_size=4),
    metadata=st.dictionaries(NAMES, ANYTHING, max_size=4),
    undeclared=st.sampled_from(UndeclaredPolicy),
    privacy=st.sampled_from(PrivacyLevel),
)
def test_what_is_accepted_can_be_written_and_read_back_as_json(
    values: dict[str, object], metadata: dict[str, object], undeclared: UndeclaredPolicy, privacy: PrivacyLevel
) -> None:
    declared = {"step": make_property("json"), "durationMs": make_property("number")}
    config = make_config(undeclared=undeclared, privacy=privacy, properties=declared, context_properties=declared)

    outcome = process(properties=values, context=Context(metadata=metadata), config=config)

    assert isinstance(outcome, Accepted | Rejected)
    if isinstance(outcome, Accepted):
        shown = [outcome.dispatch.properties, outcome.dispatch.context.metadata]
        assert json.loads(msgspec.json.encode(shown)) == shown


# Nothing is shared


def test_the_dispatch_shares_nothing_with_the_envelope() -> None:
    properties: dict[str, Any] = {"step": "a", "cart": {"items": [{"sku": "a"}]}, "nope": ["x"]}
    metadata = {"flags": ["a"]}
    config = make_config(undeclared="keep", context_properties={"flags": make_property("json")})
    before = json.dumps([properties, metadata])

    outcome = accepted(process(properties=properties, context=Context(metadata=metadata), config=config))
    shown = json.dumps([outcome.dispatch.properties, outcome.dispatch.context.metadata])
    assert json.dumps([properties, metadata]) == before
    properties["cart"]["items"].append("later")
    properties["cart"]["items"][0]["sku"] = "later"
    properties["nope"].append("later")
    metadata["flags"].append("later")

    assert json.dumps([outcome.dispatch.properties, outcome.dispatch.context.metadata]) == shown


def test_two_events_share_no_mutable_part() -> None:
    config = compile_config(make_config(privacy=PrivacyLevel.SENSITIVE, undeclared="mask"))
    envelope = make_envelope(properties={"step": "a", "cart": {"a": 1}, "nope": {"b": 1}})

    first, second = (accepted(process_event(envelope, config, key=KEY)) for _ in range(2))
    first.dispatch.properties["cart"]["x"] = 1
    first.dispatch.properties["nope"]["x"] = 1

    assert second.dispatch.properties["cart"] == {}
    assert second.dispatch.properties["nope"] == {}


def test_a_mapping_that_another_thread_changes_is_read_as_it_was_or_rejected() -> None:
    config = compile_config(make_config())
    cart: dict[str, int] = {}
    stop = threading.Event()

    def change() -> None:
        while not stop.is_set():
            for number in range(50):
                cart[f"k{number}"] = number
            cart.clear()

    thread = threading.Thread(target=change)
    thread.start()
    try:
        outcomes = [
            process_event(make_envelope(properties={"step": "a", "cart": cart}), config, key=None) for _ in range(300)
        ]
    finally:
        stop.set()
        thread.join()

    assert all(isinstance(outcome, Accepted | Rejected) for outcome in outcomes)


# Undeclared values


@pytest.mark.parametrize(
    ("policy", "shown", "expected"),
    [
        ("drop", {"step": "a"}, "is not declared; it was left out"),
        ("mask", {"step": "a", "nope": "REDACTED"}, "is not declared; its value was masked"),
        ("keep", {"step": "a", "nope": "CANARY"}, None),
    ],
)
def test_the_policy_says_what_happens_to_undeclared_properties(
    policy: str, shown: dict[str, object], expected: str | None
) -> None:
    outcome = accepted(process(properties={"step": "a", "nope": "CANARY"}, config=make_config(undeclared=policy)))

    assert outcome.dispatch.properties == shown
    found = [] if expected is None else [("undeclared_property", "properties.nope", expected)]
    assert violations(outcome) == found


def test_quarantine_rejects_the_event() -> None:
    outcome = process(properties={"step": "a", "nope": "CANARY"}, config=make_config(undeclared="quarantine"))

    assert isinstance(outcome, Rejected)
    assert violations(outcome) == [
        ("undeclared_property", "properties.nope", "is not declared; such events are held back")
    ]


@pytest.mark.parametrize(
    ("privacy", "shown"),
    [
        ("internal", {"text": "CANARY", "number": 7, "flag": True, "object": {"a": 1}}),
        ("pii", {"text": "REDACTED", "number": 7, "flag": True, "object": {}}),
        ("sensitive", {"text": "REDACTED", "number": 0, "flag": False, "object": {}}),
    ],
)
def test_undeclared_properties_that_are_kept_obey_the_privacy_level(privacy: str, shown: dict[str, object]) -> None:
    config = make_config(undeclared="keep", privacy=PrivacyLevel(privacy), properties={})
    properties = {"text": "CANARY", "number": 7, "flag": True, "object": {"a": 1}}

    outcome = accepted(process(properties=properties, config=config))

    assert outcome.dispatch.properties == shown


@pytest.mark.parametrize("policy", ["drop", "mask", "keep"])
def test_names_that_may_be_data_are_neither_shown_nor_kept(policy: str) -> None:
    names = ["alice@example.com", "Alice Smith", "tel_4917012345", "", "a" * 200, "naïve", "a\nb"]

    outcome = accepted(
        process(properties={"step": "a", **dict.fromkeys(names, 1)}, config=make_config(undeclared=policy))
    )

    assert outcome.dispatch.properties == {"step": "a"}
    assert [each.path for each in outcome.violations] == ["properties[?]"]
    assert outcome.redacted == ("context.sessionId", "context.userId", "properties[?]")


def recognise_canary(name: str, value: Any) -> bool:
    """Stands for the studio's detectors, which the core does not know."""
    return name != "step" and "CANARY" in str(value)


def test_what_is_recognised_is_masked_when_the_config_says_so() -> None:
    config = msgspec.structs.replace(
        make_config(undeclared="keep", context_properties={"page": make_property()}), mask_detected=True
    )
    sent = make_envelope(
        properties={
            "step": "CANARY",
            "cart": {"to": ["CANARY"]},
            "extra": "CANARY",
            "durationMs": 1,
            "userId": "CANARY",
        },
        context=make_context(metadata={"page": "CANARY"}),
    )

    outcome = process_event(sent, compile_config(config), key=KEY, recogniser=recognise_canary)

    kept = accepted(outcome)
    assert kept.dispatch.properties == {
        "step": "CANARY",
        "cart": {},
        "extra": "REDACTED",
        "durationMs": 1,
        "userId": "REDACTED",
    }
    assert kept.dispatch.context.metadata == {"page": "REDACTED"}
    said = "reads like personal data; it was masked"
    assert violations(kept) == [
        ("detected_personal_data", "properties.cart", said),
        ("detected_personal_data", "properties.extra", said),
        ("detected_personal_data", "context.metadata.page", said),
    ]
    assert {"properties.cart", "properties.extra", "context.metadata.page"} <= set(kept.redacted)


def test_what_is_recognised_passes_when_the_config_does_not_ask() -> None:
    sent = make_envelope(properties={"step": "a", "cart": {"to": "CANARY"}})

    outcome = process_event(sent, compile_config(make_config()), key=KEY, recogniser=recognise_canary)

    assert accepted(outcome).dispatch.properties == {"step": "a", "cart": {"to": "CANARY"}}
    assert violations(outcome) == []


def test_an_undeclared_value_that_is_unsafe_to_keep_rejects_the_event() -> None:
    outcome = process(properties={"step": "a", "nope": {1, 2}}, config=make_config(undeclared="keep"))

    assert violations(outcome) == [("wrong_type", "properties.nope", "must be a JSON value")]


# The context


def test_subjects_are_pseudonyms_that_join_with_hashed_properties() -> None:
    config = make_config(properties={"owner": make_property(redaction=make_redaction("hash"))})
    context = Context(user_id="u-1", session_id="s-1", device_id="d-1", actor="u-1")

    dispatch = accepted(process(properties={"owner": "u-1"}, context=context, config=config)).dispatch

    assert dispatch.context == Context(
        user_id=pseudonym("u-1"), session_id=pseudonym("s-1"), device_id=pseudonym("d-1"), actor=pseudonym("u-1")
    )
    assert dispatch.properties["owner"] == dispatch.context.user_id


@pytest.mark.parametrize(("privacy", "key"), [("internal", None), ("sensitive", KEY)])
def test_subjects_are_left_out_without_a_key_and_at_level_sensitive(privacy: str, key: PseudonymKey | None) -> None:
    context = Context(user_id="u-1", session_id="s-1", device_id="d-1", actor="u-1", channel="web")

    outcome = accepted(process(context=context, key=key, config=make_config(privacy=PrivacyLevel(privacy))))

    assert outcome.dispatch.context == Context(channel="web")
    hidden = {"context.userId", "context.sessionId", "context.deviceId", "context.actor"}
    assert hidden <= set(outcome.redacted)


@pytest.mark.parametrize("bad", ["alice@example.com", "Alice Smith", "-a", "a" * 129, "é", "a\n", "\ud800"])
@pytest.mark.parametrize(
    ("field", "path"),
    [
        ("tenant_id", "context.tenantId"),
        ("organization_id", "context.organizationId"),
        ("channel", "context.channel"),
    ],
)
def test_identifiers_that_might_be_personal_are_left_out_and_reported(field: str, path: str, bad: str) -> None:
    outcome = accepted(process(context=context_of(**{field: bad})))

    assert outcome.dispatch.context == Context()
    assert [(each.code.value, each.path) for each in outcome.violations] == [("unsafe_value", path)]
    assert path in outcome.redacted


def test_empty_ids_count_as_absent() -> None:
    outcome = accepted(process(context=Context(user_id="", session_id="", tenant_id="", channel="")))

    assert outcome.dispatch.context == Context()
    assert outcome.violations == ()


def test_a_subject_that_is_no_valid_unicode_is_a_pseudonym_too() -> None:
    context = accepted(process(context=Context(user_id="\ud800"))).dispatch.context

    assert context.user_id is not None
    assert context.user_id.startswith("p1_")


CONTEXT_PROPERTIES = {
    "version": make_property(),
    "build": make_property("number"),
    "ip": make_property(redaction=make_redaction("generalise")),
    "email": make_property(pii=True),
    "channel": make_property(pii=False),
    "account": make_property(pii=False, redact=True),
}
METADATA = {
    "version": "1.2",
    "build": 7,
    "ip": "203.0.113.7",
    "email": "a@example.com",
    "channel": "beta",
    "account": "a-1",
    "nope": "x",
}


@pytest.mark.parametrize(
    ("privacy", "shown"),
    [
        ("internal", {"version": "1.2", "build": 7, "channel": "beta"}),
        ("pii", {"version": "REDACTED", "build": 7, "channel": "beta"}),
        ("sensitive", {"version": "REDACTED", "build": 0, "channel": "REDACTED"}),
    ],
)
def test_metadata_follows_the_same_rules_as_properties(privacy: str, shown: dict[str, object]) -> None:
    shown |= {"ip": "203.0.113.0", "email": "REDACTED", "account": "REDACTED"}
    config = make_config(privacy=PrivacyLevel(privacy), context_properties=CONTEXT_PROPERTIES)

    outcome = accepted(process(context=Context(metadata=METADATA), config=config))

    assert outcome.dispatch.context.metadata == shown
    assert violations(outcome) == [("undeclared_context", "context.metadata.nope", "is not declared; it was left out")]


def test_metadata_is_validated() -> None:
    required = {**CONTEXT_PROPERTIES, "region": make_property(required=True)}
    config = make_config(context_properties=required)

    absent = process(context=Context(), config=config)
    wrong = process(context=Context(metadata={"region": 7, "build": "x"}), config=config)

    assert violations(absent) == [("missing_required", "context.metadata.region", "is required")]
    assert [(each.code.value, each.path) for each in wrong.violations] == [
        ("wrong_type", "context.metadata.region"),
        ("wrong_type", "context.metadata.build"),
    ]


# Dropped


def test_a_disabled_event_is_dropped_with_its_metrics() -> None:
    config = make_config()
    event = msgspec.structs.replace(config.events[0], enabled=False)

    outcome = process(config=msgspec.structs.replace(config, events=(event,)))

    assert outcome == Dropped(name="step", version=1, reason=DropReason.DISABLED, metrics={"durationMs": 2100.0})


def test_an_invalid_event_is_rejected_even_if_it_is_disabled() -> None:
    config = make_config()
    event = msgspec.structs.replace(config.events[0], enabled=False)

    outcome = process(properties={}, config=msgspec.structs.replace(config, events=(event,)))

    assert isinstance(outcome, Rejected)


def test_an_event_that_is_sampled_out_is_dropped_with_its_metrics_and_violations() -> None:
    config = make_config(sampling=Sampling(rate=0.0))

    outcome = process(properties={"step": "a", "durationMs": 3, "nope": 1}, config=config)

    assert isinstance(outcome, Dropped)
    assert outcome.reason is DropReason.SAMPLED_OUT
    assert outcome.metrics == {"durationMs": 3.0}
    assert [each.path for each in outcome.violations] == ["properties.nope"]


@pytest.mark.parametrize(
    ("conditions", "kept"),
    [
        (("properties.durationMs > 100",), True),
        (("properties.durationMs > 100", "properties.step == 'verify_email'"), True),
        (("properties.durationMs > 100", "properties.step == 'other'"), False),
        (("properties.userId == 'user-123'",), True),
        (("context.userId == 'user-123' && context.metadata.build == 7",), True),
        (("properties.retried",), False),
    ],
)
def test_the_rate_applies_when_all_conditions_hold_and_the_default_otherwise(
    conditions: tuple[str, ...], kept: bool
) -> None:
    defaults = TelemetryDefaults(
        default_sampling_rate=0.0, context_properties={"build": make_property("number"), "ip": make_property()}
    )
    event = make_event(properties=PROPERTIES, sampling=Sampling(rate=1.0, conditions=conditions))
    config = resolve_config(make_spec(event, config=defaults), installation=make_installation())

    outcome = process(config=config, context=make_context(metadata={"build": 7}))

    assert bool(outcome) is kept
    if kept:
        assert accepted(outcome).dispatch.inclusion_probability == 1.0


def test_all_events_of_a_subject_share_their_fate() -> None:
    config = compile_config(make_config(sampling=Sampling(rate=0.5)))

    kept = {
        user: {
            bool(process_event(make_envelope(id=f"e-{number}", context=Context(user_id=user)), config, key=KEY))
            for number in range(5)
        }
        for user in (f"user-{number}" for number in range(100))
    }

    assert all(len(fates) == 1 for fates in kept.values())
    assert 30 < sum(fates == {True} for fates in kept.values()) < 70


# Configs that cannot be compiled


def test_a_config_with_wrong_rates_or_conditions_is_refused_with_the_places() -> None:
    config = make_config()
    sampling = msgspec.structs.replace(
        config.events[0].sampling, rate=7.5, otherwise_rate=-1.0, conditions=("properties.step", "true")
    )
    event = msgspec.structs.replace(config.events[0], sampling=sampling)

    with pytest.raises(InvalidDocument) as raised:
        compile_config(msgspec.structs.replace(config, events=(event,)))

    assert [(error.code, error.path) for error in raised.value.errors] == [
        ("out_of_range", "events[step@1].sampling.rate"),
        ("out_of_range", "events[step@1].sampling.otherwiseRate"),
        ("invalid_condition", "events[step@1].sampling.conditions[0]"),
    ]


def test_level_sensitive_hides_even_what_a_config_forgot_to() -> None:
    config = make_config(privacy=PrivacyLevel.SENSITIVE)
    bare = {name: EffectiveProperty(type=rule.type) for name, rule in config.events[0].properties.items()}
    event = msgspec.structs.replace(config.events[0], properties=bare)

    outcome = accepted(process(config=msgspec.structs.replace(config, events=(event,))))

    assert outcome.dispatch.properties == {"step": "REDACTED", "durationMs": 0, "userId": "REDACTED"}


# Properties over all specs

SPECS = specs().filter(lambda spec: spec.events)


@given(data=st.data())
def test_valid_events_of_any_spec_are_never_rejected_for_their_values(data: st.DataObject) -> None:
    spec = data.draw(SPECS)
    config = resolve_config(spec, installation=make_installation(environment=Environment.STAGING))
    event = data.draw(st.sampled_from(spec.events))
    # The version is named, as the latest event of this name may be another one.
    envelope = msgspec.structs.replace(data.draw(envelopes_for(event)), version=event.version)

    outcome = process_event(envelope, compile_config(config), key=KEY)

    forbidden = {ViolationCode.WRONG_TYPE, ViolationCode.UNKNOWN_EVENT, ViolationCode.MISSING_REQUIRED}
    own = [each for each in outcome.violations if not each.path.startswith("context.metadata")]
    assert not forbidden.intersection(each.code for each in own)


def canaries() -> st.SearchStrategy[object]:
    """JSON whose every text, keys too, is a canary."""
    leaf = st.integers(0, 9).map("CANARY-{}@example.com".format)
    return st.recursive(leaf, lambda inner: st.one_of(st.lists(inner), st.dictionaries(leaf, inner)))


REVEALING = (RedactionStrategy.TRUNCATE, RedactionStrategy.EMAIL_DOMAIN, RedactionStrategy.GENERALISE)


@given(
    text=st.integers(0, 9).map("CANARY-{}@example.com".format),
    structured=canaries(),
    strategy=st.sampled_from([each for each in RedactionStrategy if each not in REVEALING]),
    undeclared=st.sampled_from(UndeclaredPolicy),
    privacy=st.sampled_from([PrivacyLevel.PII, PrivacyLevel.SENSITIVE]),
    key=st.sampled_from([None, KEY]),
)
def test_no_personal_text_comes_out_wherever_it_went_in(
    text: str,
    structured: object,
    strategy: RedactionStrategy,
    undeclared: UndeclaredPolicy,
    privacy: PrivacyLevel,
    key: PseudonymKey | None,
) -> None:
    redaction = make_redaction(strategy)
    properties = {
        "plain": make_property(),
        "note": make_property(redaction=redaction),
        "data": make_property("json"),
        "more": make_property("json", redaction=redaction),
        "number": make_property("number"),
    }
    config = make_config(privacy=privacy, undeclared=undeclared, properties=properties, context_properties=properties)
    values = {"plain": text, "note": text, "data": structured, "more": structured}
    strays = {"stray": structured, text: text}
    context = Context(
        **dict.fromkeys(["tenant_id", "organization_id", "user_id", "session_id", "device_id", "actor"], text),
        channel=text,
        metadata={**values, **strays},
    )
    compiled = compile_config(config)

    outcomes = [
        process_event(envelope, compiled, key=key)
        for envelope in (
            make_envelope(properties={**values, **strays}, context=context),
            make_envelope(properties={**values, "number": text}, context=context),
            make_envelope(name=text, version=None),
            make_envelope(id=text),
        )
    ]

    assert "CANARY" not in repr(outcomes)
    assert "CANARY" not in msgspec.json.encode(outcomes).decode()


@given(data=st.data(), key=st.sampled_from([None, KEY]))
def test_the_same_event_has_the_same_outcome(data: st.DataObject, key: PseudonymKey | None) -> None:
    spec = data.draw(SPECS)
    config = resolve_config(spec, installation=make_installation())
    envelope = data.draw(envelopes_for(data.draw(st.sampled_from(spec.events))))

    outcome = process_event(envelope, compile_config(config), key=key)

    assert process_event(envelope, compile_config(config), key=key) == outcome


def test_a_violation_holds_code_path_and_rule_only() -> None:
    outcome = process(properties={"step": "CANARY-7731\0"})

    assert outcome == Rejected(
        violations=(Violation(ViolationCode.UNSAFE_VALUE, "properties.step", "must not contain NUL characters"),),
        name="step",
        version=1,
    )
