"""An override is edited event by event, and says no more than what differs."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.config import AnomalyOverride, EventOverride, SpecPointer, TenantOverride
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import FieldError
from telemetry.core.override_editing import BulkEdit, apply_bulk, own_override, with_own, without_refused
from telemetry.core.paths import key_path, split_path
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import TelemetrySpec, Threshold
from tests.core import strategies
from tests.core.builders import make_installation, make_redaction

OFF = EventOverride(enabled=False)


# Reading


def test_the_exact_version_wins_over_the_bare_name_field_by_field() -> None:
    override = TenantOverride(
        events={
            "step": EventOverride(
                enabled=False,
                sampling_rate=0.5,
                redaction={"a": make_redaction("mask"), "b": make_redaction("mask")},
                anomaly_detection=AnomalyOverride(enabled=False, minimum_sample=5),
            ),
            "step@2": EventOverride(
                enabled=True,
                sampling_rate=0.0,
                redaction={"b": make_redaction("drop")},
                anomaly_detection=AnomalyOverride(minimum_sample=9),
            ),
        }
    )

    assert own_override(override, "step", 1) == override.events["step"]
    assert own_override(override, "step", 2) == EventOverride(
        enabled=True,
        sampling_rate=0.0,
        redaction={"a": make_redaction("mask"), "b": make_redaction("drop")},
        anomaly_detection=AnomalyOverride(enabled=False, minimum_sample=9),
    )
    assert own_override(override, "other", 1) == EventOverride()


# Writing


def test_an_event_whose_versions_agree_is_written_under_its_bare_name() -> None:
    assert with_own(TenantOverride(), {("step", 1): OFF, ("step", 2): OFF}).events == {"step": OFF}


def test_a_bare_name_is_split_when_its_versions_part() -> None:
    override = TenantOverride(events={"step": EventOverride(enabled=False, privacy=PrivacyLevel.PII)})
    free = EventOverride(privacy=PrivacyLevel.PII)

    changed = with_own(override, {("step", 1): override.events["step"], ("step", 2): free})

    assert changed.events == {"step@1": override.events["step"], "step@2": free}


def test_what_does_not_change_stays_where_it_was_said() -> None:
    override = TenantOverride(events={"step": OFF, "step@2": EventOverride(sampling_rate=0.5), "gone": OFF})
    same = {("step", version): own_override(override, "step", version) for version in (1, 2)}

    assert with_own(override, same) == override


def test_an_event_that_is_reset_leaves_nothing_behind() -> None:
    override = TenantOverride(enabled=True, events={"step": OFF, "step@1": OFF, "other": OFF})

    assert with_own(override, {("step", 1): EventOverride()}) == TenantOverride(enabled=True, events={"other": OFF})


@given(strategies.overrides(), st.data())
def test_what_was_written_is_what_is_read(override: TenantOverride, data: st.DataObject) -> None:
    versions = data.draw(st.lists(st.integers(1, 3), min_size=1, unique=True))
    own = {("step", version): data.draw(strategies.event_overrides()) for version in versions}

    changed = with_own(override, own)

    empty = EventOverride(anomaly_detection=AnomalyOverride())
    for (name, version), asked in own.items():
        assert own_override(changed, name, version) == (EventOverride() if asked == empty else asked)
    others = {key: event for key, event in override.events.items() if key.partition("@")[0] != "step"}
    kept = {key: event for key, event in changed.events.items() if key.partition("@")[0] != "step"}
    assert kept == {key: event for key, event in others.items() if event not in (EventOverride(), empty)}


# In bulk


@pytest.mark.parametrize(
    ("edit", "after"),
    [
        (BulkEdit(), {"enabled": True, "sampling_rate": 0.5}),
        (BulkEdit(sampling_rate=0.0), {"enabled": True, "sampling_rate": 0.0}),
        (BulkEdit(reset=("samplingRate",)), {"enabled": True}),
        (BulkEdit(enabled=False, reset=("samplingRate", "redaction")), {"enabled": False}),
        (
            BulkEdit(anomalies_enabled=False),
            {"enabled": True, "sampling_rate": 0.5, "anomaly_detection": AnomalyOverride(enabled=False)},
        ),
        (BulkEdit(retention_days=7, reset=("enabled",)), {"sampling_rate": 0.5, "retention_days": 7}),
    ],
)
def test_an_edit_changes_what_it_names_and_nothing_else(edit: BulkEdit, after: dict[str, Any]) -> None:
    assert apply_bulk(EventOverride(enabled=True, sampling_rate=0.5), edit) == EventOverride(**after)


# Refusals


@pytest.mark.parametrize(
    ("path", "left"),
    [
        ("spec.version", {"spec": None}),
        ("events", {"events": {}}),
        ("events.step", {"events": {}}),
        ("events.step.samplingRate", {"sampling_rate": None}),
        ('events.step.redaction["a b"].length', {"redaction": {}}),
        ("events.step.anomalyDetection.thresholds[0].metric", {"anomaly_detection": AnomalyOverride(enabled=True)}),
        ("events.nothing.like.it", {}),
    ],
)
def test_a_refused_wish_goes_as_a_whole_and_alone(path: str, left: dict[str, Any]) -> None:
    event: dict[str, Any] = {
        "sampling_rate": 0.5,
        "redaction": {"a b": make_redaction("truncate", length=3)},
        "anomaly_detection": AnomalyOverride(enabled=True, thresholds=(Threshold(metric="step", max=1.0),)),
    }
    whole: dict[str, Any] = {"spec": SpecPointer(name="a", version=1), "enabled": True}
    override = TenantOverride(**whole, events={"step": EventOverride(**event)})

    found = without_refused(override, [FieldError("loosens", path, "")])

    top = {key: value for key, value in left.items() if key in ("spec", "events")}
    event |= {key: value for key, value in left.items() if key not in top}
    assert found == TenantOverride(**{**whole, "events": {"step": EventOverride(**event)}, **top})


@given(st.lists(st.one_of(strategies.property_names(), strategies.event_references(), st.text()), max_size=5))
def test_a_path_splits_into_what_it_was_made_of(keys: list[str]) -> None:
    path = ""
    for key in keys:
        path = key_path(path, key)

    assert split_path(path) == tuple(keys)


@given(strategies.specs(), strategies.overrides())
def test_what_is_left_of_an_override_resolves_as_before(spec: TelemetrySpec, override: TenantOverride) -> None:
    own = {(event.name, event.version): own_override(override, event.name, event.version) for event in spec.events}

    rewritten = with_own(TenantOverride(enabled=override.enabled), own)

    def events(given: TenantOverride) -> object:
        return resolve_config(spec, override=given, installation=make_installation()).events

    plain = TenantOverride(enabled=override.enabled, events=override.events)
    assert events(rewritten) == events(plain)
