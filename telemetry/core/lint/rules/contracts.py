"""Rules about the contracts of events; they hold where the contracts are known."""

from collections.abc import Iterator

from telemetry.core.enums import Severity
from telemetry.core.lint.rule import Problem, table
from telemetry.core.lint.subject import LintedSpec

__all__ = ["CONTRACT_RULES"]


def event_spec_missing(linted: LintedSpec) -> Iterator[Problem]:
    """No contract has this name."""
    if linted.event_specs is None:
        return
    names = {name for name, _ in linted.event_specs}
    for event in linted.current_events:
        if event.definition.name not in names:
            yield Problem((*event.path, "name"), "is the name of no EventSpec")


def event_spec_version_missing(linted: LintedSpec) -> Iterator[Problem]:
    """A contract has this name, but not this version."""
    if linted.event_specs is None:
        return
    names = {name for name, _ in linted.event_specs}
    for event in linted.current_events:
        identity = event.definition.name, event.definition.version
        if identity[0] in names and identity not in linted.event_specs:
            yield Problem((*event.path, "version"), "is no version of the EventSpec of this name")


CONTRACT_RULES = table(
    "contracts",
    (
        event_spec_missing,
        Severity.WARNING,
        "Events reuse the names of EventSpecs.",
        "Use the name of the contract, or write the contract.",
    ),
    (
        event_spec_version_missing,
        Severity.WARNING,
        "Events reuse the versions of EventSpecs.",
        "Use a version of the contract, or publish the contract in this version.",
    ),
)
