"""What becomes of each event of a batch, as far as it depends on nothing but itself and the config."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from telemetry.core.compiled import CompiledConfig
from telemetry.core.enums import DropReason, EventOutcome, ViolationCode
from telemetry.core.event_ids import kept_id
from telemetry.core.events import Accepted, Dropped, Envelope, Outcome, Rejected, Violation
from telemetry.core.intake import InvalidEnvelope, take_envelope
from telemetry.core.occurrence import occurrence
from telemetry.core.pipeline import process_event
from telemetry.core.pseudonyms import pseudonymiser_for
from telemetry.core.reading import Reading
from telemetry.services.ingest.claims import outside_window
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.observation import Observation, observe
from telemetry.services.ingest.processed import ProcessedEvent
from tenants.models import Tenant
from tenants.pseudonym_key import event_id_secret, installation_pseudonym_key

__all__ = ["Judge"]

_NO_SPEC: Final = Violation(ViolationCode.UNKNOWN_EVENT, "name", "no spec is published for this installation")
_WORDS: Final = {DropReason.DISABLED: EventOutcome.DISABLED, DropReason.SAMPLED_OUT: EventOutcome.SAMPLED_OUT}


class Judge:
    """Judges the events of one batch, one after the other; ``compiled`` is ``None`` while no spec is published."""

    def __init__(
        self, compiled: CompiledConfig | None, tenant: Tenant, *, received_at: datetime, maximum_age: timedelta
    ) -> None:
        self._compiled = compiled
        self._key = installation_pseudonym_key(tenant)
        self._pseudonymiser = pseudonymiser_for(self._key)
        self._id_secret = event_id_secret(tenant)
        self._received_at = received_at
        self._maximum_age = maximum_age
        self._observation: Observation | None = None

    def judge(self, incoming: Incoming) -> ProcessedEvent:
        """What becomes of the event, unless it turns out that it was received before."""
        if incoming.envelope is None:
            return self._refuse(incoming, () if incoming.problem is None else (incoming.problem,))
        try:
            envelope = take_envelope(incoming.envelope)
        except InvalidEnvelope as invalid:
            return self._refuse(incoming, invalid.violations)
        event_id = kept_id(envelope.id, self._id_secret)
        occurred_at, is_skewed = occurrence(
            envelope.occurred_at, sent_at=incoming.sent_at, received_at=self._received_at
        )
        kept = Envelope(
            id=str(event_id),
            name=envelope.name,
            version=envelope.version,
            occurred_at=occurred_at,
            properties=envelope.properties,
            context=envelope.context,
        )
        self._observation = None
        late = outside_window(event_id, self._received_at, self._maximum_age)
        outcome = self._process(kept) if late is None else self._reject(kept, late)
        return ProcessedEvent(
            incoming=incoming,
            outcome=outcome,
            event_id=event_id,
            occurred_at=occurred_at,
            is_skewed=is_skewed,
            word=_word_of(outcome),
            observation=self._observation,
        )

    def _process(self, envelope: Envelope) -> Outcome:
        if self._compiled is None:
            return Rejected(violations=(_NO_SPEC,))
        return process_event(envelope, self._compiled, key=self._key, observer=self._observe)

    def _observe(self, event: Reading, metrics: Mapping[str, float]) -> None:
        self._observation = observe(event, metrics, self._pseudonymiser)

    def _reject(self, envelope: Envelope, violation: Violation) -> Rejected:
        rules = None if self._compiled is None else self._compiled.find(envelope.name, envelope.version)
        if rules is None:
            return Rejected(violations=(violation,))
        return Rejected(violations=(violation,), name=rules.name, version=rules.version)

    def _refuse(self, incoming: Incoming, violations: tuple[Violation, ...]) -> ProcessedEvent:
        """What cannot be read has neither id nor time of its own."""
        return ProcessedEvent(
            incoming=incoming,
            outcome=Rejected(violations=violations),
            event_id=None,
            occurred_at=self._received_at,
            is_skewed=False,
            word=EventOutcome.REJECTED,
        )


def _word_of(outcome: Outcome) -> EventOutcome:
    if isinstance(outcome, Accepted):
        return EventOutcome.STORED
    return _WORDS[outcome.reason] if isinstance(outcome, Dropped) else EventOutcome.REJECTED
