"""The lattice of "tighter": for each privacy rule, the least value that protects as much as both of two values.

Every ``join`` here is associative, commutative and idempotent, so the order of layers cannot loosen anything.
``None`` always means "no rule". For redaction, *a* is at least as tight as *b* when the output of *a* can be computed
from the output of *b*: month from day, three characters from five, a mask from anything but a dropped value.
"""

from fractions import Fraction
from math import lcm
from typing import Final

from telemetry.core.enums import PrivacyLevel, RedactionStrategy, RetentionPolicy, TimeUnit, UndeclaredPolicy
from telemetry.core.spec import Redaction

__all__ = ["MASK", "join_days", "join_level", "join_policy", "join_redaction", "join_undeclared"]

MASK: Final = Redaction(strategy=RedactionStrategy.MASK)

# What hides a value entirely, from loose to tight. Each of these is tighter than every strategy not listed here.
_TOTAL: Final = (RedactionStrategy.MASK, RedactionStrategy.NULL, RedactionStrategy.DROP)
_UNDECLARED: Final = (
    UndeclaredPolicy.KEEP,
    UndeclaredPolicy.MASK,
    UndeclaredPolicy.DROP,
    UndeclaredPolicy.QUARANTINE,
)
# Wider ranges than this say nothing about a number any more, and stay exact in a double: 2**53.
_WIDEST_BUCKET: Final = 9_007_199_254_740_992


def join_level(first: PrivacyLevel, second: PrivacyLevel) -> PrivacyLevel:
    """The level that protects more."""
    return max(first, second, key=lambda level: level.rank)


def join_days(first: int, second: int) -> int:
    """The shorter retention, in days."""
    return min(first, second)


def join_policy(first: RetentionPolicy, second: RetentionPolicy) -> RetentionPolicy:
    """``delete`` when either deletes: an archive keeps personal data longer."""
    return RetentionPolicy.DELETE if RetentionPolicy.DELETE in (first, second) else RetentionPolicy.ARCHIVE


def join_undeclared(first: UndeclaredPolicy, second: UndeclaredPolicy) -> UndeclaredPolicy:
    """The policy that lets less of an undeclared property through."""
    return max(first, second, key=_UNDECLARED.index)


def join_redaction(first: Redaction | None, second: Redaction | None) -> Redaction | None:
    """The least redaction that reveals no more than either; two partial ones that differ in kind join to a mask."""
    if first is None or second is None:
        return first if second is None else second
    if first.strategy in _TOTAL or second.strategy in _TOTAL:
        return max(first, second, key=_total_rank)
    if first.strategy is not second.strategy:
        return MASK
    if first.strategy is RedactionStrategy.TRUNCATE:
        return min(first, second, key=_kept_length)
    if first.strategy is RedactionStrategy.GENERALISE:
        return _join_generalise(first, second)
    return first


def _total_rank(redaction: Redaction) -> int:
    return _TOTAL.index(redaction.strategy) if redaction.strategy in _TOTAL else -1


def _kept_length(redaction: Redaction) -> int:
    return redaction.length or 0


def _join_generalise(first: Redaction, second: Redaction) -> Redaction:
    if first == second:
        return first
    if first.unit is not None and second.unit is not None:
        return first if first.unit is TimeUnit.MONTH else second
    if first.bucket is not None and second.bucket is not None:
        return _join_buckets(first.bucket, second.bucket)
    return MASK


def _join_buckets(first: float, second: float) -> Redaction:
    """Ranges that both widths divide: the least common multiple, exact because decimal text is read as a fraction."""
    left, right = Fraction(str(first)), Fraction(str(second))
    width = Fraction(
        lcm(left.numerator * right.denominator, right.numerator * left.denominator),
        left.denominator * right.denominator,
    )
    if width > _WIDEST_BUCKET:
        return MASK
    return Redaction(strategy=RedactionStrategy.GENERALISE, bucket=float(width))
