"""The one way in for events: judged by the effective config, counted, stored once, in one transaction."""

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta

from django.conf import settings
from django.db import IntegrityError

from telemetry.core.event_ids import KeptId
from telemetry.services.ingest.claims import Claim, claim_contested_ids, claim_ids, is_claimed_meanwhile
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.services.ingest.erased import drop_erased
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.judging import Judge
from telemetry.services.ingest.processed import (
    DUPLICATE,
    REJECTED,
    BatchResult,
    ProcessedBatch,
    ProcessedEvent,
    group_by_contract,
)
from telemetry.services.ingest.storing import groups_to_store
from telemetry.services.ingest.tallying import tally_batch
from telemetry.services.live import publish_live
from telemetry.services.outbox import enqueue_dispatches
from telemetry.services.partitions import ensure_partitions
from telemetry.services.privacy_findings import record_findings
from telemetry.services.quarantine.holding import hold_rejected
from telemetry.services.violations import record_violations
from telemetry.services.what_if.sampling import take_samples
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.partitions import is_missing_partition
from telemetry.stores.tallies import add_tallies
from tenants.context import tenant_context
from tenants.models import Installation

__all__ = ["ingest_batch"]

logger = logging.getLogger(__name__)


def ingest_batch(*, installation: Installation, events: Sequence[Incoming], received_at: datetime) -> BatchResult:
    """Every event is judged by the config in force, counted once, and stored when it is kept; committed on return.

    ``installation`` comes with its tenant. One transaction of its own, or a savepoint within another one, whose commit
    decides then. An id that was counted before has no effect again, so a batch whose outcome is unknown may be sent
    again as a whole. What is wrong with single events is in the result; nothing of it raises.

    What else has to happen with the batch at once or not at all (violations, outbox) is called here, in the
    transaction, with the ``ProcessedBatch``.
    """
    try:
        return _ingest_beside_others(installation, events, received_at)
    except IntegrityError as error:
        if not is_missing_partition(error):
            raise
    # The job that makes partitions two weeks ahead has failed for as long: make them here rather than lose the batch.
    logger.error("partition.missing", extra={"installation": installation.pk})
    ensure_partitions()
    return _ingest_beside_others(installation, events, received_at)


def _ingest_beside_others(installation: Installation, events: Sequence[Incoming], received_at: datetime) -> BatchResult:
    try:
        return _ingest(installation, events, received_at, claim_ids)
    except IntegrityError as error:
        if not is_claimed_meanwhile(error):
            raise
    # The same batch came twice at once, and the other one is committed now.
    return _ingest(installation, events, received_at, claim_contested_ids)


def _ingest(installation: Installation, events: Sequence[Incoming], received_at: datetime, claim: Claim) -> BatchResult:
    maximum_age = timedelta(days=settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS)
    with tenant_context((installation.tenant_id,)):
        config = config_at_ingest(installation)
        judge = Judge(config.compiled, installation.tenant, received_at=received_at, maximum_age=maximum_age)
        judged = judge.judge_all(events)
        batch = ProcessedBatch(installation, received_at, config, judged, group_by_contract(judged))
        _mark_duplicates(batch, claim)
        drop_erased(batch)
        add_tallies(tally_batch(batch, maximum_age=maximum_age))
        EVENT_STORE.write(
            tenant_id=installation.tenant_id,
            installation_id=installation.pk,
            received_at=received_at,
            groups=groups_to_store(batch),
        )
        provider_ids = enqueue_dispatches(batch)
        record_violations(batch)
        record_findings(batch)
        hold_rejected(batch)
        take_samples(batch)
        publish_live(batch)
    return BatchResult(batch.events, provider_ids)


def _mark_duplicates(batch: ProcessedBatch, claim: Claim) -> None:
    """Events whose id was counted before, earlier in the batch or in another one, are duplicates.

    Rejected ones are not counted as received: when what was wrong is put right, they may come again.
    """
    first: dict[bytes, ProcessedEvent] = {}
    ids: list[KeptId] = []
    for event in batch.events:
        kept = event.kept_id
        if kept is None or event.word is REJECTED:
            continue
        if first.setdefault(kept.content, event) is event:
            ids.append(kept)
        else:
            event.word = DUPLICATE
    for content in claim(batch.installation, batch.received_at, ids):
        first[content].word = DUPLICATE
