"""What is planned and never comes, or comes and is never read."""

from typing import Final

import msgspec

from telemetry.core.proposals.rules.case import Case, confidence_of, with_property
from telemetry.core.proposals.suggestion import Confidence, Measure, Promise, Suggestion
from telemetry.core.spec import Deprecation

__all__ = ["DEPRECATED", "unused"]

# Some things happen once a month only.
LEAST_DAYS: Final = 28
LEAST_EVENTS: Final = 100
# Days without any, after which the promise counts as kept.
WEEK: Final = 7
# Properties have no field of their own for it.
DEPRECATED: Final = "Deprecated:"


def unused(case: Case) -> Suggestion | None:
    """The event is deprecated, or the property says that it is."""
    return _property(case) if case.signal.subject else _event(case)


def _event(case: Case) -> Suggestion | None:
    event, days = case.event, case.signal.number("days")
    if event.deprecation is not None or days < LEAST_DAYS:
        return None
    is_unread = case.signal.text("reason") == "never_read"
    what = "read" if is_unread else "sent"
    rarely = (
        "It may be sent on rare occasions only." if not is_unread else "Exports by hand are not counted as reading."
    )
    return Suggestion(
        rule="unused",
        subject="",
        title=f"Deprecate {event.name}",
        summary=f"Nobody has {what} it for {int(days)} days.",
        rationale="Each event costs readers attention and apps code. A deprecated one is taken as before, and says "
        "that nobody counts on it.",
        confidence=Confidence.LOW if is_unread else confidence_of(days, medium=LEAST_DAYS, high=90),
        blockers=(rarely,),
        event=msgspec.structs.replace(
            event, deprecation=Deprecation(reason=f"Nobody has {what} it for {int(days)} days.")
        ),
        promise=Promise(measure=Measure.RECEIVED, before=case.signal.number("events"), most=0.0, sample=WEEK),
    )


def _property(case: Case) -> Suggestion | None:
    event, signal = case.event, case.signal
    name, known = signal.subject, case.event.properties.get(signal.subject)
    events, days = signal.number("events"), signal.number("days")
    if known is None or known.required or known.description.startswith(DEPRECATED) or events < LEAST_EVENTS:
        return None
    reason = f"{DEPRECATED} no app sends it."
    described = f"{reason} {known.description}"[:4000] if known.description else reason
    return Suggestion(
        rule="unused",
        subject=name,
        title=f"Deprecate {name} of {event.name}",
        summary=f"None of {int(events)} events in {int(days)} days carried it.",
        rationale="Readers look for a property that never comes. Its description says so from now on; it can be left "
        "out of the event's next version.",
        confidence=confidence_of(events, medium=1_000, high=10_000),
        blockers=(),
        event=with_property(event, name, msgspec.structs.replace(known, description=described)),
        promise=Promise(measure=Measure.SENT_SHARE, before=0.0, most=0.0, sample=20),
    )
