"""Events that a tracker judged: under the same config they come out as they were; nothing personal gets through."""

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from telemetry.core.compiled import CompiledConfig, compile_config
from telemetry.core.config import EffectiveConfig
from telemetry.core.enums import DropReason, PrivacyLevel, UndeclaredPolicy, ViolationCode
from telemetry.core.events import Accepted, Context, Dropped, Envelope, Outcome, PseudonymKey, Rejected, Violation
from telemetry.core.observation import Observation
from telemetry.core.pipeline import process_event
from telemetry.core.pseudonyms import is_pseudonym
from telemetry.core.reported import process_report
from telemetry.core.reports import Report, ReportedOutcome, report_accepted, report_dropped, report_rejected
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import Sampling, TelemetryDefaults
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
SPECS = specs().filter(lambda spec: spec.events)
EMAIL = "alice@example.com"


def config_of(*, undeclared: str = "drop", revision: int = 7, **event: Any) -> EffectiveConfig:
    """The effective config of one event named step."""
    defaults = TelemetryDefaults(undeclared_properties=UndeclaredPolicy(undeclared))
    return resolve_config(
        make_spec(make_event(**event), config=defaults), installation=make_installation(), revision=revision
    )


def compiled_of(**fields: Any) -> CompiledConfig:
    return compile_config(config_of(**fields))


def received(report: Report) -> Report:
    """The report as it comes out of a request."""
    return msgspec.json.decode(msgspec.json.encode(report), type=Report)


def settle(report: Report, compiled: CompiledConfig, **options: Any) -> Outcome:
    """What the studio makes of a report that came over the wire."""
    report = received(report)
    taken = Envelope(
        id=report.id,
        name=report.name,
        version=report.version,
        occurred_at=report.occurred_at,
        properties=report.properties,
        context=report.context,
    )
    return process_report(taken, report, compiled, key=options.pop("key", KEY), **options)


def make_report(**fields: Any) -> Report:
    """A report of an event that was kept, as ``make_event`` declares it."""
    defaults: dict[str, Any] = {
        "id": "event-1",
        "name": "step",
        "version": 1,
        "occurred_at": NOON,
        "outcome": ReportedOutcome.ACCEPTED,
        "config_revision": 7,
        "properties": {"step": "verify_email", "durationMs": 2100, "userId": "REDACTED"},
        "redacted": ("properties.userId",),
    }
    return Report(**{**defaults, **fields})


# Under the same config


@given(data=st.data(), key=st.sampled_from([None, KEY]))
def test_what_a_tracker_accepted_comes_out_as_it_was(data: st.DataObject, key: PseudonymKey | None) -> None:
    spec = data.draw(SPECS)
    event = data.draw(st.sampled_from(spec.events))
    compiled = compile_config(resolve_config(spec, installation=make_installation()))
    envelope = replace(data.draw(envelopes_for(event)), version=event.version)
    stray: dict[str, Any] = data.draw(st.sampled_from([{}, {"stray": EMAIL}, {"stray": 7}]))
    outcome = process_event(replace(envelope, properties={**envelope.properties, **stray}), compiled, key=key)
    if not isinstance(outcome, Accepted):
        return

    settled = settle(report_accepted(outcome), compiled)

    assert isinstance(settled, Accepted)
    assert settled.dispatch == received_dispatch(outcome)
    assert settled.redacted == outcome.redacted
    assert {each.code for each in settled.violations} == {each.code for each in outcome.violations}


def received_dispatch(outcome: Accepted) -> Any:
    """The dispatch after a trip through JSON, which knows lists, but no tuples."""
    return msgspec.json.decode(msgspec.json.encode(outcome.dispatch), type=type(outcome.dispatch))


@pytest.mark.parametrize(
    "redaction",
    [
        make_redaction("mask"),
        make_redaction("drop"),
        make_redaction("null"),
        make_redaction("hash"),
        make_redaction("truncate", length=3),
        make_redaction("email_domain"),
        make_redaction("generalise"),
    ],
    ids=lambda each: each.strategy.value,
)
@pytest.mark.parametrize("key", [None, KEY], ids=["without key", "with key"])
@pytest.mark.parametrize("value", [EMAIL, "192.0.2.7", "2001:db8:1:2::3", "anything"])
def test_each_way_of_hiding_is_applied_once(redaction: Any, key: PseudonymKey | None, value: str) -> None:
    compiled = compiled_of(properties={"step": make_property(required=True, redaction=redaction)})
    outcome = process_event(make_envelope(properties={"step": value}), compiled, key=key)
    assert isinstance(outcome, Accepted)

    settled = settle(report_accepted(outcome), compiled)

    assert isinstance(settled, Accepted)
    assert settled.dispatch == outcome.dispatch


