"""The two sketches of a tally, as bytes that merge.

Values go into a t-digest of doubles: of the sketches that merge, it is the one whose answer depends on nothing but what
went in, so that judging a window again gives the same answer. Merged from 300 parts of 500 log-normal values, its
p95 and p99 were within 0.4 and 0.1 percent of rank. Subjects go into HyperLogLog.

As long as a t-digest would keep each value by itself, a digest holds these values instead, in an eighth to a half of
the bytes: it gives the same answers, and tells no more, for they are in ascending order as there, not as they came.
Source: Apache DataSketches, https://datasketches.apache.org/
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Any, Final

import numpy
from datasketches import hll_sketch, hll_union, tdigest_double, tgt_hll_type
from numpy.typing import NDArray

__all__ = [
    "count_subjects",
    "coupons_of",
    "digest_of",
    "merge_digests",
    "merge_subjects",
    "quantiles_of",
    "rank_of",
    "sketch_subjects",
    "without_subjects",
]

# Compression; 100 would halve the size (1.4 kB for 500 values) and double the error.
_COMPRESSION: Final = 200
# So many values a t-digest of this compression keeps one by one; of one more, it makes means.
_MOST_VALUES: Final = 157
# The first byte of a digest of values tells how each is stored; that of a t-digest is 1 or 2, the length of its head.
_DOUBLES: Final = ord("d")
_FORMS: Final[Mapping[int, numpy.dtype[Any]]] = {
    ord("H"): numpy.dtype("<u2"),
    ord("i"): numpy.dtype("<i4"),
    _DOUBLES: numpy.dtype("<f8"),
}
# The least and the greatest number of those forms that hold whole numbers alone, the narrowest first.
_ENDS: Final = {
    form: (numpy.iinfo(kind).min, numpy.iinfo(kind).max) for form, kind in _FORMS.items() if form != _DOUBLES
}

# 2^12 registers in 2 kB: one standard deviation of the estimate is 1.6 percent; up to 200 subjects it is nearly exact.
_LOG_REGISTERS: Final = 12
# How a sketch of few subjects is stored: a mode in the low bits of a byte, the number of coupons, then the coupons: of
# each subject, 4 bytes of its hash. A fuller one has registers, which many subjects share.
# Source: Apache DataSketches, ``PreambleUtil`` of the HLL sketch, the same in all of its languages.
_MODE, _LIST, _SET = 7, 0, 1
_LIST_COUNT, _LIST_START, _SET_COUNT, _SET_START, _COUPON = 6, 8, 8, 12, 4

Column = NDArray[numpy.float64]


def digest_of(values: Sequence[float] | Column) -> bytes:
    """A digest of the values; empty for none."""
    column = numpy.array(values, dtype=numpy.float64)
    if not column.size:
        return b""
    column.sort()
    return _packed(column) if column.size <= _MOST_VALUES else bytes(_of_column(column).serialize())


def merge_digests(parts: Iterable[bytes]) -> bytes:
    """One digest of all the values; the same for the same parts in the same order."""
    found = [part for part in parts if part]
    if len(found) <= 1:
        return found[0] if found else b""
    columns = [_column_of(part) for part in found if part[0] in _FORMS]
    if len(columns) == len(found):
        return digest_of(numpy.concatenate(columns))
    merged = _of_column(numpy.sort(numpy.concatenate(columns))) if columns else tdigest_double(_COMPRESSION)
    for part in found:
        if part[0] not in _FORMS:
            merged.merge(tdigest_double.deserialize(part))
    return bytes(merged.serialize())


def quantiles_of(digest: bytes, ranks: Sequence[float]) -> list[float]:
    """The values at these ranks (ratios 0-1); none for an empty digest."""
    if not digest:
        return []
    read = _read(digest)
    return [float(read.get_quantile(rank)) for rank in ranks]


def rank_of(digest: bytes, value: float) -> float:
    """The share of values (0-1) that are at most about ``value``; 0 for an empty digest."""
    return float(_read(digest).get_rank(value)) if digest else 0.0


def _read(digest: bytes) -> tdigest_double:
    return _of_column(_column_of(digest)) if digest[0] in _FORMS else tdigest_double.deserialize(digest)


def _of_column(column: Column) -> tdigest_double:
    digest = tdigest_double(_COMPRESSION)
    digest.update(column)
    return digest


def _packed(column: Column) -> bytes:
    """The values, ascending, in the narrowest form that holds each of them exactly."""
    least, greatest = column[0], column[-1]
    for form, (lowest, highest) in _ENDS.items():
        if lowest <= least and greatest <= highest:
            whole = column.astype(_FORMS[form])
            # By their bytes: the zero below zero is another one.
            if whole.astype(numpy.float64).tobytes() == column.tobytes():
                return bytes((form,)) + whole.tobytes()
            break
    return bytes((_DOUBLES,)) + column.astype(_FORMS[_DOUBLES]).tobytes()


def _column_of(digest: bytes) -> Column:
    stored: NDArray[Any] = numpy.frombuffer(digest, _FORMS[digest[0]], offset=1)
    return stored.astype(numpy.float64)


def sketch_subjects(pseudonyms: Iterable[str]) -> bytes:
    """A sketch of who there was; empty for nobody."""
    sketch = hll_sketch(_LOG_REGISTERS, tgt_hll_type.HLL_4)
    for pseudonym in pseudonyms:
        sketch.update(pseudonym)
    return b"" if sketch.is_empty() else bytes(sketch.serialize_compact())


def merge_subjects(parts: Iterable[bytes]) -> bytes:
    """One sketch of all the subjects, each counted once."""
    found = [part for part in parts if part]
    if len(found) <= 1:
        return found[0] if found else b""
    union = hll_union(_LOG_REGISTERS)
    for part in found:
        union.update(hll_sketch.deserialize(part))
    return bytes(union.get_result(tgt_hll_type.HLL_4).serialize_compact())


def count_subjects(sketch: bytes) -> int:
    """About how many subjects there were, each counted once."""
    return round(hll_sketch.deserialize(sketch).get_estimate()) if sketch else 0


def coupons_of(pseudonyms: Iterable[str]) -> frozenset[bytes]:
    """What ``without_subjects`` knows these subjects by."""
    return frozenset(sketch_subjects([each])[_LIST_START : _LIST_START + _COUPON] for each in pseudonyms)


def without_subjects(sketch: bytes, coupons: Collection[bytes]) -> bytes:
    """The sketch as if these subjects had never been in it; the very same if they are not.

    A sketch of more than some 380 subjects has no coupons any more, and stays as it is: nobody can be taken out.
    """
    mode = sketch[_MODE] & 3 if sketch else None
    if mode not in (_LIST, _SET):
        return sketch
    start = _LIST_START if mode == _LIST else _SET_START
    known = [sketch[place : place + _COUPON] for place in range(start, len(sketch), _COUPON)]
    kept = [each for each in known if each not in coupons]
    if len(kept) == len(known):
        return sketch
    if not kept:
        return b""
    head = bytearray(sketch[:start])
    if mode == _LIST:
        head[_LIST_COUNT] = len(kept)
    else:
        head[_SET_COUNT:_SET_START] = len(kept).to_bytes(4, "little")
    return bytes(head) + b"".join(kept)
