"""The table of rules that turn signals into suggestions."""

from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType
from typing import Final, NamedTuple

from telemetry.core.proposals.rules.anomalies import seasonal_on_fixed_bounds, threshold_outgrown
from telemetry.core.proposals.rules.case import Case
from telemetry.core.proposals.rules.conditions import condition_without_use
from telemetry.core.proposals.rules.privacy import personal_property_unflagged
from telemetry.core.proposals.rules.properties import required_property_missing, undeclared_property_steady
from telemetry.core.proposals.rules.retention import retention_above_use
from telemetry.core.proposals.rules.unused import unused
from telemetry.core.proposals.rules.volume import sampling_below_minimum_sample, volume_high
from telemetry.core.proposals.signal import Signal, SignalKind
from telemetry.core.proposals.suggestion import Suggestion
from telemetry.core.spec import TelemetrySpec

__all__ = ["PROPOSAL_RULES", "ProposalRule", "suggest"]


class ProposalRule(NamedTuple):
    """One rule: its ``name`` is stable; it is asked about signals of these ``kinds``."""

    name: str
    description: str
    kinds: frozenset[SignalKind]
    propose: Callable[[Case], Suggestion | None]


def _table(*rules: tuple[Callable[[Case], Suggestion | None], str, tuple[SignalKind, ...]]) -> Iterator[ProposalRule]:
    for propose, description, kinds in rules:
        yield ProposalRule(propose.__name__, description, frozenset(kinds), propose)


# By name; names are public: proposals, the API and the documentation use them.
PROPOSAL_RULES: Final[Mapping[str, ProposalRule]] = MappingProxyType(
    {
        rule.name: rule
        for rule in _table(
            (
                threshold_outgrown,
                "A bound that the metric is beyond again and again moves to where history says.",
                (SignalKind.RULE_BREACH,),
            ),
            (
                seasonal_on_fixed_bounds,
                "A metric with a daily rhythm is judged by a baseline instead of fixed bounds.",
                (SignalKind.RULE_BREACH,),
            ),
            (
                undeclared_property_steady,
                "A property that apps keep sending undeclared is declared, with the type and class that were seen.",
                (SignalKind.UNDECLARED_PROPERTY,),
            ),
            (
                personal_property_unflagged,
                "A property whose values read like personal data is flagged and hidden.",
                (SignalKind.PERSONAL_DATA,),
            ),
            (
                required_property_missing,
                "A required property that apps often leave out is made optional, or the app is mended.",
                (SignalKind.MISSING_PROPERTY,),
            ),
            (
                volume_high,
                "An event that comes very often is sampled, at a rate whose error is named.",
                (SignalKind.VOLUME,),
            ),
            (
                unused,
                "An event or property that nobody sends, or an event that nobody reads, is deprecated.",
                (SignalKind.UNUSED_EVENT, SignalKind.UNUSED_PROPERTY),
            ),
            (
                retention_above_use,
                "An event that is kept far longer than anybody reads back is kept for less.",
                (SignalKind.RETENTION,),
            ),
            (
                sampling_below_minimum_sample,
                "An event of which too few are kept in a window to judge it is sampled less.",
                (SignalKind.SAMPLE,),
            ),
            (
                condition_without_use,
                "A sampling condition that never holds, or always, is removed.",
                (SignalKind.CONDITION,),
            ),
        )
    }
)


def suggest(spec: TelemetrySpec, signal: Signal) -> list[Suggestion]:
    """What the rules make of the signal for this valid spec, in the order of the table; nothing for events it lacks."""
    event = next(
        (each for each in spec.events if (each.name, each.version) == (signal.event, signal.event_version)), None
    )
    if event is None:
        return []
    case = Case(spec, event, signal)
    asked = (rule.propose(case) for rule in PROPOSAL_RULES.values() if signal.kind in rule.kinds)
    return [found for found in asked if found is not None]
