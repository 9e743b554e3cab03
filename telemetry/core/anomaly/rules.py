"""From an event's anomaly rules to numbers and detectors: what a rule measures in a window, and how it is judged."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Any, Final, NamedTuple, Protocol

from telemetry.core.anomaly.level_shift import LevelShift
from telemetry.core.anomaly.limits import Limits
from telemetry.core.anomaly.seasonal import SeasonalBaseline
from telemetry.core.anomaly.series import Band, Detector, MetricKind, Side, Verdict, shown
from telemetry.core.anomaly.silence import Silence
from telemetry.core.anomaly.surprise import Surprise
from telemetry.core.defaults import DEFAULT_MINIMUM_SAMPLE
from telemetry.core.enums import AnomalyMethod, Statistic
from telemetry.core.spec import AnomalyRule, Threshold

__all__ = [
    "Measurement",
    "NumberSummary",
    "WindowSummary",
    "counted_value",
    "describe_rule",
    "detector_of",
    "judge_threshold",
    "kind_of",
    "measure",
]

_COUNTS: Final = (Statistic.COUNT, Statistic.UNIQUE_SUBJECTS)
_RATIOS: Final = (Statistic.ERROR_RATIO, Statistic.VIOLATION_RATE, Statistic.SHARE, Statistic.MISSING_SHARE)
_RANKS: Final = {Statistic.P50: 0.5, Statistic.P95: 0.95, Statistic.P99: 0.99}
_WORDS: Final = {
    Statistic.COUNT: "number of events",
    Statistic.RATE_PER_MINUTE: "events a minute",
    Statistic.ERROR_RATIO: "share of rejected events",
    Statistic.VIOLATION_RATE: "share of events with a violation",
    Statistic.UNIQUE_SUBJECTS: "number of subjects",
    Statistic.SHARE: "share of {metric} = {value}",
    Statistic.MISSING_SHARE: "share of events without {metric}",
    Statistic.MEAN: "mean of {metric}",
    Statistic.P50: "median of {metric}",
    Statistic.P95: "95th percentile of {metric}",
    Statistic.P99: "99th percentile of {metric}",
    Statistic.MIN: "least {metric}",
    Statistic.MAX: "greatest {metric}",
}


class NumberSummary(Protocol):
    """The values of one numeric property in a window."""

    @property
    def count(self) -> int: ...
    @property
    def total(self) -> float: ...
    @property
    def minimum(self) -> float: ...
    @property
    def maximum(self) -> float: ...
    def quantile(self, rank: float) -> float | None:
        """The value at this rank (0-1); ``None`` where values are not kept, as at level sensitive."""


class WindowSummary(Protocol):
    """The tallies of one event in one window, before sampling and redaction.

    ``received`` counts all events but duplicates, ``valid`` those that kept their contract. ``values`` counts, by
    property and value as text; ``missing``, by property, the valid events without it.
    """

    @property
    def received(self) -> int: ...
    @property
    def rejected(self) -> int: ...
    @property
    def violating(self) -> int: ...
    @property
    def valid(self) -> int: ...
    @property
    def values(self) -> Mapping[str, Mapping[str, int]]: ...
    @property
    def missing(self) -> Mapping[str, int]: ...
    def unique_subjects(self) -> int:
        """About how many subjects there were."""

    def number(self, metric: str) -> NumberSummary | None:
        """The values of a numeric property; ``None`` if there were none."""


class Measurement(NamedTuple):
    """What a rule reads in a window: the value, and how many events it rests on."""

    value: float
    sample: int


def counted_value(value: object) -> str:
    """The text under which tallies count a value of a property; 1 and 1.0 are one value."""
    if isinstance(value, bool):
        return str(value).lower()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def kind_of(statistic: Statistic) -> MetricKind:
    """What the statistic counts."""
    if statistic in _COUNTS:
        return MetricKind.COUNT
    return MetricKind.RATIO if statistic in _RATIOS else MetricKind.VALUE


def measure(rule: AnomalyRule, window: WindowSummary, minutes: float) -> Measurement | None:
    """What the rule reads in a window of so many minutes; ``None`` when there is nothing to read.

    An empty window has a count of 0, and no ratio, mean or percentile.
    """
    match rule.statistic:
        case Statistic.COUNT:
            return Measurement(window.received, window.received)
        case Statistic.RATE_PER_MINUTE:
            return Measurement(window.received / minutes, window.received)
        case Statistic.UNIQUE_SUBJECTS:
            return Measurement(window.unique_subjects(), window.valid)
        case Statistic.ERROR_RATIO:
            return _share(window.rejected, window.received)
        case Statistic.VIOLATION_RATE:
            return _share(window.violating, window.received)
    metric = rule.metric or ""
    if rule.statistic is Statistic.MISSING_SHARE:
        return _share(window.missing.get(metric, 0), window.valid)
    if rule.statistic is Statistic.SHARE:
        return _share(window.values.get(metric, {}).get(counted_value(rule.value), 0), _having(window, metric))
    number = window.number(metric)
    return None if number is None or not number.count else _of_numbers(rule.statistic, number)


def _share(part: int, whole: int) -> Measurement | None:
    return Measurement(part / whole, whole) if whole else None


def _having(window: WindowSummary, metric: str) -> int:
    return window.valid - window.missing.get(metric, 0)


def _of_numbers(statistic: Statistic, number: NumberSummary) -> Measurement | None:
    value: float | None
    match statistic:
        case Statistic.MEAN:
            value = number.total / number.count
        case Statistic.MIN:
            value = number.minimum
        case Statistic.MAX:
            value = number.maximum
        case _:
            value = number.quantile(_RANKS[statistic])
    return None if value is None else Measurement(value, number.count)


def detector_of(
    rule: AnomalyRule, default_minimum_sample: int | None = None, *, width: timedelta | None = None
) -> Detector:
    """What judges the rule; a setting that the rule leaves out is the method's own.

    ``width`` is that of the windows; detectors that compare many of them are quicker when they know it.
    """
    sample = rule.minimum_sample or default_minimum_sample or DEFAULT_MINIMUM_SAMPLE
    asked = {"sensitivity": rule.sensitivity, "minimum_effect": rule.minimum_effect}
    settings: dict[str, Any] = {name: setting for name, setting in asked.items() if setting is not None}
    kind = kind_of(rule.statistic)
    match rule.method:
        case AnomalyMethod.SEASONAL:
            return SeasonalBaseline(kind=kind, minimum_sample=sample, width=width, **settings)
        case AnomalyMethod.LEVEL_SHIFT:
            return LevelShift(kind=kind, minimum_sample=sample, width=width, **settings)
        case AnomalyMethod.SILENCE:
            return Silence(**({} if rule.sensitivity is None else {"certainty": rule.sensitivity}))
        case AnomalyMethod.SURPRISE:
            # A count is its own sample, and a small one may be the very surprise.
            least = 0 if kind is MetricKind.COUNT else sample
            return Surprise(minimum_sample=least, **settings)
        case _:
            least = 0 if kind is MetricKind.COUNT else sample
            return Limits(min=rule.min, max=rule.max, minimum_sample=least)


def judge_threshold(threshold: Threshold, *, below: int, above: int, sample: int, minimum_sample: int) -> Verdict:
    """The verdict on a window of single values, of which so many lay strictly ``below`` and ``above`` the bounds.

    One value beyond a bound is a breach, once the window has ``minimum_sample`` values.
    Source: thresholds of the seed specification.
    """
    band = Band(low=threshold.min, high=threshold.max)
    if sample < minimum_sample:
        words = f"{sample} of the {minimum_sample} values that it takes to judge"
        return Verdict(breach=None, band=band, is_judged=False, words=words)
    if above and threshold.max is not None:
        words = f"{above} of {sample} values are above the maximum of {shown(threshold.max)}"
        return Verdict(breach=Side.HIGH, band=band, score=above / sample, words=words)
    if below and threshold.min is not None:
        words = f"{below} of {sample} values are below the minimum of {shown(threshold.min)}"
        return Verdict(breach=Side.LOW, band=band, score=below / sample, words=words)
    return Verdict(breach=None, band=band, words=f"all {sample} values are within the limits")


def describe_rule(rule: AnomalyRule) -> str:
    """The rule in words, one sentence without a full stop."""
    what = _WORDS[rule.statistic].format(metric=rule.metric, value=counted_value(rule.value))
    match rule.method:
        case AnomalyMethod.SEASONAL:
            return f"the {what} is far from what is usual at this hour"
        case AnomalyMethod.LEVEL_SHIFT:
            return f"the {what} stays on another level than before"
        case AnomalyMethod.SILENCE:
            return "no event comes for longer than its cadence allows"
        case AnomalyMethod.SURPRISE:
            return f"the {what} is rarer than nearly all that was seen"
        case _:
            bounds = [(rule.min, "below"), (rule.max, "above")]
            return f"the {what} is " + " or ".join(f"{word} {shown(b)}" for b, word in bounds if b is not None)
