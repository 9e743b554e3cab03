"""Bounds that a person set."""

from collections.abc import Sequence

import msgspec

from telemetry.core.anomaly.series import Band, Point, Side, Verdict, shown

__all__ = ["Limits"]


class Limits(msgspec.Struct, frozen=True, kw_only=True):
    """A breach is a value strictly beyond ``min`` or ``max``, in a window with at least ``minimum_sample`` events.

    Source: thresholds of the seed specification.
    """

    min: float | None = None
    max: float | None = None
    minimum_sample: int = 1

    def judge(self, history: Sequence[Point], current: Point) -> Verdict:  # noqa: ARG002 - every detector's signature
        """The verdict on ``current``; history plays no part."""
        band = Band(low=self.min, high=self.max)
        if current.sample < self.minimum_sample:
            words = f"{current.sample} of the {self.minimum_sample} events that it takes to judge"
            return Verdict(breach=None, band=band, is_judged=False, words=words)
        side = band.side_of(current.value)
        if side is Side.LOW and self.min is not None:
            words = f"{shown(current.value)} is below the minimum of {shown(self.min)}"
        elif side is Side.HIGH and self.max is not None:
            words = f"{shown(current.value)} is above the maximum of {shown(self.max)}"
        else:
            words = f"{shown(current.value)} is within the limits"
        return Verdict(breach=side, band=band, words=words)
