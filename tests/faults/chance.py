"""Chance that can be had again: every test prints the seed with which it began."""

import os
from collections.abc import Iterator
from random import Random, SystemRandom
from typing import Final

__all__ = ["ROUNDS", "rounds"]

# `make faults` sets 20, for the night.
ROUNDS: Final = int(os.environ.get("FAULT_ROUNDS", "3"))


def rounds() -> Iterator[Random]:
    """One source of chance per round. ``FAULT_SEED`` is the seed of the first; those after it count on.

    pytest shows what was printed when a test fails: set the last seed and ``FAULT_ROUNDS=1`` to see that round again.
    """
    first = int(os.environ.get("FAULT_SEED", "0")) or SystemRandom().randrange(1, 2**31)
    for number in range(ROUNDS):
        print(f"FAULT_SEED={first + number}")  # noqa: T201 - pytest keeps it for the report
        yield Random(first + number)  # noqa: S311 - chance, no secrets
