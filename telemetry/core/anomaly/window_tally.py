"""What one process counts of an event in one window, for rules on the whole window; small, however much comes."""

from bisect import insort
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from math import ceil
from typing import Any, Final, NamedTuple

from telemetry.core.anomaly.rules import counted_value
from telemetry.core.enums import Statistic
from telemetry.core.spec import AnomalyRule
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["Seen", "Wanted", "WindowTally", "wanted_by"]

# Values that percentiles are read from: beyond, every second one is let go. The rank is then right to a few percent.
_MOST_VALUES: Final = 1_024
# The least hashes of subjects that are kept: the estimate is right to about 3 percent, and exact up to so many.
_MOST_HASHES: Final = 1_024
_HASH_SPACE: Final = 2.0**64
_WITHOUT_NUMBERS: Final = frozenset(
    {
        Statistic.COUNT,
        Statistic.RATE_PER_MINUTE,
        Statistic.ERROR_RATIO,
        Statistic.VIOLATION_RATE,
        Statistic.UNIQUE_SUBJECTS,
        Statistic.SHARE,
        Statistic.MISSING_SHARE,
    }
)


class Seen(NamedTuple):
    """What an event shows beside its numbers. Rules count it, and nothing of it is kept.

    ``subject`` is who did it. An event that ``is_rejected`` counts as received, and no more.
    """

    properties: Mapping[str, Any] = EMPTY_MAPPING
    subject: str | None = None
    is_rejected: bool = False
    is_violating: bool = False


class Wanted(NamedTuple):
    """What the rules of an event ask for: nothing else is counted."""

    numbers: frozenset[str]
    shares: Mapping[str, frozenset[str]]
    missing: frozenset[str]
    subjects: bool


def wanted_by(rules: Iterable[AnomalyRule]) -> Wanted:
    """What has to be counted for these rules."""
    numbers, missing, shares, subjects = set[str](), set[str](), dict[str, frozenset[str]](), False
    for rule in rules:
        metric = rule.metric or ""
        if rule.statistic not in _WITHOUT_NUMBERS:
            numbers.add(metric)
        elif rule.statistic is Statistic.SHARE:
            shares[metric] = shares.get(metric, frozenset()) | {counted_value(rule.value)}
            missing.add(metric)
        elif rule.statistic is Statistic.MISSING_SHARE:
            missing.add(metric)
        subjects = subjects or rule.statistic is Statistic.UNIQUE_SUBJECTS
    return Wanted(frozenset(numbers), shares, frozenset(missing), subjects)


class NumberTally:
    """The values of one number; percentiles come from every ``_step``-th of them."""

    __slots__ = ("_kept", "_step", "count", "maximum", "minimum", "total")

    def __init__(self) -> None:
        self.count = 0
        self.total = 0.0
        self.minimum, self.maximum = float("inf"), float("-inf")
        self._kept: list[float] = []
        self._step = 1

    def add(self, value: float) -> None:
        """One more."""
        if self.count % self._step == 0:
            self._kept.append(value)
            if len(self._kept) > _MOST_VALUES:
                self._kept = self._kept[::2]
                self._step *= 2
        self.count += 1
        self.total += value
        self.minimum, self.maximum = min(self.minimum, value), max(self.maximum, value)

    def quantile(self, rank: float) -> float | None:
        """The value at this rank (0-1), ``None`` without any; about, where there were many."""
        ordered = sorted(self._kept)
        return ordered[max(0, ceil(rank * len(ordered)) - 1)] if ordered else None


class SubjectTally:
    """About how many different subjects there were.

    Source: k minimum values. Bar-Yossef et al., Counting Distinct Elements in a Data Stream, RANDOM 2002.
    """

    __slots__ = ("_least", "_present")

    def __init__(self) -> None:
        self._least: list[int] = []
        self._present: set[int] = set()

    def add(self, subject: str) -> None:
        """One more, or one that is known."""
        digest = int.from_bytes(blake2b(subject.encode("utf-8", "surrogatepass"), digest_size=8).digest())
        if digest in self._present or (len(self._least) >= _MOST_HASHES and digest > self._least[-1]):
            return
        insort(self._least, digest)
        self._present.add(digest)
        if len(self._least) > _MOST_HASHES:
            self._present.discard(self._least.pop())

    def count(self) -> int:
        """The estimate; exact for fewer than are kept."""
        if len(self._least) < _MOST_HASHES:
            return len(self._least)
        return round((_MOST_HASHES - 1) / (self._least[-1] / _HASH_SPACE))


class WindowTally:
    """The tally of one event in one window, as ``telemetry.core.anomaly.rules.WindowSummary`` has it."""

    __slots__ = ("_numbers", "_subjects", "_wanted", "missing", "received", "rejected", "values", "violating")

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self.received = self.rejected = self.violating = 0
        self.missing: dict[str, int] = {}
        self.values: dict[str, dict[str, int]] = {}
        self._numbers: dict[str, NumberTally] = {}
        self._subjects = SubjectTally()

    @property
    def valid(self) -> int:
        """Events that kept their contract."""
        return self.received - self.rejected

    def add(self, metrics: Mapping[str, float], seen: Seen) -> None:
        """One more event; ``metrics`` are its finite numbers."""
        self.received += 1
        self.violating += seen.is_violating
        if seen.is_rejected:
            self.rejected += 1
            return
        for name in self._wanted.numbers & metrics.keys():
            self._numbers.setdefault(name, NumberTally()).add(metrics[name])
        for name in self._wanted.missing:
            if seen.properties.get(name) is None:
                self.missing[name] = self.missing.get(name, 0) + 1
        for name, texts in self._wanted.shares.items():
            text = counted_value(seen.properties.get(name))
            if text in texts:
                counts = self.values.setdefault(name, {})
                counts[text] = counts.get(text, 0) + 1
        if self._wanted.subjects and seen.subject is not None:
            self._subjects.add(seen.subject)

    def unique_subjects(self) -> int:
        """About how many subjects there were."""
        return self._subjects.count()

    def number(self, metric: str) -> NumberTally | None:
        """The values of a number; ``None`` if there were none."""
        return self._numbers.get(metric)
