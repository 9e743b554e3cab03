"""A window's tallies as anomaly rules read them."""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from telemetry.tallies.detail import NumberTally, TallyDetail
from telemetry.tallies.sketches import count_subjects, quantiles_of, rank_of

__all__ = ["NumberReading", "TallySummary"]


class NumberReading(msgspec.Struct, frozen=True):
    """The values of one numeric property: a ``telemetry.core.anomaly.rules.NumberSummary``."""

    tally: NumberTally

    @property
    def count(self) -> int:
        """How many values there were."""
        return self.tally.count

    @property
    def total(self) -> float:
        """Their sum."""
        return self.tally.total

    @property
    def minimum(self) -> float:
        """The least."""
        return self.tally.minimum

    @property
    def maximum(self) -> float:
        """The greatest."""
        return self.tally.maximum

    def quantile(self, rank: float) -> float | None:
        """The value at this rank (0-1); ``None`` where values are not kept."""
        return next(iter(quantiles_of(self.tally.digest, [rank])), None)


class TallySummary(NamedTuple):
    """The tallies of one event in one window: a ``telemetry.core.anomaly.rules.WindowSummary``."""

    received: int
    rejected: int
    violating: int
    detail: TallyDetail

    @property
    def valid(self) -> int:
        """Events that kept their contract."""
        return self.detail.valid

    @property
    def values(self) -> Mapping[str, Mapping[str, int]]:
        """How often each value came, by property."""
        return self.detail.values

    @property
    def missing(self) -> Mapping[str, int]:
        """Valid events without a property, by property."""
        return self.detail.missing

    def unique_subjects(self) -> int:
        """About how many subjects there were."""
        return count_subjects(self.detail.subjects)

    def number(self, metric: str) -> NumberReading | None:
        """The values of a numeric property; ``None`` if there were none, or none are kept."""
        tally = self.detail.numbers.get(metric)
        return None if tally is None or not tally.digest else NumberReading(tally)

    def above(self, metric: str, limit: float) -> int:
        """How many values of the property lay above the limit.

        Exact at every level where the config in force had the limit; for others, such as one that is only tried,
        estimated from the digest, and never nothing where the greatest value is above it.
        """
        tally = self.detail.numbers.get(metric)
        if tally is None:
            return 0
        exact = tally.beyond.get(f">{float(limit)!r}")
        if exact is not None:
            return exact
        if not tally.digest or tally.maximum <= limit:
            return 0
        return max(1, round(tally.count * (1.0 - rank_of(tally.digest, limit))))

    def below(self, metric: str, limit: float) -> int:
        """How many values of the property lay below the limit; exact or estimated as ``above``."""
        tally = self.detail.numbers.get(metric)
        if tally is None:
            return 0
        exact = tally.beyond.get(f"<{float(limit)!r}")
        if exact is not None:
            return exact
        if not tally.digest or tally.minimum >= limit:
            return 0
        return max(1, round(tally.count * rank_of(tally.digest, limit)))

    def counted(self, metric: str) -> int:
        """How many values of the property there were; exact at every level."""
        tally = self.detail.numbers.get(metric)
        return 0 if tally is None else tally.count