def test_what_a_tracker_dropped_counts_as_that_with_the_numbers_and_listed_values_that_are_open() -> None:
    compiled = compiled_of(
        sampling=Sampling(rate=0.0),
        properties={
            "step": make_property(allowed_values=("pay", "verify")),
            "note": make_property(),
            "durationMs": make_property("number"),
            "salary": make_property("number", redact=True),
            "retried": make_property("boolean"),
        },
    )
    properties = {"step": "pay", "note": EMAIL, "durationMs": 21, "salary": 85_000, "retried": False, "stray": EMAIL}
    envelope = make_envelope(properties=properties, context=make_context(user_id=EMAIL))
    outcome = process_event(envelope, compiled, key=KEY)
    assert isinstance(outcome, Dropped)
    seen: list[Observation] = []

    report = report_dropped(envelope, outcome, compiled, key=KEY)
    settled = settle(report, compiled, observer=seen.append)

    assert EMAIL.encode() not in msgspec.json.encode(report)
    assert b"85000" not in msgspec.json.encode(report)
    assert report.properties == {"step": "pay", "durationMs": 21.0, "retried": False}
    assert isinstance(settled, Dropped)
    assert (settled.reason, settled.metrics) == (DropReason.SAMPLED_OUT, {"durationMs": 21.0})
    assert [each.code for each in settled.violations] == [ViolationCode.UNDECLARED_PROPERTY]
    [observation] = seen
    assert set(observation.present) == {"step", "note", "durationMs", "salary", "retried"}
    assert is_pseudonym(observation.subject)


def test_a_dropped_event_of_level_sensitive_names_nobody() -> None:
    compiled = compiled_of(sampling=Sampling(rate=0.0), privacy=PrivacyLevel.SENSITIVE)
    envelope = make_envelope()
    outcome = process_event(envelope, compiled, key=KEY)
    assert isinstance(outcome, Dropped)

    report = report_dropped(envelope, outcome, compiled, key=KEY)

    assert report.context == Context()
    assert report.properties == {}


def test_what_a_tracker_rejected_counts_as_that_without_its_words() -> None:
    compiled = compiled_of()
    outcome = process_event(make_envelope(properties={"durationMs": EMAIL}), compiled, key=KEY)
    assert isinstance(outcome, Rejected)

    report = report_rejected(outcome, event_id="event-1", name="step", occurred_at=NOON, revision=7)
    settled = settle(report, compiled)

    assert settled == Rejected(
        name="step",
        version=1,
        violations=(
            Violation(ViolationCode.WRONG_TYPE, "properties.durationMs", "must be of the declared type"),
            Violation(ViolationCode.MISSING_REQUIRED, "properties.step", "is required"),
        ),
    )


def test_a_name_that_may_be_data_is_not_reported() -> None:
    outcome = process_event(make_envelope(f"opened:{EMAIL}"), compiled_of(), key=KEY)
    assert isinstance(outcome, Rejected)

    report = report_rejected(outcome, event_id="event-1", name=f"opened:{EMAIL}", occurred_at=NOON, revision=7)

    assert EMAIL.encode() not in msgspec.json.encode(report)
    assert report.name == ""


# Under another config


def test_a_config_that_was_tightened_meanwhile_hides_what_the_tracker_let_through() -> None:
    report = make_report(properties={"step": EMAIL}, redacted=(), context=Context(user_id=EMAIL))
    tightened = compiled_of(privacy=PrivacyLevel.PII)

    settled = settle(report, tightened)

    assert isinstance(settled, Accepted)
    assert settled.dispatch.properties == {"step": "REDACTED"}
    assert is_pseudonym(settled.dispatch.context.user_id)
    assert EMAIL not in repr(settled)


def test_a_level_raised_to_sensitive_names_nobody() -> None:
    report = make_report(context=Context(user_id="p1_AAAAAAAAAAAAAAAAAAAAAA"))

    settled = settle(report, compiled_of(privacy=PrivacyLevel.SENSITIVE))

    assert isinstance(settled, Accepted)
    assert settled.dispatch.context == Context()


def test_an_event_that_was_switched_off_meanwhile_is_dropped() -> None:
    config = config_of()
    off = compile_config(replace(config, events=(replace(config.events[0], enabled=False),)))

    settled = settle(make_report(), off)

    assert isinstance(settled, Dropped)
    assert settled.reason is DropReason.DISABLED


