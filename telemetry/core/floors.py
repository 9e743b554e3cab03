"""Privacy floors: combining those of organisation and app, what they demand of an event, and what exceptions free.

A limit for one level also binds the levels that protect more. Without that, raising an event's level could free it
from a limit, and tightening would loosen.
"""

from collections.abc import Iterable
from functools import cache

from telemetry.core.config import PrivacyFloor, SamplingBounds
from telemetry.core.enums import FloorStrategy, Layer, PrivacyLevel, RedactionStrategy
from telemetry.core.layers import Wish
from telemetry.core.spec import Redaction
from telemetry.core.tightening import join_days

__all__ = ["combine_floors", "floor_redaction", "floor_retention_days"]


def combine_floors(*floors: PrivacyFloor) -> PrivacyFloor:
    """The floor that is as tight as all the given ones together; no floors give an empty one."""
    redaction: dict[PrivacyLevel, FloorStrategy] = {}
    days: dict[PrivacyLevel, int] = {}
    for floor in floors:
        for level, strategy in floor.minimum_redaction.items():
            redaction[level] = max(redaction.get(level, strategy), strategy, key=_tightness)
        for level, limit in floor.maximum_retention_days.items():
            days[level] = join_days(days.get(level, limit), limit)
    bounds = [floor.sampling for floor in floors if floor.sampling is not None]
    return PrivacyFloor(
        minimum_redaction=redaction,
        maximum_retention_days=days,
        forced_off=tuple(dict.fromkeys(name for floor in floors for name in floor.forced_off)),
        forced_on=tuple(dict.fromkeys(name for floor in floors for name in floor.forced_on)),
        sampling=_combine_bounds(bounds) if bounds else None,
        forbid_quarantine=any(floor.forbid_quarantine for floor in floors),
    )


def floor_redaction(floor: PrivacyFloor, level: PrivacyLevel) -> Wish[Redaction] | None:
    """The redaction that the floor demands at this level, with its place in the floor; ``None`` if it demands none."""
    if not floor.minimum_redaction:
        return None
    demands = [(each, floor.minimum_redaction[each]) for each in _up_to(level) if each in floor.minimum_redaction]
    if not demands:
        return None
    # Of equal demands, the one of the event's own level explains best: the last that is tightest.
    source, strategy = max(reversed(demands), key=lambda demand: _tightness(demand[1]))
    return Wish(Layer.FLOOR, f"minimumRedaction.{source}", Redaction(strategy=RedactionStrategy(strategy.value)))


def floor_retention_days(floor: PrivacyFloor, level: PrivacyLevel) -> Wish[int] | None:
    """The longest retention that the floor allows at this level, with its place in the floor; ``None`` if any."""
    if not floor.maximum_retention_days:
        return None
    limits = [
        (each, floor.maximum_retention_days[each]) for each in _up_to(level) if each in floor.maximum_retention_days
    ]
    if not limits:
        return None
    source, days = min(reversed(limits), key=lambda limit: limit[1])
    return Wish(Layer.FLOOR, f"maximumRetentionDays.{source}", days)


@cache
def _up_to(level: PrivacyLevel) -> tuple[PrivacyLevel, ...]:
    return tuple(each for each in PrivacyLevel if each.rank <= level.rank)


def _tightness(strategy: FloorStrategy) -> int:
    return tuple(FloorStrategy).index(strategy)


def _combine_bounds(bounds: Iterable[SamplingBounds]) -> SamplingBounds:
    """The common range; where ranges do not meet, the lower maximum wins, because it collects less."""
    maximum = min(bound.maximum_rate for bound in bounds)
    return SamplingBounds(minimum_rate=min(maximum, max(b.minimum_rate for b in bounds)), maximum_rate=maximum)
