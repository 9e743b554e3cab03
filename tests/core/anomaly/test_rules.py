"""From a rule of a spec to what it reads in a window, and to what judges it."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from telemetry.core.anomaly import LevelShift, Limits, MetricKind, SeasonalBaseline, Side, Silence, Surprise
from telemetry.core.anomaly.rules import (
    Measurement,
    NumberSummary,
    describe_rule,
    detector_of,
    judge_threshold,
    kind_of,
    measure,
)
from telemetry.core.codec import decode_spec
from telemetry.core.enums import AnomalyMethod, Statistic
from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import AnomalyRule, Threshold


@dataclass(frozen=True)
class Numbers:
    count: int = 4
    total: float = 100.0
    minimum: float = 1.0
    maximum: float = 60.0
    quantiles: Mapping[float, float] | None = None

    def quantile(self, rank: float) -> float | None:
        return None if self.quantiles is None else self.quantiles[rank]


@dataclass(frozen=True)
class Window:
    received: int = 0
    rejected: int = 0
    violating: int = 0
    valid: int = 0
    values: Mapping[str, Mapping[str, int]] = field(default_factory=dict)
    missing: Mapping[str, int] = field(default_factory=dict)
    numbers: Mapping[str, NumberSummary] = field(default_factory=dict)
    subjects: int = 0

    def unique_subjects(self) -> int:
        return self.subjects

    def number(self, metric: str) -> NumberSummary | None:
        return self.numbers.get(metric)


BUSY = Window(
    received=20,
    rejected=5,
    violating=6,
    valid=15,
    values={"ok": {"true": 9, "false": 3}},
    missing={"ok": 3},
    numbers={"ms": Numbers(quantiles={0.5: 20.0, 0.95: 55.0, 0.99: 59.0})},
    subjects=7,
)


def rule(statistic: Statistic, **fields: object) -> AnomalyRule:
    return AnomalyRule(name="rule", statistic=statistic, **fields)  # type: ignore[arg-type]  # the test's own words


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        (rule(Statistic.COUNT), (20, 20)),
        (rule(Statistic.RATE_PER_MINUTE), (4, 20)),
        (rule(Statistic.ERROR_RATIO), (0.25, 20)),
        (rule(Statistic.VIOLATION_RATE), (0.3, 20)),
        (rule(Statistic.UNIQUE_SUBJECTS), (7, 15)),
        (rule(Statistic.MISSING_SHARE, metric="ok"), (0.2, 15)),
        (rule(Statistic.SHARE, metric="ok", value=False), (0.25, 12)),
        (rule(Statistic.MEAN, metric="ms"), (25, 4)),
        (rule(Statistic.MIN, metric="ms"), (1, 4)),
        (rule(Statistic.MAX, metric="ms"), (60, 4)),
        (rule(Statistic.P50, metric="ms"), (20, 4)),
        (rule(Statistic.P95, metric="ms"), (55, 4)),
        (rule(Statistic.P99, metric="ms"), (59, 4)),
    ],
    ids=lambda asked: asked.statistic if isinstance(asked, AnomalyRule) else "",
)
def test_a_rule_reads_its_statistic_and_what_it_rests_on(asked: AnomalyRule, expected: tuple[float, int]) -> None:
    assert measure(asked, BUSY, minutes=5) == Measurement(*expected)


def test_an_empty_window_has_a_count_of_nothing_and_no_share_or_mean() -> None:
    empty = Window()

    assert measure(rule(Statistic.COUNT), empty, minutes=5) == Measurement(0, 0)
    assert measure(rule(Statistic.ERROR_RATIO), empty, minutes=5) is None
    assert measure(rule(Statistic.MEAN, metric="ms"), empty, minutes=5) is None


def test_where_no_values_are_kept_there_is_no_percentile() -> None:
    hidden = Window(received=4, valid=4, numbers={"ms": Numbers()})

    assert measure(rule(Statistic.P95, metric="ms"), hidden, minutes=5) is None


def test_each_statistic_has_a_kind_and_words() -> None:
    for statistic in Statistic:
        assert kind_of(statistic) in MetricKind
        assert "{" not in describe_rule(rule(statistic, metric="ms", value=True, max=1.0))


@pytest.mark.parametrize(
    ("asked", "detector"),
    [
        (rule(Statistic.MEAN, metric="ms", max=5.0), Limits(max=5.0, minimum_sample=10)),
        (rule(Statistic.COUNT, min=5.0), Limits(min=5.0, minimum_sample=0)),
        (
            rule(Statistic.COUNT, method=AnomalyMethod.SEASONAL, sensitivity=6.0),
            SeasonalBaseline(kind=MetricKind.COUNT, sensitivity=6.0),
        ),
        (
            rule(Statistic.MEAN, metric="ms", method=AnomalyMethod.LEVEL_SHIFT, minimum_effect=0.5, minimum_sample=30),
            LevelShift(kind=MetricKind.VALUE, minimum_effect=0.5, minimum_sample=30),
        ),
        (rule(Statistic.COUNT, method=AnomalyMethod.SILENCE), Silence()),
        (rule(Statistic.MEAN, metric="ms", method=AnomalyMethod.SURPRISE), Surprise(minimum_sample=10)),
    ],
)
def test_a_rule_is_judged_by_its_method_with_its_settings(asked: AnomalyRule, detector: object) -> None:
    assert detector_of(asked) == detector


def test_a_rule_in_words() -> None:
    assert describe_rule(rule(Statistic.P95, metric="ms", min=1.0, max=1500.0)) == (
        "the 95th percentile of ms is below 1 or above 1,500"
    )
    assert describe_rule(rule(Statistic.SHARE, metric="ok", value=False, method=AnomalyMethod.SEASONAL)) == (
        "the share of ok = false is far from what is usual at this hour"
    )


def test_ten_values_of_which_one_is_beyond_are_a_breach_and_nine_are_none() -> None:
    threshold = Threshold(metric="durationMs", max=1500.0)

    ten = judge_threshold(threshold, below=0, above=1, sample=10, minimum_sample=10)
    nine = judge_threshold(threshold, below=0, above=9, sample=9, minimum_sample=10)

    assert (ten.breach, ten.words) == (Side.HIGH, "1 of 10 values are above the maximum of 1,500")
    assert (nine.breach, nine.words) == (None, "9 of the 10 values that it takes to judge")


SPEC = """
meta: {name: shop, version: 1, title: Shop}
events:
- name: order_placed
  version: 1
  semantics: {what: An order was placed}
  privacy: internal
  properties:
    total: {type: number}
    paid: {type: boolean}
    channel: {type: string, allowedValues: [web, app]}
  anomalyDetection:
    rules:
    - RULE
