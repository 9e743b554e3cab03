"""A sketch of few subjects forgets one of them, and a full one says so by staying as it is."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.tallies.sketches import count_subjects, coupons_of, merge_subjects, sketch_subjects, without_subjects
from tests.core import strategies

assert strategies  # Its import sets the profile of the property tests.

NAMES = [f"p1_{number:022d}" for number in range(500)]


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