def test_a_lower_rate_does_not_sample_twice_and_the_event_keeps_the_probability_of_its_tracker() -> None:
    report = make_report(inclusion_probability=0.5, config_revision=6)

    settled = settle(report, compiled_of(sampling=Sampling(rate=0.0)))

    assert isinstance(settled, Accepted)
    assert settled.dispatch.inclusion_probability == 0.5
    assert settled.dispatch.config_revision == 6


def test_an_event_that_is_gone_is_unknown() -> None:
    settled = settle(make_report(name="gone"), compiled_of())

    assert isinstance(settled, Rejected)
    assert [each.code for each in settled.violations] == [ViolationCode.UNKNOWN_EVENT]


def test_what_stands_for_a_hidden_number_is_no_metric() -> None:
    compiled = compiled_of(
        properties={
            "step": make_property(),
            "salary": make_property("number", redact=True),
            "ms": make_property("number"),
        }
    )
    outcome = process_event(make_envelope(properties={"salary": 85_000, "ms": 7}), compiled, key=KEY)
    assert isinstance(outcome, Accepted)
    seen: list[Observation] = []

    settled = settle(report_accepted(outcome), compiled, observer=seen.append)

    assert isinstance(settled, Accepted)
    assert settled.metrics == {"ms": 7.0}
    assert (seen[0].present, seen[0].measured, seen[0].numbers) == (("salary", "ms"), ("ms",), (7.0,))


# Claims of a client


@pytest.mark.parametrize("probability", [0.0, -1.0, 1.5, 1e308])
def test_an_impossible_inclusion_probability_is_rejected(probability: float) -> None:
    settled = settle(make_report(inclusion_probability=probability), compiled_of())

    assert isinstance(settled, Rejected)


def test_a_revision_that_there_has_not_been_is_not_believed() -> None:
    settled = settle(make_report(config_revision=2**40), compiled_of())

    assert isinstance(settled, Accepted)
    assert settled.dispatch.config_revision == 7


@pytest.mark.parametrize("place", ["properties", "redacted", "path", "message", "present", "context"])
def test_a_client_that_only_claims_to_have_redacted_gets_nothing_personal_through(place: str) -> None:
    report = make_report(
        properties={"step": "verify", "userId": EMAIL, EMAIL: EMAIL, "stray": EMAIL}
        if place == "properties"
        else {"step": "verify"},
        redacted=(f"properties.{EMAIL}", EMAIL, "properties.userId") if place in ("redacted", "properties") else (),
        violations=(
            Violation(
                ViolationCode.UNDECLARED_PROPERTY,
                f"properties.{EMAIL}" if place == "path" else "properties.x",
                EMAIL if place == "message" else "is not declared",
            ),
        ),
        present=(EMAIL,) if place == "present" else (),
        context=Context(user_id=EMAIL, session_id=EMAIL, device_id=EMAIL, actor=EMAIL, channel=EMAIL, tenant_id=EMAIL)
        if place == "context"
        else Context(),
    )

    settled = settle(report, compiled_of())

    assert isinstance(settled, Accepted)
    assert EMAIL not in repr(settled)


def test_what_reads_like_personal_data_is_masked_where_the_config_says_so() -> None:
    config = config_of()
    masking = compile_config(replace(config, mask_detected=True))

    settled = settle(
        make_report(properties={"step": EMAIL}), masking, recogniser=lambda _name, value: "@" in str(value)
    )

    assert isinstance(settled, Accepted)
    assert settled.dispatch.properties == {"step": "REDACTED"}
    assert ViolationCode.DETECTED_PERSONAL_DATA in {each.code for each in settled.violations}


@given(
    properties=st.dictionaries(
        st.sampled_from(["step", "durationMs", "userId", "stray", "a b"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
            max_leaves=4,
        ),
        max_size=4,
    ),
    redacted=st.lists(st.sampled_from(["properties.step", "properties.durationMs", "properties.userId", "x"])),
    outcome=st.sampled_from(ReportedOutcome),
    undeclared=st.sampled_from(UndeclaredPolicy),
    privacy=st.sampled_from(PrivacyLevel),
)
def test_nothing_that_a_report_may_hold_raises(
    properties: dict[str, Any],
    redacted: list[str],
    outcome: ReportedOutcome,
    undeclared: UndeclaredPolicy,
    privacy: PrivacyLevel,
) -> None:
    report = make_report(properties=properties, redacted=tuple(redacted), outcome=outcome, present=("step", "x"))
    taken = Envelope(id="e", name="step", version=1, occurred_at=NOON, properties=properties, context=report.context)

    settled = process_report(taken, report, compiled_of(undeclared=undeclared, privacy=privacy), key=KEY)

    assert isinstance(settled, Accepted | Dropped | Rejected)
    if isinstance(settled, Accepted):
        msgspec.json.encode(settled.dispatch)
