"""Several tallies as one: counts are added exactly, sketches merged."""

from collections import Counter
from collections.abc import Iterable, Sequence

from telemetry.tallies.detail import NumberTally, TallyDetail
from telemetry.tallies.sketches import merge_digests, merge_subjects

__all__ = ["merge_details"]


def merge_details(parts: Iterable[TallyDetail]) -> TallyDetail:
    """What all parts hold together."""
    found = list(parts)
    if len(found) == 1:
        return found[0]
    numbers: dict[str, list[NumberTally]] = {}
    values: dict[str, Counter[str]] = {}
    missing: Counter[str] = Counter()
    for part in found:
        for name, number in part.numbers.items():
            numbers.setdefault(name, []).append(number)
        for name, counts in part.values.items():
            values.setdefault(name, Counter()).update(counts)
        missing.update(part.missing)
    return TallyDetail(
        valid=sum(part.valid for part in found),
        numbers={name: _merge_numbers(several) for name, several in numbers.items()},
        values={name: dict(counts) for name, counts in values.items()},
        missing=dict(missing),
        subjects=merge_subjects(part.subjects for part in found),
    )


def _merge_numbers(parts: Sequence[NumberTally]) -> NumberTally:
    beyond: Counter[str] = Counter()
    for part in parts:
        beyond.update(part.beyond)
    # Parts without a digest, of level sensitive, have no ends either.
    shown = [part for part in parts if part.digest]
    return NumberTally(
        count=sum(part.count for part in parts),
        total=sum(part.total for part in parts),
        minimum=min((part.minimum for part in shown), default=0.0),
        maximum=max((part.maximum for part in shown), default=0.0),
        digest=merge_digests(part.digest for part in parts),
        beyond=dict(beyond),
    )
