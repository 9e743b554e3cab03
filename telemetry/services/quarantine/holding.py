"""Refused events of a batch, put away in the batch's transaction."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings

from telemetry.core.app_versions import is_app_version
from telemetry.core.enums import EventOutcome, PrivacyLevel, ViolationCode
from telemetry.core.events import Context, Envelope, Rejected, Violation
from telemetry.core.pseudonyms import Pseudonymiser, pseudonymiser_for
from telemetry.detection.inspector import is_safe_name
from telemetry.models import HeldEvent
from telemetry.services.ingest.processed import ProcessedBatch, ProcessedEvent
from telemetry.services.quarantine.sealed import is_set_up, seal_envelope
from telemetry.services.violations import safe_path
from tenants.pseudonym_key import installation_pseudonym_key

__all__ = ["LARGEST_BYTES", "hold_rejected", "reason_of"]

# Sealed; ten times what a large event has. Bigger ones are mistakes of their own, and would fill the table.
LARGEST_BYTES: Final = 262_144
LONGEST_REASON: Final = 400
# Its id was made too long ago to tell whether it came before: mending changes nothing about that.
_HOPELESS: Final = frozenset({ViolationCode.OUTSIDE_WINDOW})


def hold_rejected(batch: ProcessedBatch) -> None:
    """Refused events are held for as many days as the config says; nothing happens if it says none.

    Never held are events at level ``sensitive``, reports of our trackers, what cannot be read, what is larger than 256
    KiB sealed, and what is beyond ``STUDIO_QUARANTINE_MAX_EVENTS`` of the installation. An event that is held already
    stays as it is. Two queries, none if there is nothing to hold.
    """
    days = 0 if batch.config.effective is None else batch.config.effective.quarantine_days
    if not days or not is_set_up():
        return
    rejected = [event for event in batch.events if event.word is EventOutcome.REJECTED and _may_be_held(batch, event)]
    if not rejected:
        return
    held = HeldEvent.objects.filter(installation_id=batch.installation.pk).order_by().count()
    room = max(0, settings.STUDIO_QUARANTINE_MAX_EVENTS - held)
    # Events of one batch are put away in the order of their ids, so that two batches wait for each other.
    rows = sorted(_rows(batch, rejected[:room], days), key=lambda row: row.event_id)
    if rows:
        HeldEvent.objects.bulk_create(rows, ignore_conflicts=True)


def reason_of(violations: tuple[Violation, ...]) -> str:
    """What was wrong, by kinds and places, in a fixed order; equal for events that are refused for the same reason."""
    parts = sorted({f"{violation.code} {safe_path(violation)}".strip() for violation in violations})
    return "; ".join(parts)[:LONGEST_REASON]


def _may_be_held(batch: ProcessedBatch, event: ProcessedEvent) -> bool:
    # A report of a tracker is redacted already: nobody could tell what should have been sent.
    if event.kept_id is None or event.incoming.envelope is None or event.incoming.report is not None:
        return False
    if any(violation.code in _HOPELESS for violation in event.outcome.violations):
        return False
    outcome, compiled = event.outcome, batch.config.compiled
    if not isinstance(outcome, Rejected) or outcome.name is None or outcome.version is None or compiled is None:
        return True
    rules = compiled.find(outcome.name, outcome.version)
    return rules is None or rules.privacy is not PrivacyLevel.SENSITIVE


def _rows(batch: ProcessedBatch, rejected: list[ProcessedEvent], days: int) -> Iterator[HeldEvent]:
    installation = batch.installation
    pseudonymiser = pseudonymiser_for(installation_pseudonym_key(installation.tenant))
    lifetime = timedelta(days=min(days, settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS))
    for event in rejected:
        envelope = event.incoming.envelope
        if envelope is None or event.kept_id is None:
            continue
        # The time by our clock: when it is taken in later, nobody knows any more how far the sender's was off.
        kept = msgspec.structs.replace(envelope, occurred_at=event.occurred_at)
        sealed = seal_envelope(installation.tenant_id, kept)
        if len(sealed) > LARGEST_BYTES:
            continue
        version = event.incoming.app_version or ""
        yield HeldEvent(
            tenant_id=installation.tenant_id,
            installation_id=installation.pk,
            event_id=UUID(bytes=event.kept_id.content),
            event_name=_name_of(event, envelope),
            reason=reason_of(event.outcome.violations),
            source=event.incoming.source.value,
            app_version=version if is_app_version(version) else "",
            subjects=sorted(_subjects(envelope.context, pseudonymiser)),
            sealed=sealed,
            received_at=batch.received_at,
            expires_at=batch.received_at + lifetime,
        )


def _name_of(event: ProcessedEvent, envelope: Envelope) -> str:
    known = event.outcome.name if isinstance(event.outcome, Rejected) else None
    return known or (envelope.name if is_safe_name(envelope.name) else "")


def _subjects(context: Context, pseudonymiser: Pseudonymiser) -> set[str]:
    ids = (context.user_id, context.session_id, context.device_id, context.actor)
    return {pseudonymiser.pseudonym(subject) for subject in ids if subject}
