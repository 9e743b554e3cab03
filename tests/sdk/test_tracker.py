"""The tracker: the way of one event from the app's call to its providers, and the counts that stay behind."""

import asyncio
import logging
import threading
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import DropReason, PrivacyLevel, ViolationCode
from telemetry.core.errors import InvalidDocument
from telemetry.core.events import Accepted, Context, Dropped, Outcome, PseudonymKey, Rejected, Violation
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Sampling, TelemetryDefaults, TelemetrySpec
from telemetry.sdk import DeliveryStats, InMemoryProvider, TelemetryTracker, TrackerStats
from tests.core.builders import (
    NOON,
    make_event,
    make_installation,
    make_property,
    make_sigil_spec,
    make_spec,
)
from tests.sdk.servers import PATIENCE

WORKFLOW_STEP = "sigil.telemetry.workflow_step"
SEED_PROPERTIES = {"workflow": "onboarding", "step": "verify_email", "durationMs": 2100, "userId": "user-123"}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.binary() | st.datetimes() | st.uuids(),
    lambda inner: (
        st.lists(inner) | st.dictionaries(st.text() | st.integers() | st.sampled_from(["workflow", "step"]), inner)
    ),
)
KEY = PseudonymKey(epoch=1, secret=b"sixteen bytes ok")


@pytest.fixture
def memory() -> InMemoryProvider:
    return InMemoryProvider()


@pytest.fixture
def trackers() -> Iterator[list[TelemetryTracker]]:
    """Put trackers in; they are closed after the test."""
    built: list[TelemetryTracker] = []
    yield built
    for tracker in built:
        tracker.close(0.0)


def make_tracker(*specs: TelemetrySpec, **options: Any) -> TelemetryTracker:
    return TelemetryTracker(TelemetryRegistry(specs or (make_sigil_spec(),)), clock=lambda: NOON, **options)


def make_tracker_for(override: TenantOverride, **options: Any) -> TelemetryTracker:
    config = resolve_config(make_sigil_spec(), override=override, installation=make_installation(), revision=7)
    return TelemetryTracker(config=config, clock=lambda: NOON, **options)


def test_the_seeds_example_is_masked_and_handed_over(memory: InMemoryProvider) -> None:
    tracker = make_tracker(providers=[memory])

    outcome = tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES)

    assert outcome
    [dispatch] = memory.dispatches
    assert (dispatch.name, dispatch.version, dispatch.privacy) == (WORKFLOW_STEP, 1, PrivacyLevel.INTERNAL)
    assert dispatch.properties == {**SEED_PROPERTIES, "userId": "REDACTED"}
    assert dispatch.occurred_at == NOON
    assert UUID(dispatch.id).version == 7
    assert tracker.stats() == TrackerStats(
        received=1,
        accepted=1,
        sampled_out=0,
        disabled=0,
        rejected=0,
        held=0,
        hold_dropped=0,
        callback_errors=0,
        providers={"memory": DeliveryStats(sent=1)},
    )


def test_the_properties_that_the_app_passed_stay_as_they_were(memory: InMemoryProvider) -> None:
    given = dict(SEED_PROPERTIES)

    make_tracker(providers=[memory]).track(WORKFLOW_STEP, 1, given)

    assert given == SEED_PROPERTIES


def test_without_a_version_the_latest_holds(memory: InMemoryProvider) -> None:
    tracker = make_tracker(make_spec(make_event("step", 1), make_event("step", 2), version=1), providers=[memory])

    tracker.track("step", properties={"step": "verify_email"})

    assert [dispatch.version for dispatch in memory.dispatches] == [2]


def test_a_spec_registered_later_counts_from_then_on(memory: InMemoryProvider) -> None:
    registry = TelemetryRegistry()
    tracker = TelemetryTracker(registry=registry, providers=[memory])

    before = tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES)
    registry.register(make_sigil_spec())
    after = tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES)

    assert (bool(before), bool(after)) == (False, True)


