"""An exception frees what it names, nothing else, and never more than the spec allows."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from telemetry.core.config import (
    AppBlueprint,
    EffectiveConfig,
    EventOverride,
    FloorException,
    PrivacyFloor,
    Provenance,
    SamplingBounds,
    TenantOverride,
)
from telemetry.core.enums import FloorLimit, FloorStrategy, Layer, PrivacyLevel, RedactionStrategy
from telemetry.core.floor_exceptions import check_exception
from telemetry.core.layers import event_reference
from telemetry.core.resolution import find_loosening, resolve_config
from telemetry.core.spec import Redaction, Retention, Sampling, TelemetrySpec
from telemetry.core.tightening import join_redaction
from tests.core import strategies
from tests.core.builders import make_event, make_installation, make_property, make_spec

PII, SENSITIVE = PrivacyLevel.PII, PrivacyLevel.SENSITIVE
DAYS = FloorLimit.MAXIMUM_RETENTION_DAYS
FLOOR = PrivacyFloor(
    minimum_redaction={PII: FloorStrategy.DROP},
    maximum_retention_days={PII: 30},
    forced_off=("off",),
    forced_on=("on",),
    sampling=SamplingBounds(minimum_rate=0.2, maximum_rate=0.8),
)
YEAR = Retention(days=365)


def resolve(spec: TelemetrySpec, *exceptions: FloorException, **layers: Any) -> EffectiveConfig:
    given = {"floor": FLOOR, **layers}
    return resolve_config(spec, **given, exceptions=exceptions, installation=make_installation())


def exception(limit: FloorLimit, **fields: Any) -> FloorException:
    return FloorException(limit=limit, **{"number": 7, **fields})


def test_a_longer_retention_is_allowed_to_the_events_of_the_level_alone() -> None:
    spec = make_spec(
        make_event("mail", privacy=PII, retention=YEAR), make_event("health", privacy=SENSITIVE, retention=YEAR)
    )

    config = resolve(spec, exception(DAYS, level=PII, retention_days=180))

    assert [event.retention.days for event in config.events] == [180, 30]
    assert config.provenance["events[mail@1].retention.days"] == Provenance(
        layer=Layer.EXCEPTION, path="exceptions[7].maximumRetentionDays.pii", limited=(Layer.EVENT,)
    )
    assert config.provenance["events[health@1].retention.days"].layer is Layer.FLOOR


def test_a_limit_that_is_lifted_leaves_what_the_spec_says() -> None:
    spec = make_spec(make_event("mail", privacy=PII, retention=YEAR))
    override = TenantOverride(events={"mail": EventOverride(retention_days=400)})

    config = resolve(spec, exception(DAYS, level=PII), override=override)

    assert config.events[0].retention.days == 365
    assert config.provenance["events[mail@1].retention.days"] == Provenance(
        layer=Layer.EXCEPTION, path="exceptions[7].maximumRetentionDays.pii", limited=(Layer.TENANT,)
    )


def test_an_exception_that_is_not_used_leaves_no_trace() -> None:
    spec = make_spec(make_event("mail", privacy=PII, retention=Retention(days=14)))

    assert resolve(spec, exception(DAYS, level=PII)) == resolve(spec)


def test_an_exception_that_is_tighter_than_the_limit_does_not_tighten() -> None:
    spec = make_spec(make_event("mail", privacy=PII, retention=YEAR))

    assert resolve(spec, exception(DAYS, level=PII, retention_days=3)) == resolve(spec)


def test_the_redaction_of_the_exception_takes_the_place_of_the_floors() -> None:
    spec = make_spec(make_event("mail", privacy=PII, properties={"id": make_property(redaction=HASH)}))

    hashed = resolve(spec, exception(FloorLimit.MINIMUM_REDACTION, level=PII, redaction=FloorStrategy.HASH))
    masked = resolve(spec, exception(FloorLimit.MINIMUM_REDACTION, level=PII, redaction=FloorStrategy.MASK))

    assert hashed.events[0].properties["id"].redaction == HASH
    assert masked.events[0].properties["id"].redaction == Redaction(strategy=RedactionStrategy.MASK)
    assert resolve(spec).events[0].properties["id"].redaction == Redaction(strategy=RedactionStrategy.DROP)


def test_forced_events_are_free_by_name_and_forced_off_still_wins_over_on() -> None:
    spec = make_spec(make_event("off"), make_event("on"), make_event("on", 2))
    override = TenantOverride(events={"on": EventOverride(enabled=False)})

    config = resolve(
        spec,
        exception(FloorLimit.FORCED_OFF, events=("off",)),
        exception(FloorLimit.FORCED_ON, events=("on@2",)),
        override=override,
    )

    assert [event.enabled for event in config.events] == [True, True, False]
    assert config.provenance["events[off@1].enabled"].layer is Layer.EXCEPTION
    assert config.provenance["events[on@1].enabled"].layer is Layer.FLOOR
    both = PrivacyFloor(forced_off=("on",), forced_on=("on",))
    assert not any(event.enabled for event in resolve(make_spec(make_event("on")), floor=both).events)


@pytest.mark.parametrize(
    ("rate", "free", "settled"),
    [
        (0.1, exception(FloorLimit.MINIMUM_RATE), 0.1),
        (0.1, exception(FloorLimit.MINIMUM_RATE, sampling_rate=0.15), 0.15),
        (1.0, exception(FloorLimit.MAXIMUM_RATE), 1.0),
        (1.0, exception(FloorLimit.MAXIMUM_RATE, sampling_rate=0.9), 0.9),
        (1.0, exception(FloorLimit.MINIMUM_RATE), 0.8),
    ],
)
def test_the_bounds_of_sampling_move(rate: float, free: FloorException, settled: float) -> None:
    spec = make_spec(make_event(sampling=Sampling(rate=rate)))

    assert resolve(spec, free).events[0].sampling.rate == settled


def test_the_loosest_of_several_exceptions_counts() -> None:
    spec = make_spec(make_event("mail", privacy=PII, retention=YEAR))

    config = resolve(
        spec,
        exception(DAYS, level=PII, retention_days=60, number=1),
        exception(DAYS, level=PII, retention_days=90, number=2),
    )

    assert config.events[0].retention.days == 90
    assert config.provenance["events[mail@1].retention.days"].path.startswith("exceptions[2]")


def test_a_wish_that_the_exception_allows_is_no_loosening() -> None:
    spec = make_spec(make_event("mail", privacy=PII, retention=YEAR))
    override = TenantOverride(events={"mail": EventOverride(retention_days=90)})

    assert find_loosening(spec, None, override, FLOOR) != ()
    assert find_loosening(spec, None, override, FLOOR, (exception(DAYS, level=PII),)) == ()


@pytest.mark.parametrize(
    ("fields", "paths"),
    [
        ({"limit": DAYS}, ["level"]),
        ({"limit": FloorLimit.MINIMUM_RATE, "level": PII}, ["level"]),
        ({"limit": FloorLimit.FORCED_ON}, ["events"]),
        ({"limit": FloorLimit.FORCED_ON, "events": ("on",), "sampling_rate": 0.5}, ["samplingRate"]),
        (
            {"limit": DAYS, "level": PII, "redaction": FloorStrategy.HASH, "sampling_rate": 1.0},
            ["redaction", "samplingRate"],
        ),
        ({"limit": DAYS, "level": PII, "retention_days": 180}, []),
    ],
)
def test_fields_that_do_not_fit_the_limit_are_named(fields: dict[str, Any], paths: list[str]) -> None:
    assert [error.path for error in check_exception(FloorException(**fields))] == paths


HASH = Redaction(strategy=RedactionStrategy.HASH)
LAYERS = (strategies.specs(), strategies.blueprints(), strategies.overrides(), strategies.floors())


@given(*LAYERS, st.lists(strategies.floor_exceptions(), max_size=3))
def test_no_config_is_weaker_than_its_floor_but_where_an_exception_says_so(
    spec: TelemetrySpec,
    blueprint: AppBlueprint,
    override: TenantOverride,
    floor: PrivacyFloor,
    exceptions: list[FloorException],
) -> None:
    layers: dict[str, Any] = {"blueprint": blueprint, "override": override}
    bound = resolve(spec, floor=floor, **layers)
    freed = resolve(spec, *exceptions, floor=floor, **layers)
    unbound = resolve(spec, floor=PrivacyFloor(), **layers)

    for held, event, free in zip(bound.events, freed.events, unbound.events, strict=True):
        # Between the floor and what holds without one, which the spec bounds in turn.
        assert held.retention.days <= event.retention.days <= free.retention.days
        for name, each in event.properties.items():
            assert join_redaction(each.redaction, free.properties[name].redaction) == each.redaction
            assert join_redaction(held.properties[name].redaction, each.redaction) == held.properties[name].redaction
        assert event.enabled in (held.enabled, free.enabled)
        references = {event.name, event_reference(event.name, event.version)}
        mine = [each for each in exceptions if not each.events or references & set(each.events)]
        if not [each for each in mine if each.level in (None, event.privacy)]:
            assert event == held


@given(*LAYERS)
def test_exceptions_from_an_empty_floor_change_nothing(
    spec: TelemetrySpec, blueprint: AppBlueprint, override: TenantOverride, floor: PrivacyFloor
) -> None:
    everything = [
        FloorException(limit=limit, level=level, number=1)
        for limit in (FloorLimit.MINIMUM_REDACTION, DAYS)
        for level in PrivacyLevel
    ]
    layers: dict[str, Any] = {"blueprint": blueprint, "override": override}

    assert resolve(spec, *everything, floor=PrivacyFloor(), **layers) == resolve(spec, floor=PrivacyFloor(), **layers)
    lifted = resolve(spec, *everything, floor=replace(floor, forced_off=(), forced_on=(), sampling=None), **layers)
    unbound = resolve(spec, floor=PrivacyFloor(), **layers)
    assert lifted.events == unbound.events
