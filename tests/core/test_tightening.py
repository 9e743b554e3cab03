"""The lattice laws that make "a tenant may only tighten" independent of the order of layers."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.enums import PrivacyLevel, RedactionStrategy, RetentionPolicy, TimeUnit, UndeclaredPolicy
from telemetry.core.spec import Redaction
from telemetry.core.tightening import (
    MASK,
    join_days,
    join_level,
    join_policy,
    join_redaction,
    join_undeclared,
)

REDACTIONS = st.one_of(
    st.none(),
    st.sampled_from(
        [RedactionStrategy.MASK, RedactionStrategy.NULL, RedactionStrategy.DROP, RedactionStrategy.HASH]
    ).map(lambda strategy: Redaction(strategy=strategy)),
    st.just(Redaction(strategy=RedactionStrategy.EMAIL_DOMAIN)),
    st.integers(1, 50).map(lambda length: Redaction(strategy=RedactionStrategy.TRUNCATE, length=length)),
    st.sampled_from(TimeUnit).map(lambda unit: Redaction(strategy=RedactionStrategy.GENERALISE, unit=unit)),
    st.just(Redaction(strategy=RedactionStrategy.GENERALISE)),
    st.one_of(st.sampled_from([0.1, 0.25, 0.3, 2.0, 3.0, 6.0, 10.0]), st.integers(1, 10_000).map(float)).map(
        lambda bucket: Redaction(strategy=RedactionStrategy.GENERALISE, bucket=bucket)
    ),
)

LATTICES: dict[str, tuple[Callable[..., object], st.SearchStrategy[object]]] = {
    "redaction": (join_redaction, REDACTIONS),
    "level": (join_level, st.sampled_from(PrivacyLevel)),
    "policy": (join_policy, st.sampled_from(RetentionPolicy)),
    "undeclared": (join_undeclared, st.sampled_from(UndeclaredPolicy)),
    "days": (join_days, st.integers(1, 36_500)),
}


@pytest.mark.parametrize("name", LATTICES)
@given(data=st.data())
def test_a_join_is_associative_commutative_and_idempotent(name: str, data: st.DataObject) -> None:
    join, values = LATTICES[name]
    first, second, third = data.draw(values), data.draw(values), data.draw(values)

    assert join(first, second) == join(second, first)
    assert join(first, join(second, third)) == join(join(first, second), third)
    assert join(first, first) == first


@given(first=REDACTIONS, second=REDACTIONS)
def test_a_join_of_redactions_is_at_least_as_tight_as_both(first: Redaction | None, second: Redaction | None) -> None:
    joined = join_redaction(first, second)

    assert join_redaction(joined, first) == joined
    assert join_redaction(joined, second) == joined


def test_partial_redactions_of_different_kinds_join_to_a_mask() -> None:
    hashed = Redaction(strategy=RedactionStrategy.HASH)
    domain = Redaction(strategy=RedactionStrategy.EMAIL_DOMAIN)

    assert join_redaction(hashed, domain) == MASK


def test_ranges_join_to_the_least_width_that_both_divide() -> None:
    first = Redaction(strategy=RedactionStrategy.GENERALISE, bucket=0.1)
    second = Redaction(strategy=RedactionStrategy.GENERALISE, bucket=0.25)

    assert join_redaction(first, second) == Redaction(strategy=RedactionStrategy.GENERALISE, bucket=0.5)


def test_ranges_too_wide_for_an_exact_number_join_to_a_mask() -> None:
    first = Redaction(strategy=RedactionStrategy.GENERALISE, bucket=9_007_199_254_740_881.0)
    second = Redaction(strategy=RedactionStrategy.GENERALISE, bucket=7.0)

    assert join_redaction(first, second) == MASK


@pytest.mark.parametrize(
    ("first", "second", "tighter"),
    [
        (UndeclaredPolicy.KEEP, UndeclaredPolicy.MASK, UndeclaredPolicy.MASK),
        (UndeclaredPolicy.MASK, UndeclaredPolicy.DROP, UndeclaredPolicy.DROP),
        (UndeclaredPolicy.DROP, UndeclaredPolicy.QUARANTINE, UndeclaredPolicy.QUARANTINE),
    ],
)
def test_undeclared_policies_are_ordered_by_what_they_let_through(
    first: UndeclaredPolicy, second: UndeclaredPolicy, tighter: UndeclaredPolicy
) -> None:
    assert join_undeclared(first, second) is tighter