@pytest.mark.parametrize("source", ["registry", "config"])
def test_an_unknown_event_is_rejected_counted_and_reported(source: str, memory: InMemoryProvider) -> None:
    heard: list[tuple[str, Violation]] = []
    options: dict[str, Any] = {"providers": [memory], "on_violation": lambda *violation: heard.append(violation)}
    tracker = make_tracker(**options) if source == "registry" else make_tracker_for(TenantOverride(), **options)

    outcome = tracker.track("sigil.telemetry.unheard_of", 1, {"step": "verify_email"})

    assert isinstance(outcome, Rejected)
    assert not outcome
    assert [(name, violation.code, violation.path) for name, violation in heard] == [
        ("sigil.telemetry.unheard_of", ViolationCode.UNKNOWN_EVENT, "name")
    ]
    assert memory.dispatches == ()
    assert tracker.stats().rejected == 1


def test_a_name_that_may_carry_data_reaches_no_callback() -> None:
    heard: list[str] = []
    tracker = make_tracker(on_violation=lambda name, violation: heard.extend((name, violation.message)))

    tracker.track("opened by alice@example.com")

    assert heard[0] == ""
    assert "alice" not in heard[1]


def test_a_disabled_event_is_dropped_and_counted(memory: InMemoryProvider) -> None:
    tracker = make_tracker_for(TenantOverride(events={WORKFLOW_STEP: EventOverride(enabled=False)}), providers=[memory])

    outcome = tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES)

    assert isinstance(outcome, Dropped)
    assert outcome.reason is DropReason.DISABLED
    assert memory.dispatches == ()
    assert tracker.stats().disabled == 1


def test_sampling_obeys_the_events_rate_and_a_subject_stays_in_or_out(memory: InMemoryProvider) -> None:
    spec = make_spec(make_event(sampling=Sampling(rate=0.5)))
    tracker = make_tracker(spec, providers=[memory], key=KEY)
    users = [f"user-{number}" for number in range(400)]

    first = [bool(tracker.track("step", 1, {"step": "one"}, {"userId": user})) for user in users]
    second = [bool(tracker.track("step", 1, {"step": "two"}, {"userId": user})) for user in users]

    assert first == second
    assert 150 < sum(first) < 250
    stats = tracker.stats()
    assert (stats.accepted, stats.sampled_out) == (2 * sum(first), 2 * (400 - sum(first)))


def test_sampling_falls_back_to_the_specs_default_rate(memory: InMemoryProvider) -> None:
    spec = make_spec(make_event(), config=TelemetryDefaults(default_sampling_rate=0.0))
    tracker = make_tracker(spec, providers=[memory])

    outcome = tracker.track("step", 1, {"step": "verify_email"})

    assert isinstance(outcome, Dropped)
    assert outcome.reason is DropReason.SAMPLED_OUT


@pytest.mark.parametrize(
    "context",
    [
        Context(user_id="user-123", session_id="session-9", channel="web"),
        {"userId": "user-123", "sessionId": "session-9", "channel": "web"},
        {"user_id": "user-123", "session_id": "session-9", "channel": "web"},
    ],
    ids=["value", "camel case", "snake case"],
)
def test_subject_ids_leave_as_pseudonyms_with_a_key_and_not_at_all_without(
    context: Context | Mapping[str, Any], memory: InMemoryProvider
) -> None:
    make_tracker(providers=[memory]).track(WORKFLOW_STEP, 1, SEED_PROPERTIES, context)
    make_tracker(providers=[memory], key=KEY).track(WORKFLOW_STEP, 1, SEED_PROPERTIES, context)

    without, with_key = (dispatch.context for dispatch in memory.dispatches)
    assert without == Context(channel="web")
    assert with_key.channel == "web"
    assert with_key.user_id is not None
    assert with_key.user_id.startswith("p1_")
    assert "user-123" not in str(memory.dispatches)
    assert "session-9" not in str(memory.dispatches)


def test_what_is_wrong_with_a_context_is_reported_and_the_event_goes_on(memory: InMemoryProvider) -> None:
    heard: list[Violation] = []
    tracker = make_tracker(providers=[memory], on_violation=lambda _name, violation: heard.append(violation))

    outcome = tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES, {"userId": ["user-123"], "nickname": "Al"})

    assert isinstance(outcome, Accepted)
    assert [violation.path for violation in outcome.violations] == ["context.userId", "context"]
    assert tuple(heard) == outcome.violations
    assert len(memory.dispatches) == 1


