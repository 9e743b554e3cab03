"""Rules about redactions that contradict something, or hide too little."""

from collections.abc import Iterator
from typing import Final

from telemetry.core.enums import RedactionStrategy, Severity
from telemetry.core.lint.personal import personal_kind
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedSpec

__all__ = ["REDACTION_RULES"]

# The first letters of a name or address that many people share; more of them point at one.
_LONGEST_SHARED: Final = 4


def required_but_dropped(linted: LintedSpec) -> Iterator[Problem]:
    """Apps must send it, and nobody ever gets it."""
    for each in linted.properties():
        is_dropped = each.hidden is not None and each.hidden.strategy is RedactionStrategy.DROP
        if each.definition.required and is_dropped:
            yield Problem((*each.path, "required"), "is required of apps, and then dropped for every reader")


def truncation_shows_much(linted: LintedSpec) -> Iterator[Problem]:
    """Personal data of which so many characters stay that they tell whose it is."""
    for each in linted.properties():
        redaction = each.definition.redaction
        length = redaction.length if redaction and redaction.strategy is RedactionStrategy.TRUNCATE else None
        if length is None or length <= _LONGEST_SHARED:
            continue
        if each.definition.pii or personal_kind(each.name, each.definition.type) is not None:
            yield Problem((*each.path, "redaction", "length"), f"keeps {length} characters of personal data")


def hash_of_few_values(linted: LintedSpec) -> Iterator[Problem]:
    """Pseudonyms of values that are listed: how often each comes tells which is which."""
    for each in linted.properties():
        redaction = each.definition.redaction
        if redaction and redaction.strategy is RedactionStrategy.HASH and each.definition.allowed_values:
            yield Problem(
                (*each.path, "redaction", "strategy"), "hashes values that are listed, and so can be told apart"
            )


REDACTION_RULES = table(
    "redaction",
    (
        required_but_dropped,
        Severity.WARNING,
        "What is dropped for all readers is not required of apps.",
        "Make it optional, remove it, or use a redaction that keeps something.",
    ),
    (
        truncation_shows_much,
        Severity.WARNING,
        f"Of personal data, truncate keeps at most {_LONGEST_SHARED} characters.",
        f"Keep at most {_LONGEST_SHARED} characters, or use mask or hash.",
    ),
    (
        hash_of_few_values,
        Severity.INFO,
        "Properties with a short list of allowed values are masked, not hashed.",
        "Use mask, or pass the value on if it is not personal.",
    ),
)
