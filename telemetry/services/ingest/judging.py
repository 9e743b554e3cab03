"""What becomes of each event of a batch, as far as it depends on nothing but itself and the config."""

from datetime import datetime, timedelta
from typing import Any, Final

from telemetry.core.compiled import CompiledConfig
from telemetry.core.enums import DropReason, EventOutcome, ViolationCode
from telemetry.core.event_ids import KeptId, keep_id
from telemetry.core.events import Accepted, Dropped, Envelope, Outcome, Rejected, Violation, Written
from telemetry.core.intake import InvalidEnvelope, take_envelope
from telemetry.core.observation import Observation
from telemetry.core.occurrence import occurrence
from telemetry.core.pipeline import Pipeline
from telemetry.core.reported import process_report
from telemetry.core.reports import Report
from telemetry.detection.values import detect
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.processed import ProcessedEvent
from tenants.models import Tenant
from tenants.pseudonym_key import event_id_secret, installation_pseudonym_key

__all__ = ["Judge", "reads_personal"]

# A client's clock may be in the wrong time zone; further ahead is no clock.
_AHEAD: Final = timedelta(days=1)
_NO_SPEC: Final = Violation(ViolationCode.UNKNOWN_EVENT, "name", "no spec is published for this installation")
_WORDS: Final = {DropReason.DISABLED: EventOutcome.DISABLED, DropReason.SAMPLED_OUT: EventOutcome.SAMPLED_OUT}


class Judge:
    """Judges the events of one batch, one after the other; ``compiled`` is ``None`` while no spec is published."""

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
        self._id_secret = event_id_secret(tenant)
        self._received_at = received_at
        self._first_day = (received_at - maximum_age).toordinal()
        self._last_day = (received_at + _AHEAD).toordinal()
        self._too_old = Violation(
            ViolationCode.OUTSIDE_WINDOW,
            "id",
            f"was made more than {maximum_age.days} days ago, or more than a day ahead of our clock",
        )

    def judge(self, incoming: Incoming) -> ProcessedEvent:
        """What becomes of the event, unless it turns out that it was received before."""
        if incoming.envelope is None:
            return self._refuse(incoming, () if incoming.problem is None else (incoming.problem,))
        try:
            taken = take_envelope(incoming.envelope)
        except InvalidEnvelope as invalid:
            return self._refuse(incoming, invalid.violations)
        kept = keep_id(taken.id, self._id_secret)
        occurred_at = occurrence(taken.occurred_at, sent_at=incoming.sent_at, received_at=self._received_at)
        outcome = self._outcome_of(_in_our_terms(taken, kept.text, occurred_at), kept, incoming.report)
        return ProcessedEvent(
            incoming=incoming,
            outcome=outcome,
            kept_id=kept,
            occurred_at=occurred_at,
            is_skewed=occurred_at != taken.occurred_at,
            word=_word_of(outcome),
            observation=self._observed.pop() if self._observed else None,
        )

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
    # The usual class first, as this is asked of every event.
    if type(outcome) is Written or isinstance(outcome, Accepted):
        return EventOutcome.STORED
    return _WORDS[outcome.reason] if isinstance(outcome, Dropped) else EventOutcome.REJECTED
