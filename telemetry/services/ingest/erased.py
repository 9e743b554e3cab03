"""Events of people who were erased, and who are to stay so: counted as switched off, and nothing of them is kept."""

from collections.abc import Iterator

from telemetry.core.enums import DropReason, EventOutcome
from telemetry.core.events import Accepted, Dropped, Outcome
from telemetry.core.pseudonyms import OnlyRaw, Pseudonymiser, Renaming, is_pseudonym, pseudonymiser_for
from telemetry.services.erasure.marks import has_marks, marked
from telemetry.services.ingest.processed import DUPLICATE, ProcessedBatch, ProcessedEvent
from tenants.pseudonym_key import installation_pseudonym_key

__all__ = ["drop_erased"]


def drop_erased(batch: ProcessedBatch) -> None:
    """Events of the batch that name a person who was erased are switched off: not stored, held, sketched or sent on.

    They count as ``disabled``. Called after the ids of the batch were claimed, so that an erasure can tell which
    transactions may not have seen its marks. No query for a tenant at which nobody was erased, as far as the process
    knows that; else one or two for the whole batch.
    """
    installation = batch.installation
    if not has_marks(installation.tenant_id):
        return
    pseudonymiser = pseudonymiser_for(installation_pseudonym_key(installation.tenant))
    named = [(event, set(_subjects(event, pseudonymiser))) for event in batch.events if event.word is not DUPLICATE]
    everybody = set[str]().union(*(subjects for _, subjects in named))
    erased = marked(installation.tenant_id, everybody, now=batch.received_at) if everybody else set()
    for event, subjects in named:
        if not erased.isdisjoint(subjects):
            event.outcome, event.word, event.observation = _dropped(event.outcome), EventOutcome.DISABLED, None


def _subjects(event: ProcessedEvent, pseudonymiser: Pseudonymiser) -> Iterator[str]:
    """The pseudonyms of whom the event names, in its context and in properties that are stored as pseudonyms."""
    envelope = event.incoming.envelope
    if envelope is None:
        return
    context = envelope.context
    # A tracker of ours sends pseudonyms.
    naming: Renaming = pseudonymiser if event.incoming.report is None else OnlyRaw(pseudonymiser)
    for text in (context.user_id, context.session_id, context.device_id, context.actor):
        if type(text) is str and text:
            yield naming.pseudonym(text)
    if isinstance(event.outcome, Accepted):
        dispatch = event.outcome.dispatch
        yield from filter(is_pseudonym, dispatch.properties.values())
        yield from filter(is_pseudonym, dispatch.context.metadata.values())


def _dropped(outcome: Outcome) -> Dropped:
    return Dropped(name=outcome.name or "", version=outcome.version or 0, reason=DropReason.DISABLED, metrics={})
