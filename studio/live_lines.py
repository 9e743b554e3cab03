"""One event of the live view as it is drawn: the steps that it went, and what there is to say of each."""

import json
from collections.abc import Iterator, Sequence
from typing import Final, Literal, NamedTuple

from studio.markup import counted, percent
from telemetry.core.enums import EventOutcome, EventSource
from telemetry.models import DeliveryState
from telemetry.selectors.live_deliveries import LiveDelivery, live_deliveries
from telemetry.services.live import LiveLine, LiveSampling
from tenants.models import Installation

__all__ = ["OUTCOME_TONES", "OUTCOME_WORDS", "ShownDelivery", "ShownLine", "Step", "shown_delivery", "shown_lines"]

OUTCOME_WORDS: Final = {
    EventOutcome.STORED: "stored",
    EventOutcome.SAMPLED_OUT: "sampled out",
    EventOutcome.DISABLED: "disabled",
    EventOutcome.REJECTED: "rejected",
    EventOutcome.DUPLICATE: "duplicate",
}
OUTCOME_TONES: Final = {
    EventOutcome.STORED: "ink",
    EventOutcome.SAMPLED_OUT: "grey",
    EventOutcome.DISABLED: "grey",
    EventOutcome.REJECTED: "red",
    EventOutcome.DUPLICATE: "violet",
}
SOURCE_WORDS: Final = {
    EventSource.BATCH: "batch API",
    EventSource.POSTHOG: "PostHog client",
    EventSource.SEGMENT: "Segment client",
    EventSource.OTLP: "OpenTelemetry",
    EventSource.INTERNAL: "tracker",
}

State = Literal["done", "noted", "ended"]


class Step(NamedTuple):
    """One step: ``noted`` means done with something to say, ``ended`` that the event goes no further."""

    word: str
    state: State
    note: str


class ShownDelivery(NamedTuple):
    """Where an event was passed on: the step, what there is to say of each provider, and whether that may change."""

    step: Step
    providers: tuple[tuple[str, str], ...]
    is_settled: bool


class ShownLine(NamedTuple):
    """A line with what a template cannot work out; ``delivery`` is ``None`` for what goes to no provider."""

    line: LiveLine
    steps: tuple[Step, ...]
    outcome: str
    tone: str
    source: str
    sampling: str
    values: str
    delivery: ShownDelivery | None


def shown_lines(installation: Installation, lines: Sequence[LiveLine]) -> list[ShownLine]:
    """The lines as they are drawn, with where they were passed on; up to two queries."""
    stored = [line.event_id for line in lines if line.event_id and line.outcome is EventOutcome.STORED]
    found = live_deliveries(installation, stored)
    return [
        _shown_line(line, found.get(line.event_id, ()) if line.event_id and line.outcome is EventOutcome.STORED else ())
        for line in lines
    ]


def _shown_line(line: LiveLine, deliveries: Sequence[LiveDelivery]) -> ShownLine:
    return ShownLine(
        line=line,
        steps=tuple(_steps(line)),
        outcome=OUTCOME_WORDS[line.outcome],
        tone=OUTCOME_TONES[line.outcome],
        source=SOURCE_WORDS[line.source],
        sampling="" if line.sampling is None else _sampling(line.sampling, kept=line.outcome is EventOutcome.STORED),
        values="" if line.values is None else json.dumps(dict(line.values), indent=2, ensure_ascii=False),
        delivery=shown_delivery(deliveries),
    )


def shown_delivery(deliveries: Sequence[LiveDelivery]) -> ShownDelivery | None:
    """How far an event got, as it is drawn."""
    if not deliveries:
        return None
    states = {delivery.state for delivery in deliveries}
    providers = tuple((delivery.provider, _delivery_words(delivery)) for delivery in deliveries)
    note = "; ".join(f"{name}: {words}" for name, words in providers)
    if DeliveryState.DEAD in states:
        step = Step("not delivered", "ended", note)
    elif DeliveryState.WAITING in states:
        step = Step("on its way", "noted", note)
    else:
        step = Step("delivered", "done", note)
    return ShownDelivery(step, providers, is_settled=DeliveryState.WAITING not in states)


def _delivery_words(delivery: LiveDelivery) -> str:
    words = {
        DeliveryState.WAITING: "on its way",
        DeliveryState.DELIVERED: "delivered",
        DeliveryState.DEAD: "given up",
    }[delivery.state]
    return f"{words}, last attempt: {delivery.error.replace('_', ' ')}" if delivery.error else words


def _steps(line: LiveLine) -> Iterator[Step]:
    yield Step("received", "done", f"through {SOURCE_WORDS[line.source]}")
    if line.outcome is EventOutcome.REJECTED:
        yield Step("not valid", "ended", _broken(line))
        return
    yield Step("valid", "noted" if line.violations else "done", _broken(line) or "as the spec says")
    if line.outcome is EventOutcome.DUPLICATE:
        yield Step("known already", "ended", "an event with this id was counted before")
        return
    if line.outcome is EventOutcome.DISABLED:
        yield Step("switched off", "ended", "this event is disabled at this installation")
        return
    is_kept = line.outcome is EventOutcome.STORED
    note = "" if line.sampling is None else _sampling(line.sampling, kept=is_kept)
    yield Step("sampled" if is_kept else "not sampled", "done" if is_kept else "ended", note)
    if is_kept:
        yield Step("redacted", "noted" if line.redactions else "done", _hidden(line))
        yield Step("stored", "done", "" if line.privacy is None else f"at level {line.privacy}")


def _broken(line: LiveLine) -> str:
    return "; ".join(f"{each.path} {each.message}".strip() for each in line.violations)


def _hidden(line: LiveLine) -> str:
    return counted(len(line.redactions), "value") + " hidden" if line.redactions else "as the rules in force asked"


def _sampling(sampling: LiveSampling, *, kept: bool) -> str:
    """Why the event was kept or not, in a sentence."""
    if sampling.rate is None:
        return "its tracker sampled it out"
    rate = percent(sampling.rate)
    share = f"kept with {rate} of the subjects" if kept else f"not among the {rate} of the subjects that are kept"
    if sampling.rate >= 1:
        share = "every event is kept"
    elif sampling.rate <= 0:
        share = "none is kept"
    if sampling.by_tracker:
        return f"{share}; its tracker decided"
    if not sampling.conditions:
        return share
    what = "the condition holds" if len(sampling.conditions) == 1 else "all conditions hold"
    return f"{share}, since {what if sampling.conditions_held else 'not ' + what}"
