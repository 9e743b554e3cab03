"""Personal data that nobody declared."""

from typing import Final

import msgspec

from telemetry.core.config import EventOverride
from telemetry.core.enums import PrivacyLevel, RedactionStrategy
from telemetry.core.proposals.rules.case import Case, confidence_of, percent, with_property
from telemetry.core.proposals.suggestion import Measure, Promise, Suggestion
from telemetry.core.spec import Redaction

__all__ = ["personal_property_unflagged"]

LEAST_FOUND: Final = 3


def personal_property_unflagged(case: Case) -> Suggestion | None:
    """The declared property is flagged and hidden; nothing where it is hidden already, or declared free of it."""
    event, signal = case.event, case.signal
    name, found, checked = signal.subject, signal.number("found"), signal.number("checked")
    known = event.properties.get(name)
    if known is None or known.pii or known.redact or known.redaction is not None or found < LEAST_FOUND:
        return None
    redaction = Redaction(strategy=RedactionStrategy(signal.text("strategy") or "mask"))
    hidden = msgspec.structs.replace(known, pii=True, redact=True, redaction=redaction)
    level = signal.text("level")
    wanted = PrivacyLevel(level) if level else event.privacy
    detector = signal.text("detector")
    share = found / checked if checked else 1.0
    notes = [f"Values of this kind belong to level {wanted}: the event is {event.privacy}."]
    declared_free = ["The spec declares it free of personal data: somebody thought about it."]
    return Suggestion(
        rule="personal_property_unflagged",
        subject=name,
        title=f"Flag {name} as personal data, and hide it",
        summary=f"{int(found)} of {int(checked)} values that were looked at read like {detector}.",
        rationale=f"The spec neither flags nor hides {name}, so {percent(share)} of its values are stored as they are. "
        f"{redaction.strategy.value} is how such values are best hidden.",
        confidence=confidence_of(min(found / 20, share * 4), medium=0.5, high=2),
        blockers=tuple(
            (declared_free if known.pii is False else []) + (notes if wanted.rank > event.privacy.rank else [])
        ),
        event=with_property(event, name, hidden),
        own=EventOverride(redaction={name: redaction}),
        promise=Promise(measure=Measure.UNHIDDEN_VALUES, before=found, most=0.0, sample=10),
    )
