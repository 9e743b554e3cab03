"""Rounding values of hidden properties before they are tallied, so that a tally of one event does not give one away."""

from math import floor, isfinite, log10

__all__ = ["rounded"]

# Two digits: an error of at most 5 percent, too coarse for a salary or a birthday, fine enough for a trend.
_DIGITS = 2


def rounded(value: float) -> float:
    """The value to two significant decimal digits."""
    if value == 0 or not isfinite(value):
        return value
    number = round(value, _DIGITS - 1 - floor(log10(abs(value))))
    # The largest doubles may round up to infinity.
    return number if isfinite(number) else value
