"""Retention classes: the few lengths of time by which stored events are laid out, so that whole days can be dropped."""

from bisect import bisect_left
from datetime import date, timedelta
from enum import IntEnum
from typing import Final

__all__ = ["HOLD", "RetentionClass", "Span", "retention_class"]


class RetentionClass(IntEnum):
    """A class by the most days that an event in it is kept; the number is what rows carry.

    ``CENTURY`` is for what outlives two years; a century is the longest retention that a spec may ask for.
    ``HOLD`` is for what a legal hold keeps, without an end.
    """

    HOLD = 0
    WEEK = 7
    MONTH = 30
    QUARTER = 90
    HALF_YEAR = 180
    YEAR = 365
    TWO_YEARS = 730
    CENTURY = 36_500


HOLD: Final = RetentionClass.HOLD
_BY_DAYS: Final = tuple(each for each in RetentionClass if each is not HOLD)


class Span(IntEnum):
    """The length of one partition, in words of the calendar."""

    DAY = 1
    WEEK = 7
    MONTH = 30

    def start_of(self, day: date) -> date:
        """The first day of the span that holds the day; weeks begin on Monday."""
        if self is Span.DAY:
            return day
        if self is Span.WEEK:
            return day - timedelta(days=day.weekday())
        return day.replace(day=1)

    def after(self, start: date) -> date:
        """The first day of the next span; ``start`` is the first of its own."""
        if self is Span.MONTH:
            return (start + timedelta(days=31)).replace(day=1)
        return start + timedelta(days=int(self))


def retention_class(days: int) -> RetentionClass:
    """The smallest class that keeps events for ``days``; raises ``ValueError`` beyond a century and below a day."""
    if not 1 <= days <= RetentionClass.CENTURY:
        raise ValueError("retention is between 1 and 36,500 days")
    return _BY_DAYS[bisect_left(_BY_DAYS, days)]
