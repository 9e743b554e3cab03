"""What becomes of each event of a batch, as far as it depends on nothing but itself and the config."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from telemetry.core.compiled import CompiledConfig
from telemetry.core.enums import DropReason, EventOutcome, ViolationCode
from telemetry.core.event_ids import KeptId, keep_ids
from telemetry.core.events import Accepted, Dropped, Envelope, Outcome, Rejected, Violation
from telemetry.core.intake import InvalidEnvelope, has_plain_head, take_envelope
from telemetry.core.observation import Observation
from telemetry.core.occurrence import SenderClock
from telemetry.core.pipeline import Pipeline
from telemetry.core.reported import process_report
from telemetry.core.reports import Report
from telemetry.core.unwritten import Unwritten
from telemetry.detection.values import detect
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.processed import STORED, ProcessedEvent
from tenants.models import Tenant
from tenants.pseudonym_key import event_id_secret, installation_pseudonym_key

__all__ = ["Judge", "reads_personal"]

# A client's clock may be in the wrong time zone; further ahead is no clock.
_AHEAD: Final = timedelta(days=1)
_NO_SPEC: Final = Violation(ViolationCode.UNKNOWN_EVENT, "name", "no spec is published for this installation")
_WORDS: Final = {DropReason.DISABLED: EventOutcome.DISABLED, DropReason.SAMPLED_OUT: EventOutcome.SAMPLED_OUT}


class Judge:
    """Judges the events of one batch; ``compiled`` is ``None`` while no spec is published."""

    def __init__(
        self, compiled: CompiledConfig | None, tenant: Tenant, *, received_at: datetime, maximum_age: timedelta
    ) -> None:
        self._compiled = compiled
        self._key = installation_pseudonym_key(tenant)
        # What was observed of the event at hand, if it is valid.
        self._observed: list[Observation] = []
        self._pipeline = (
            None
            if compiled is None
            else Pipeline(compiled, key=self._key, observer=self._observed.append, recogniser=reads_personal)
        )
        self._lane = None if self._pipeline is None else self._pipeline.lane
        self._id_secret = event_id_secret(tenant)
        self._received_at = received_at
        self._clock = SenderClock(sent_at=None, received_at=received_at).occurrence
        self._sent_at: datetime | None = None
        self._first_day = (received_at - maximum_age).toordinal()
        self._last_day = (received_at + _AHEAD).toordinal()
        self._too_old = Violation(
            ViolationCode.OUTSIDE_WINDOW,
            "id",
            f"was made more than {maximum_age.days} days ago, or more than a day ahead of our clock",
        )

    def judge(self, incoming: Incoming) -> ProcessedEvent:
        """What becomes of the event, unless it turns out that it was received before."""
        (judged,) = self.judge_all([incoming])
        return judged

    def judge_all(self, events: Sequence[Incoming]) -> list[ProcessedEvent]:
        """What becomes of each event, in their order, by itself: whether it was received before is another matter."""
        ids = iter(keep_ids([each.envelope.id for each in events if each.envelope is not None], self._id_secret))
        return [
            self._refuse(each, () if each.problem is None else (each.problem,))
            if each.envelope is None
            else self._judge_usual(each, each.envelope, kept := next(ids)) or self._judge(each, each.envelope, kept)
            for each in events
        ]

    def _judge_usual(self, incoming: Incoming, envelope: Envelope, kept: KeptId) -> ProcessedEvent | None:
        """What becomes of an event with an id of now that nothing is unusual about; ``None`` for others."""
        day, lane = kept.day, self._lane
        if (
            day is None
            or not self._first_day <= day <= self._last_day
            or incoming.report is not None
            or lane is None
            or not has_plain_head(envelope)
        ):
            return None
        name, version, sent = envelope.name, envelope.version, envelope.occurred_at
        occurred_at = self._clock_of(incoming)(sent)
        is_skewed = occurred_at is not sent
        stamp = _in_our_terms(envelope, kept.text, occurred_at) if is_skewed or kept.text != envelope.id else envelope
        outcome = lane.judge(stamp, name, version, envelope.properties, envelope.context, self._observed.append)
        if outcome is None:
            return None
        word = STORED if type(outcome) is Unwritten else _word_of(outcome)
        return ProcessedEvent(incoming, outcome, kept, occurred_at, is_skewed, word, self._observed.pop())

    def _judge(self, incoming: Incoming, envelope: Envelope, kept: KeptId) -> ProcessedEvent:
        try:
            taken = take_envelope(envelope)
        except InvalidEnvelope as invalid:
            return self._refuse(incoming, invalid.violations)
        occurred_at = self._clock_of(incoming)(taken.occurred_at)
        is_skewed = occurred_at is not taken.occurred_at
        outcome = self._outcome_of(_in_our_terms(taken, kept.text, occurred_at), kept, incoming.report)
        observed = self._observed.pop() if self._observed else None
        return ProcessedEvent(incoming, outcome, kept, occurred_at, is_skewed, _word_of(outcome), observed)

    def _clock_of(self, incoming: Incoming) -> Callable[[datetime], datetime]:
        """Gives the instant by our clock; mostly one for all events of a batch."""
        if incoming.sent_at is not self._sent_at:
            self._sent_at = incoming.sent_at
            self._clock = SenderClock(sent_at=incoming.sent_at, received_at=self._received_at).occurrence
        return self._clock

    def _outcome_of(self, envelope: Envelope, kept: KeptId, report: Report | None) -> Outcome:
        if self._compiled is None or self._pipeline is None:
            return Rejected(violations=(_NO_SPEC,))
        if kept.day is not None and not self._first_day <= kept.day <= self._last_day:
            rules = self._compiled.find(envelope.name, envelope.version)
            name, version = (None, None) if rules is None else (rules.name, rules.version)
            return Rejected(violations=(self._too_old,), name=name, version=version)
        if report is not None:
            return process_report(
                envelope,
                report,
                self._compiled,
                key=self._key,
                observer=self._observed.append,
                recogniser=reads_personal,
            )
        return self._pipeline.process(envelope)

    def _refuse(self, incoming: Incoming, violations: tuple[Violation, ...]) -> ProcessedEvent:
        """What cannot be read has neither id nor time of its own."""
        return ProcessedEvent(
            incoming=incoming,
            outcome=Rejected(violations=violations),
            kept_id=None,
            occurred_at=self._received_at,
            is_skewed=False,
            word=EventOutcome.REJECTED,
        )


def _in_our_terms(envelope: Envelope, event_id: str, occurred_at: datetime) -> Envelope:
    """The envelope with the id that is kept and the time by our clock."""
    if event_id == envelope.id and occurred_at is envelope.occurred_at:
        return envelope
    return Envelope(
        id=event_id,
        name=envelope.name,
        version=envelope.version,
        occurred_at=occurred_at,
        properties=envelope.properties,
        context=envelope.context,
    )


def reads_personal(name: str, value: Any) -> bool:
    """Whether the detectors take the value of a property of this name for personal data or a secret."""
    return bool(detect(name, value))


def _word_of(outcome: Outcome) -> EventOutcome:
    if isinstance(outcome, Accepted):
        return STORED
    return _WORDS[outcome.reason] if isinstance(outcome, Dropped) else EventOutcome.REJECTED
