"""Exceptions from a privacy floor: which of its limits they free, for which events, and what holds instead.

An exception only ever loosens, and only what the floor adds: what the spec itself says of an event stays.
"""

from collections.abc import Iterable
from typing import TypeVar

from telemetry.core.config import FloorException
from telemetry.core.enums import FloorLimit, FloorStrategy, Layer, PrivacyLevel, RedactionStrategy
from telemetry.core.errors import FieldError
from telemetry.core.layers import Wish, event_reference
from telemetry.core.spec import Redaction
from telemetry.core.tightening import join_days, join_redaction

__all__ = ["EventExceptions", "check_exception", "exception_path"]

T = TypeVar("T")

_BY_LEVEL = (FloorLimit.MINIMUM_REDACTION, FloorLimit.MAXIMUM_RETENTION_DAYS)
_FORCED = (FloorLimit.FORCED_OFF, FloorLimit.FORCED_ON)
# The one field that may say what holds instead of each limit.
_INSTEAD = {
    FloorLimit.MINIMUM_REDACTION: "redaction",
    FloorLimit.MAXIMUM_RETENTION_DAYS: "retentionDays",
    FloorLimit.MINIMUM_RATE: "samplingRate",
    FloorLimit.MAXIMUM_RATE: "samplingRate",
}


def exception_path(exception: FloorException) -> str:
    """How provenance names what the exception frees: ``exceptions[7].maximumRetentionDays.pii``."""
    level = "" if exception.level is None else f".{exception.level}"
    return f"exceptions[{exception.number}].{exception.limit}{level}"


def check_exception(exception: FloorException) -> tuple[FieldError, ...]:
    """Every field that does not fit the limit: codes ``missing_key`` and ``does_not_fit``."""
    found: list[FieldError] = []
    if exception.limit in _BY_LEVEL and exception.level is None:
        found.append(FieldError("missing_key", "level", f"{exception.limit} goes by privacy level: name one"))
    if exception.limit not in _BY_LEVEL and exception.level is not None:
        found.append(FieldError("does_not_fit", "level", f"{exception.limit} does not go by privacy level"))
    if exception.limit in _FORCED and not exception.events:
        found.append(FieldError("missing_key", "events", "name the events that are free to be turned on or off"))
    given = {
        "redaction": exception.redaction,
        "retentionDays": exception.retention_days,
        "samplingRate": exception.sampling_rate,
    }
    fitting = _INSTEAD.get(exception.limit)
    found += [
        FieldError("does_not_fit", name, f"says nothing in place of {exception.limit}")
        for name, value in given.items()
        if value is not None and name != fitting
    ]
    return tuple(found)


class EventExceptions:
    """What the exceptions free for one event at its final privacy level.

    Each method takes the settled ``value`` and the floor's ``limit`` for it, and returns what the loosest exception
    makes of the value, or ``None`` if no exception applies.
    """

    def __init__(self, exceptions: Iterable[FloorException], name: str, version: int) -> None:
        references = {name, event_reference(name, version)}
        self._found = [each for each in exceptions if not each.events or not references.isdisjoint(each.events)]

    def forced(self, limit: FloorLimit, value: bool) -> Wish[bool] | None:
        """The value itself: nobody forces it."""
        return self._wish(next(iter(self._of(limit)), None), value)

    def redaction(
        self, value: Redaction | None, limit: FloorStrategy, level: PrivacyLevel
    ) -> Wish[Redaction | None] | None:
        """The value, joined with the looser redaction that the exception asks for, if it asks for one."""
        found = self._of(FloorLimit.MINIMUM_REDACTION, level)
        loosest = min(found, key=lambda each: _tightness(each.redaction), default=None)
        if loosest is None or loosest.redaction is None:
            return self._wish(loosest, value)
        least = min(loosest.redaction, limit, key=_tightness)
        return self._wish(loosest, join_redaction(value, Redaction(strategy=RedactionStrategy(least.value))))

    def retention_days(self, value: int, limit: int, level: PrivacyLevel) -> Wish[int] | None:
        """The value, or the longer limit of the exception where it has one and the value is longer still (days)."""
        found = self._of(FloorLimit.MAXIMUM_RETENTION_DAYS, level)
        loosest = max(found, key=lambda each: each.retention_days or value, default=None)
        if loosest is None or loosest.retention_days is None:
            return self._wish(loosest, value)
        return self._wish(loosest, join_days(value, max(limit, loosest.retention_days)))

    def minimum_rate(self, value: float, limit: float) -> Wish[float] | None:
        """The value, or the lower bound of the exception where the value is lower still (ratio 0-1)."""
        found = self._of(FloorLimit.MINIMUM_RATE)
        loosest = min(found, key=lambda each: each.sampling_rate or 0.0, default=None)
        bound = 0.0 if loosest is None or loosest.sampling_rate is None else min(limit, loosest.sampling_rate)
        return self._wish(loosest, max(value, bound))

    def maximum_rate(self, value: float, limit: float) -> Wish[float] | None:
        """The value, or the higher bound of the exception where the value is higher still (ratio 0-1)."""
        found = self._of(FloorLimit.MAXIMUM_RATE)
        loosest = max(found, key=lambda each: 1.0 if each.sampling_rate is None else each.sampling_rate, default=None)
        bound = 1.0 if loosest is None or loosest.sampling_rate is None else max(limit, loosest.sampling_rate)
        return self._wish(loosest, min(value, bound))

    def _of(self, limit: FloorLimit, level: PrivacyLevel | None = None) -> list[FloorException]:
        return [each for each in self._found if each.limit is limit and each.level is level]

    def _wish(self, exception: FloorException | None, value: T) -> Wish[T] | None:
        return None if exception is None else Wish(Layer.EXCEPTION, exception_path(exception), value)


def _tightness(strategy: FloorStrategy | None) -> int:
    """Larger for what hides more; nothing hides least."""
    return -1 if strategy is None else tuple(FloorStrategy).index(strategy)
