"""A labelled sample: personal data and secrets of many countries, and what only looks like them."""

from benchmarks.personal_sample.labelled import Labelled
from benchmarks.personal_sample.negatives import negatives
from benchmarks.personal_sample.numbers import identity_numbers
from benchmarks.personal_sample.positives import positives

__all__ = ["Labelled", "sample"]


def sample(seed: int, *, each: int) -> tuple[Labelled, ...]:
    """``each`` values of every form; the same seed gives the same sample, whatever the order of forms."""
    return (*positives(seed, each), *identity_numbers(seed, each), *negatives(seed, each))
