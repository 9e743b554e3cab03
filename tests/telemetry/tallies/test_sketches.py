"""Digests of few values answer as t-digests do, and merge with them; a sketch of few subjects forgets one of them."""

from random import Random

import pytest
from datasketches import tdigest_double
from hypothesis import given
from hypothesis import strategies as st

from telemetry.tallies.sketches import (
    count_subjects,
    coupons_of,
    digest_of,
    merge_digests,
    merge_subjects,
    quantiles_of,
    rank_of,
    sketch_subjects,
    without_subjects,
)
from tests.core import strategies

assert strategies  # Its import sets the profile of the property tests.

RANKS = [0.0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1.0]
# What a digest of this compression gives away at the median, as a share of all values.
ERROR = 0.025
# As rows from before there were digests of values have it: of 1.5, 2.0 and 40.0.
STORED = bytes.fromhex(
    "020114c8000400000300000000000000000000000000f83f0000000000004440000000000000f83f"
    "01000000000000000000000000000040010000000000000000000000000044400100000000000000"
)
FINITE = st.floats(allow_nan=False, allow_infinity=False)
NUMBERS = st.one_of(st.integers(0, 3_000), st.integers(-(2**40), 2**40), st.sampled_from([-0.0, 0.5, 19.99]), FINITE)
FEW = st.lists(NUMBERS, min_size=1, max_size=157)
# Of each part how many values there are, and whether it was stored as a t-digest.
PARTS = st.lists(st.tuples(st.integers(1, 400), st.booleans()), min_size=1, max_size=12)
NAMES = [f"p1_{number:022d}" for number in range(500)]


def t_digest(values: list[float]) -> bytes:
    digest = tdigest_double(200)
    for value in values:
        digest.update(value)
    return bytes(digest.serialize())


def values_of(parts: list[tuple[int, bool]], seed: int) -> list[list[float]]:
    random = Random(seed)  # noqa: S311 - values, no secrets
    draw = random.choice(
        (lambda: random.randint(1, 3_000), lambda: round(random.random() * 100, 2), lambda: random.lognormvariate(5, 1))
    )
    return [[float(draw()) for _ in range(count)] for count, _ in parts]


@given(FEW, NUMBERS)
def test_few_values_answer_as_a_t_digest_of_them_in_fewer_bytes(values: list[float], limit: float) -> None:
    digest, wanted = digest_of(values), t_digest(values)

    assert quantiles_of(digest, RANKS) == quantiles_of(wanted, RANKS)
    assert rank_of(digest, limit) == rank_of(wanted, limit)
    assert len(digest) < len(wanted)


@given(st.data(), FEW)
def test_a_digest_does_not_tell_in_what_order_the_values_came(data: st.DataObject, values: list[float]) -> None:
    # Equal values are swapped in sorting: of the two zeros, either may be first.
    plain = [value + 0.0 for value in values]

    assert digest_of(data.draw(st.permutations(plain))) == digest_of(plain)


@pytest.mark.parametrize(
    ("values", "width"),
    [([0, 65_535], 2), ([1, 65_536], 4), ([-1, 2_000_000_000], 4), ([0, 2**31], 8), ([1.5, 2], 8), ([-0.0, 1], 8)],
)
def test_whole_numbers_take_no_more_bytes_than_they_need(values: list[float], width: int) -> None:
    digest = digest_of(values)

    assert len(digest) == 1 + width * len(values)
    assert str(quantiles_of(digest, [0.0, 1.0])) == str([float(value) for value in values])


def test_a_value_is_kept_by_itself_only_as_long_as_a_t_digest_keeps_it() -> None:
    values = [float(place * place) for place in range(158)]

    # A head of 32 bytes, and 16 for each mean.
    assert len(t_digest(values[:-1])) == 32 + 16 * 157
    assert len(digest_of(values[:-1])) == 1 + 2 * 157
    assert digest_of(values) == t_digest(values)
    assert len(digest_of(values)) < 32 + 16 * 158


@given(PARTS, st.integers(0, 2**32))
def test_parts_in_either_form_merge_to_one_digest_of_all_values(parts: list[tuple[int, bool]], seed: int) -> None:
    several = values_of(parts, seed)
    stored = [
        t_digest(values) if is_old else digest_of(values) for values, (_, is_old) in zip(several, parts, strict=True)
    ]

    merged = merge_digests(stored)

    ordered = sorted(value for values in several for value in values)
    for rank, found in zip(RANKS, quantiles_of(merged, RANKS), strict=True):
        below = sum(value < found for value in ordered) / len(ordered)
        at_most = sum(value <= found for value in ordered) / len(ordered)
        tolerance = ERROR + 1 / len(ordered)
        assert below - tolerance <= rank <= at_most + tolerance
    assert quantiles_of(merged, [0.0, 1.0]) == [ordered[0], ordered[-1]]
    assert merge_digests(stored) == merged


@given(FEW, st.integers(1, 156))
def test_few_values_are_the_same_digest_however_they_came_in_parts(values: list[float], place: int) -> None:
    plain = [value + 0.0 for value in values]

    assert merge_digests([digest_of(plain[place:]), b"", digest_of(plain[:place])]) == digest_of(plain)


def test_rows_from_before_are_read_and_merged_with_those_of_today() -> None:
    assert quantiles_of(STORED, [0.0, 0.5, 1.0]) == [1.5, 2.0, 40.0]
    assert quantiles_of(merge_digests([STORED, digest_of([-3, 100])]), [0.0, 0.5, 1.0]) == [-3, 2.0, 100]
    assert merge_digests([STORED]) == STORED


def test_nothing_is_no_digest() -> None:
    assert digest_of([]) == merge_digests([]) == merge_digests([b"", b""]) == b""
    assert quantiles_of(b"", [0.5]) == []
    assert rank_of(b"", 1.0) == 0.0


@given(st.sets(st.sampled_from(NAMES), max_size=384), st.sets(st.sampled_from(NAMES), max_size=60))
def test_what_is_left_counts_as_if_the_others_alone_had_been_there(there: set[str], forgotten: set[str]) -> None:
    left = without_subjects(sketch_subjects(there), coupons_of(forgotten))

    others = sketch_subjects(there - forgotten)
    assert count_subjects(left) == count_subjects(others)
    # Nor does it come back when sketches are merged.
    assert count_subjects(merge_subjects([left, others])) == count_subjects(others)
    assert without_subjects(left, coupons_of(forgotten)) == left


@given(st.sets(st.sampled_from(NAMES), min_size=1, max_size=100), st.sets(st.sampled_from(NAMES), max_size=100))
def test_a_subject_is_taken_out_of_a_merged_sketch_too(one: set[str], two: set[str]) -> None:
    merged = merge_subjects([sketch_subjects(one), sketch_subjects(two)])

    left = without_subjects(merged, coupons_of(one))

    assert count_subjects(left) == count_subjects(sketch_subjects(two - one))


@pytest.mark.parametrize(("subjects", "forgets"), [(384, True), (500, False)])
def test_a_full_sketch_stays_as_it_is(subjects: int, forgets: bool) -> None:
    sketch = sketch_subjects(NAMES[:subjects])

    assert (without_subjects(sketch, coupons_of(NAMES[:1])) != sketch) is forgets


def test_a_sketch_without_the_subject_is_the_very_same() -> None:
    sketch = sketch_subjects(NAMES[:20])

    assert without_subjects(sketch, coupons_of(NAMES[20:30])) is sketch
    assert without_subjects(b"", coupons_of(NAMES[:1])) == b""
