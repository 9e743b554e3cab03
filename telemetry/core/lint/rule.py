"""What a lint rule is: a name, how much it matters, and a function that finds where a spec does not follow it."""

from collections.abc import Callable, Iterable
from typing import NamedTuple

from telemetry.core.enums import Severity
from telemetry.core.lint.subject import LintedSpec
from telemetry.core.shapes import Path

__all__ = ["Check", "Problem", "Rule", "table"]


class Problem(NamedTuple):
    """A place that does not follow a rule; the place exists in the canonical document."""

    path: Path
    message: str


Check = Callable[[LintedSpec], Iterable[Problem]]


class Rule(NamedTuple):
    """One rule. ``summary`` says in one line what holds where it is followed, ``hint`` what to do where it is not."""

    name: str
    theme: str
    severity: Severity
    summary: str
    hint: str
    check: Check


def table(theme: str, *rows: tuple[Check, Severity, str, str]) -> tuple[Rule, ...]:
    """The rules of a theme; each is named like its function."""
    return tuple(Rule(check.__name__, theme, severity, summary, hint, check) for check, severity, summary, hint in rows)