@pytest.mark.parametrize("event_id", ["order-1", UUID(int=7)])
def test_an_id_of_the_apps_own_is_kept(event_id: str | UUID, memory: InMemoryProvider) -> None:
    make_tracker(providers=[memory]).track(WORKFLOW_STEP, 1, SEED_PROPERTIES, event_id=event_id)

    assert memory.dispatches[0].id == str(event_id)


def test_an_instant_of_the_apps_own_is_kept(memory: InMemoryProvider) -> None:
    moment = datetime.fromisoformat("2026-11-20T10:00:00+02:00")

    make_tracker(providers=[memory]).track(WORKFLOW_STEP, 1, SEED_PROPERTIES, occurred_at=moment)

    assert memory.dispatches[0].occurred_at == moment


class Stubborn(Mapping[str, Any]):
    """A mapping that cannot be read."""

    def __repr__(self) -> str:
        return "Stubborn()"

    def __getitem__(self, key: str) -> Any:
        raise RuntimeError("alice@example.com")

    def __iter__(self) -> Iterator[str]:
        raise RuntimeError("alice@example.com")

    def __len__(self) -> int:
        return 1


@pytest.mark.parametrize(
    "arguments",
    [
        {"name": None},
        {"name": ["step"]},
        {"name": ""},
        {"version": "1"},
        {"version": [1]},
        {"version": True},
        {"version": 0},
        {"properties": [1]},
        {"properties": "alice@example.com"},
        {"properties": Stubborn()},
        {"properties": {**SEED_PROPERTIES, "durationMs": "alice@example.com"}},
        {"context": Stubborn()},
        {"event_id": ""},
        {"event_id": "alice@example.com"},
        {"event_id": 7},
        {"occurred_at": datetime(2026, 11, 22)},  # noqa: DTZ001  without a zone on purpose
        {"occurred_at": "2026-11-22T12:00:00Z"},
    ],
    ids=repr,
)
@pytest.mark.parametrize("source", ["registry", "config"])
def test_arguments_that_make_no_event_are_rejected_without_raising_or_quoting_them(
    source: str, arguments: dict[str, Any], memory: InMemoryProvider, caplog: pytest.LogCaptureFixture
) -> None:
    tracker = (
        make_tracker(providers=[memory])
        if source == "registry"
        else make_tracker_for(TenantOverride(), providers=[memory])
    )

    outcome = tracker.track(**{"name": WORKFLOW_STEP, "version": 1, "properties": SEED_PROPERTIES, **arguments})

    assert isinstance(outcome, Rejected)
    assert outcome.violations
    assert "alice" not in str(outcome) + caplog.text
    assert memory.dispatches == ()
    assert tracker.stats().rejected == 1


@pytest.mark.parametrize("broken", ["clock", "id_factory"])
def test_a_broken_clock_or_id_factory_rejects_events_and_raises_nothing(broken: str) -> None:
    def fail() -> Any:
        raise RuntimeError

    tracker = TelemetryTracker(TelemetryRegistry([make_sigil_spec()]), **{broken: fail})  # type: ignore[arg-type]

    outcome = tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES)

    assert isinstance(outcome, Rejected)
    assert [violation.code for violation in outcome.violations] == [ViolationCode.UNSAFE_VALUE]


class Failing:
    id = "failing"

    def send(self, dispatch: object) -> None:
        raise ConnectionError("alice@example.com")


class FailingLater:
    id = "failing later"

    async def send(self, dispatch: object) -> None:
        await asyncio.sleep(0)
        raise TimeoutError("alice@example.com")