"""


@pytest.mark.parametrize(
    ("written", "path", "message"),
    [
        ("{name: a, statistic: count}", "", "must have min, max or both"),
        ("{name: a, statistic: count, min: 2, max: 1}", ".min", "must not be more than max"),
        ("{name: a, statistic: mean, max: 1}", ".metric", "is required for statistics of a property"),
        ("{name: a, statistic: count, metric: total, max: 1}", ".metric", "belongs to statistics of a property only"),
        ("{name: a, statistic: mean, metric: no, max: 1}", ".metric", "must be a declared property of the event"),
        (
            "{name: a, statistic: mean, metric: paid, max: 1}",
            ".metric",
            "must be a property of type number, or json with a numeric value",
        ),
        ("{name: a, statistic: share, metric: paid, max: 1}", ".value", "is required for the statistic share"),
        (
            "{name: a, statistic: share, metric: channel, value: fax, max: 1}",
            ".value",
            "must be one of the property's allowed values, or true or false for a boolean",
        ),
        ("{name: a, statistic: count, method: seasonal, max: 1}", ".max", "belongs to the method limits only"),
        (
            "{name: a, statistic: count, max: 1, sensitivity: 3}",
            ".sensitivity",
            "belongs to methods that learn from history only",
        ),
        (
            "{name: a, statistic: mean, metric: total, method: silence}",
            ".statistic",
            "must be count for the method silence",
        ),
    ],
)
def test_a_rule_that_makes_no_sense_is_refused_at_its_place(written: str, path: str, message: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        decode_spec(SPEC.replace("RULE", written).encode())

    assert [(error.path, error.message) for error in refused.value.errors] == [
        (f"events[0].anomalyDetection.rules[0]{path}", message)
    ]


def test_two_rules_of_one_name_are_refused() -> None:
    twice = "{name: a, statistic: count, max: 1}\n    - {name: a, statistic: count, max: 2}"

    with pytest.raises(InvalidDocument) as refused:
        decode_spec(SPEC.replace("RULE", twice).encode())

    assert [error.message for error in refused.value.errors] == ["is the name of rules[0]"]
