"""Rules about the contracts of events; they hold where the contracts are known."""

from collections.abc import Iterator

from telemetry.core.enums import Severity
from telemetry.core.event_specs import DepartureKind
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


def event_spec_property_unknown(linted: LintedSpec) -> Iterator[Problem]:
    """The contract does not have this property."""
    yield from _departed(linted, DepartureKind.UNKNOWN_PROPERTY)


def event_spec_property_missing(linted: LintedSpec) -> Iterator[Problem]:
    """The contract promises this property, and telemetry leaves it out."""
    yield from _departed(linted, DepartureKind.MISSING_PROPERTY)


def event_spec_type_differs(linted: LintedSpec) -> Iterator[Problem]:
    """The contract has values of other types here."""
    yield from _departed(linted, DepartureKind.OTHER_TYPE)


def event_spec_pii_unmarked(linted: LintedSpec) -> Iterator[Problem]:
    """The contract says that personal data is here, and telemetry does not know."""
    yield from _departed(linted, DepartureKind.PII_UNMARKED)


def event_spec_pii_unknown(linted: LintedSpec) -> Iterator[Problem]:
    """Telemetry says that personal data is here, and the contract does not."""
    yield from _departed(linted, DepartureKind.PII_UNKNOWN)


def _departed(linted: LintedSpec, kind: DepartureKind) -> Iterator[Problem]:
    for event, departure in linted.departures:
        if departure.kind is kind:
            yield Problem((*event.path, *departure.path), departure.message)


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
    (
        event_spec_pii_unmarked,
        Severity.ERROR,
        "Personal data of the EventSpec is marked as such.",
        "Mark the property with pii, or take the place out of the contract's PII paths.",
    ),
    (
        event_spec_pii_unknown,
        Severity.WARNING,
        "What is marked as personal data is a PII path of the EventSpec.",
        "Add the place to the contract's PII paths, or clear the mark.",
    ),
    (
        event_spec_type_differs,
        Severity.WARNING,
        "Properties have a type that the EventSpec admits.",
        "Use the type of the contract; a property of several types is json.",
    ),
    (
        event_spec_property_unknown,
        Severity.WARNING,
        "Properties are those of the EventSpec.",
        "Use the contract's name for it, add it to the contract, or leave it out.",
    ),
    (
        event_spec_property_missing,
        Severity.INFO,
        "What the EventSpec promises with every event is declared.",
        "Declare the property, or opt out if nobody is to collect it.",
    ),
)