def test_failing_providers_stop_nobody_and_are_reported_without_the_payload(
    memory: InMemoryProvider, trackers: list[TelemetryTracker], caplog: pytest.LogCaptureFixture
) -> None:
    errors: list[tuple[str, str]] = []
    tracker = make_tracker(
        providers=[Failing(), FailingLater(), memory], on_provider_error=lambda *error: errors.append(error)
    )
    trackers.append(tracker)

    outcome = tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES)

    assert outcome
    assert tracker.flush(PATIENCE)
    assert sorted(errors) == [("failing", "ConnectionError"), ("failing later", "TimeoutError")]
    assert len(memory.dispatches) == 1
    assert tracker.stats().providers == {
        "failing": DeliveryStats(failed=1),
        "failing later": DeliveryStats(failed=1),
        "memory": DeliveryStats(sent=1),
    }
    assert "alice" not in caplog.text


def test_an_async_app_tracks_in_the_same_words(memory: InMemoryProvider, trackers: list[TelemetryTracker]) -> None:
    tracker = make_tracker(providers=[FailingLater(), memory])
    trackers.append(tracker)

    outcome = asyncio.run(tracker.atrack(WORKFLOW_STEP, 1, SEED_PROPERTIES, {"userId": "user-123"}))

    assert outcome
    assert len(memory.dispatches) == 1
    assert tracker.stats().providers["failing later"] == DeliveryStats(failed=1)


def test_callbacks_that_raise_are_counted_and_lose_no_event(
    memory: InMemoryProvider, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(*_arguments: object) -> None:
        raise RuntimeError("alice@example.com")

    tracker = make_tracker(providers=[Failing(), memory], on_outcome=fail, on_violation=fail, on_provider_error=fail)

    outcome = tracker.track(WORKFLOW_STEP, 1, {**SEED_PROPERTIES, "nickname": "Al"})

    assert outcome
    assert len(memory.dispatches) == 1
    assert tracker.stats().callback_errors == 3
    assert "alice" not in caplog.text


def test_each_outcome_is_reported_with_its_events_id() -> None:
    heard: list[tuple[str, Outcome]] = []
    tracker = make_tracker(on_outcome=lambda event_id, outcome: heard.append((event_id, outcome)))

    kept = tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES, event_id="one")
    refused = tracker.track("sigil.telemetry.unheard_of", event_id="two")

    assert heard == [("one", kept), ("two", refused)]
    assert isinstance(kept, Accepted)
    assert isinstance(refused, Rejected)


def test_an_event_without_id_and_instant_gets_both_from_the_moment_of_the_call(memory: InMemoryProvider) -> None:
    heard: list[str] = []
    tracker = TelemetryTracker(
        TelemetryRegistry([make_sigil_spec()]), [memory], on_outcome=lambda event_id, _: heard.append(event_id)
    )
    before = datetime.now(UTC)

    outcomes = [tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES) for _ in range(300)]

    after = datetime.now(UTC)
    moments = [dispatch.occurred_at for dispatch in memory.dispatches]
    assert moments == sorted(moments)
    assert before <= moments[0] <= moments[-1] <= after
    assert [dispatch.id for dispatch in memory.dispatches] == heard
    assert len({UUID(event_id) for event_id in heard}) == 300
    assert [outcome.dispatch for outcome in outcomes if isinstance(outcome, Accepted)] == list(memory.dispatches)


def test_what_the_app_changes_after_the_call_is_not_seen_by_whoever_looks_later() -> None:
    tracker = TelemetryTracker(TelemetryRegistry([make_sigil_spec()]))
    properties: dict[str, Any] = dict(SEED_PROPERTIES)
    tracker.track(WORKFLOW_STEP, 1, properties)

    outcome = tracker.track(WORKFLOW_STEP, 1, properties)
    properties.update(step="changed", userId="alice@example.com", durationMs=0)

    assert isinstance(outcome, Accepted)
    assert outcome.dispatch.properties == {**SEED_PROPERTIES, "userId": "REDACTED"}
    assert outcome.metrics == {"durationMs": 2100.0}


def test_exactly_one_source_of_rules_is_needed() -> None:
    config = resolve_config(make_sigil_spec(), installation=make_installation())

    with pytest.raises(ValueError, match="exactly one"):
        TelemetryTracker()
    with pytest.raises(ValueError, match="exactly one"):
        TelemetryTracker(TelemetryRegistry(), config=config)


