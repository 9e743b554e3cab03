"""The one way in for events: judged by the effective config, counted, stored once, in one transaction."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

import msgspec
from django.conf import settings

from telemetry.core.enums import EventOutcome
from telemetry.core.events import Accepted
from telemetry.models import EventTally
from telemetry.services.ingest.claims import claim_ids
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.judging import Judge
from telemetry.services.ingest.processed import BatchItem, BatchResult, ProcessedBatch, ProcessedEvent
from telemetry.services.ingest.tallying import tally_batch
from telemetry.services.violations import record_violations
from telemetry.stores.base import EventRow, EventStore
from telemetry.stores.postgres import PostgresEventStore
from tenants.context import tenant_context
from tenants.models import Installation

__all__ = ["ingest_batch"]

STORE: Final[EventStore] = PostgresEventStore()

_encode = msgspec.json.Encoder().encode


def ingest_batch(*, installation: Installation, events: Sequence[Incoming], received_at: datetime) -> BatchResult:
    """Every event is judged by the config in force, counted once, and stored when it is kept; committed on return.

    ``installation`` comes with its tenant. One transaction of its own, or a savepoint within another one, whose commit
    decides then. An id that was counted before has no effect again, so a batch whose outcome is unknown may be sent
    again as a whole. What is wrong with single events is in the result; nothing of it raises.

    What else has to happen with the batch at once or not at all (violations, outbox) is called here, in the
    transaction, with the ``ProcessedBatch``.
    """
    maximum_age = timedelta(days=settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS)
    with tenant_context((installation.tenant_id,)):
        config = config_at_ingest(installation)
        judge = Judge(config.compiled, installation.tenant, received_at=received_at, maximum_age=maximum_age)
        batch = ProcessedBatch(installation, received_at, config, [judge.judge(event) for event in events])
        _mark_duplicates(batch)
        EventTally.objects.bulk_create(tally_batch(batch, maximum_age=maximum_age))
        STORE.write(
            tenant_id=installation.tenant_id,
            installation_id=installation.pk,
            received_at=received_at,
            rows=_rows(batch),
        )
        record_violations(batch)
    return BatchResult([BatchItem(event.word, event.event_id, event.outcome.violations) for event in batch.events])


def _mark_duplicates(batch: ProcessedBatch) -> None:
    """Events whose id was counted before, earlier in the batch or in another one, are duplicates.

    Rejected ones are not counted as received: when what was wrong is put right, they may come again.
    """
    first: dict[UUID, ProcessedEvent] = {}
    for event in batch.events:
        if event.word is EventOutcome.REJECTED or event.event_id is None:
            continue
        if event.event_id in first:
            event.word = EventOutcome.DUPLICATE
        else:
            first[event.event_id] = event
    if not first:
        return
    installation = batch.installation
    known = claim_ids(
        tenant_id=installation.tenant_id, installation_id=installation.pk, received_at=batch.received_at, ids=first
    )
    for event_id in known:
        first[event_id].word = EventOutcome.DUPLICATE


def _rows(batch: ProcessedBatch) -> list[EventRow]:
    rows = []
    for event in batch.events:
        if event.word is EventOutcome.STORED and isinstance(event.outcome, Accepted) and event.event_id is not None:
            dispatch = event.outcome.dispatch
            rules = batch.config.events[dispatch.name, dispatch.version]
            row = EventRow(
                id=event.event_id,
                name=dispatch.name,
                version=dispatch.version,
                occurred_at=event.occurred_at,
                expires_at=batch.received_at + rules.lifetime,
                retention_class=rules.retention_class,
                privacy=dispatch.privacy,
                source=event.incoming.source,
                app_version=event.incoming.app_version,
                inclusion_probability=dispatch.inclusion_probability,
                config_revision=dispatch.config_revision,
                properties=msgspec.Raw(_encode(dispatch.properties)),
                context=msgspec.Raw(_encode(dispatch.context)),
            )
            rows.append(row)
    return rows
