"""One value with its label, and how forms become values."""

import random
import string
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple

from telemetry.detection.detector import Detector

__all__ = ["Form", "Labelled", "digits", "generate", "letters", "written"]


class Labelled(NamedTuple):
    """A value of a property, and what it is; ``None`` when it is neither personal data nor a secret."""

    form: str
    name: str
    value: Any
    expected: Detector | None


# Makes one value; gets a source of randomness of its own.
Form = Callable[[random.Random], Any]

_SENTENCES = (
    "please call back: {} (asked twice)",
    "changed to {}",
    "User wrote: my data is {}, thanks!",
    "failed for {}; retrying",
    'note="{}"',
    "{} was entered in the form",
)


def generate(
    forms: Mapping[str, tuple[str, Form]], seed: int, each: int, expected: Detector | None
) -> Iterator[Labelled]:
    """``each`` values of every form, which comes with the name of its property."""
    for form, (name, make) in forms.items():
        source = random.Random(f"{seed}/{form}")  # noqa: S311 - a sample, not a secret
        for _ in range(each):
            yield Labelled(form, name, make(source), expected)


def written(make: Callable[[random.Random], str]) -> Form:
    """The form inside a sentence."""
    return lambda source: source.choice(_SENTENCES).format(make(source))


def digits(source: random.Random, count: int) -> str:
    """So many random digits."""
    return "".join(source.choices(string.digits, k=count))


def letters(source: random.Random, count: int, alphabet: str = string.ascii_letters + string.digits) -> str:
    """So many random letters and digits, or characters of the alphabet."""
    return "".join(source.choices(alphabet, k=count))