def test_a_condition_that_does_not_compile_is_refused_at_the_start() -> None:
    spec = make_spec(make_event(sampling=Sampling(rate=0.5, conditions=("properties.step >",))))

    with pytest.raises(InvalidDocument, match=r"conditions\[0\]"):
        make_tracker(spec)


def test_the_installation_salts_the_sampling() -> None:
    spec = make_spec(make_event(sampling=Sampling(rate=0.5)))
    users = [f"user-{number}" for number in range(200)]

    kept = [
        [
            bool(make_tracker(spec, installation=installation).track("step", 1, {"step": "one"}, {"userId": user}))
            for user in users
        ]
        for installation in (make_installation(), make_installation(), make_installation(sampling_salt="another"))
    ]

    assert kept[0] == kept[1] != kept[2]


def test_counts_of_many_threads_add_up(memory: InMemoryProvider) -> None:
    spec = make_spec(make_event(sampling=Sampling(rate=0.5)))
    tracker = make_tracker(spec, providers=[memory])

    def work(number: int) -> None:
        for turn in range(100):
            tracker.track("step", 1, {"step": "one"}, {"userId": f"user-{number}-{turn}"})
            tracker.track("unheard_of")

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    stats = tracker.stats()
    assert stats.received == 800
    assert stats.rejected == 400
    assert stats.accepted + stats.sampled_out == 400
    assert stats.accepted == len(memory.dispatches)
    assert stats.providers == {"memory": DeliveryStats(sent=stats.accepted)}


def test_leaving_the_block_closes_the_providers() -> None:
    class Closing(InMemoryProvider):
        closed = 0

        def shutdown(self, timeout: float) -> bool:
            self.closed += 1
            return True

    provider = Closing()

    with make_tracker(providers=[provider]) as tracker:
        tracker.track(WORKFLOW_STEP, 1, SEED_PROPERTIES)

    assert provider.closed == 1


def test_a_provider_that_cannot_finish_does_not_keep_others_from_it() -> None:
    class Slow(InMemoryProvider):
        def flush(self, timeout: float) -> bool:
            return False

        def shutdown(self, timeout: float) -> bool:
            raise RuntimeError("alice@example.com")

    class Quick(InMemoryProvider):
        finished: list[str] = []

        def flush(self, timeout: float) -> bool:
            self.finished.append("flush")
            return True

        def shutdown(self, timeout: float) -> bool:
            self.finished.append("shutdown")
            return True

    errors: list[tuple[str, str]] = []
    tracker = make_tracker(
        providers=[Slow("slow"), quick := Quick("quick")], on_provider_error=lambda *error: errors.append(error)
    )

    assert tracker.flush(PATIENCE) is False
    assert tracker.close(PATIENCE) is False
    assert quick.finished == ["flush", "shutdown"]
    assert errors == [("slow", "RuntimeError")]


def test_trackers_without_a_studio_are_ready_and_fresh() -> None:
    tracker = make_tracker()

    assert tracker.ready(0.0)
    assert tracker.refresh()
    assert tracker.config_status is None


ARGUMENTS = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("version", "properties", "context", "event_id", "occurred_at"), ANYTHING)
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(arguments=ARGUMENTS)
def test_whatever_is_passed_track_answers_and_counts_it(arguments: dict[str, Any]) -> None:
    memory = InMemoryProvider()
    tracker = make_tracker(providers=[memory])

    outcome = tracker.track(WORKFLOW_STEP, **arguments)

    assert isinstance(outcome, Accepted | Dropped | Rejected)
    stats = tracker.stats()
    assert (stats.received, stats.accepted + stats.rejected) == (1, 1)
    assert stats.accepted == len(memory.dispatches)


def test_nothing_of_an_event_is_logged(memory: InMemoryProvider, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    tracker = make_tracker(make_spec(make_event(properties={"note": make_property()})), providers=[memory])

    tracker.track("step", 1, {"note": "canary-value", "other": "canary-value"}, {"userId": "canary-value"})

    assert "canary-value" not in caplog.text
