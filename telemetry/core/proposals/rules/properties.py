"""Properties that are not as declared: sent and unknown, or promised and missing."""

from typing import Final

import msgspec

from telemetry.core.enums import PropertyType, RedactionStrategy
from telemetry.core.proposals.rules.case import Case, confidence_of, percent, with_property
from telemetry.core.proposals.suggestion import Confidence, Measure, Promise, Suggestion
from telemetry.core.spec import PropertyDefinition, Redaction

__all__ = ["required_property_missing", "undeclared_property_steady"]

# What one person tries out for an afternoon is no habit of an app.
LEAST_EVENTS: Final = 20
LEAST_SHARE: Final = 0.02
# A mistake that is left: stray events of old apps.
RESIDUE: Final = 0.01
_TYPES: Final = {
    "string": PropertyType.STRING,
    "number": PropertyType.NUMBER,
    "boolean": PropertyType.BOOLEAN,
    "timestamp": PropertyType.TIMESTAMP,
}


def undeclared_property_steady(case: Case) -> Suggestion | None:
    """The property is declared as optional, with its type, and hidden if it reads like personal data."""
    event, signal = case.event, case.signal
    name, events, share = signal.subject, signal.number("events"), signal.number("share")
    if name in event.properties or events < LEAST_EVENTS or share < LEAST_SHARE:
        return None
    kind = _TYPES.get(signal.text("type"), PropertyType.JSON)
    detector = signal.text("detector")
    definition = PropertyDefinition(type=kind, description="Seen in events before it was declared.")
    if detector:
        redaction = Redaction(strategy=RedactionStrategy(signal.text("strategy") or "mask"))
        definition = msgspec.structs.replace(definition, pii=True, redact=True, redaction=redaction)
    return Suggestion(
        rule="undeclared_property_steady",
        subject=name,
        title=f"Declare {name} as {kind.value}" + (" and hide it" if detector else ""),
        summary=f"{int(events)} events in {int(signal.number('days'))} days, {percent(share)} of all, carry {name}, "
        "which the spec does not declare: it is left out of what is stored.",
        rationale=f"What came was of type {signal.text('type') or 'json'}."
        + (f" Values read like {detector}, so it is declared as personal data and hidden." if detector else ""),
        confidence=confidence_of(min(events / 100, share * 10), medium=1, high=5),
        blockers=("Does anybody need it? What nobody needs is better not collected.",),
        event=with_property(event, name, definition),
        promise=Promise(measure=Measure.VIOLATION_SHARE, before=share, most=RESIDUE, sample=LEAST_EVENTS),
    )


def required_property_missing(case: Case) -> Suggestion | None:
    """The property becomes optional. Where one version of the app alone leaves it out, the app is to be mended."""
    event, signal = case.event, case.signal
    name, events, share = signal.subject, signal.number("events"), signal.number("share")
    known = event.properties.get(name)
    if known is None or not known.required or events < LEAST_EVENTS or share < LEAST_SHARE:
        return None
    faulty = signal.text("faulty_version")
    is_one_version = bool(faulty) and signal.number("versions") > 1
    fix = f"Only version {faulty} of the app leaves it out: mend the app rather than the contract."
    return Suggestion(
        rule="required_property_missing",
        subject=name,
        title=f"Mend version {faulty}, or make {name} optional" if is_one_version else f"Make {name} optional",
        summary=f"{int(events)} events in {int(signal.number('days'))} days, {percent(share)} of all, were refused "
        f"because {name} was missing.",
        rationale="A contract that apps cannot keep costs whole events. Readers have to live without the property, "
        "whether it is declared so or not.",
        confidence=Confidence.LOW if is_one_version else confidence_of(min(events / 100, share * 10), medium=1, high=5),
        blockers=(fix,) if is_one_version else ("Whoever reads it must cope with its absence.",),
        event=with_property(event, name, msgspec.structs.replace(known, required=False)),
        promise=Promise(measure=Measure.VIOLATION_SHARE, before=share, most=RESIDUE, sample=LEAST_EVENTS),
    )
