"""What is to be passed on: rows that are written with the events, so that nothing that is stored is forgotten."""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple
from uuid import UUID

from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Accepted
from telemetry.models import DeliveryRecord, ProviderKind
from telemetry.services.ingest.processed import STORED, ProcessedBatch
from telemetry.stores.arrays import execute
from tenants.config_lease import PROCESS_LEASE, KnownState

__all__ = ["EVENTS_PER_ROW", "enqueue_dispatches"]

# A row is sent as a whole, and again as a whole: as many events as every kind of provider takes in one call.
EVENTS_PER_ROW: Final = 100
_ORDER: Final = list(PrivacyLevel)

# Installations of which one process remembers the providers. Beyond it, all are forgotten and learnt again.
MOST_INSTALLATIONS: Final = 10_000
# Asked for many batches, and mostly there is none: prepared once, where the ORM would write the text each time.
ENABLED: Final = """
SELECT id, kind, highest_level FROM telemetry_providerrecord WHERE installation_id = %s AND is_enabled ORDER BY id
"""

# Id, name and place in the order of levels.
_Kept = tuple[UUID, str, int]


class _Provider(NamedTuple):
    """What decides whether a provider may have an event."""

    id: int
    kind: str
    highest_level: str


class _Memory:
    """The providers of installations that are switched on, as long as it is certain that they are the same."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[KnownState, tuple[_Provider, ...]]] = {}

    def enabled(self, installation_id: int) -> tuple[_Provider, ...]:
        # Before the database is asked, so that what is read then is at least as new.
        state = PROCESS_LEASE.current()
        known = self._known.get(installation_id)
        if known is not None and known[0] is state:
            return known[1]
        found = tuple(_Provider(*row) for row in execute(ENABLED, [installation_id]))
        if state is not None:
            if len(self._known) >= MOST_INSTALLATIONS:
                self._known.clear()
            self._known[installation_id] = (state, found)
        return found


_memory: Final = _Memory()


def enqueue_dispatches(batch: ProcessedBatch) -> Sequence[int]:
    """Each provider of the installation is owed the stored events of the batch that it may have; ids of providers.

    Called in the batch's transaction. A provider that is switched off is owed nothing, nor is one of a kind that the
    spec leaves out though it names providers. No query where the process knows the providers, else one, and one more if
    there are any.
    """
    if not any(event.word is STORED for event in batch.events):
        return ()
    wanted = [each for each in _memory.enabled(batch.installation.pk) if is_named(each.kind, _named(batch))]
    if not wanted:
        return ()
    kept = list(_kept(batch))
    rows = [row for provider in wanted for row in _rows(batch, provider, kept)]
    DeliveryRecord.objects.bulk_create(rows)
    return tuple(dict.fromkeys(row.provider_id for row in rows))


def is_named(kind: str, named: frozenset[str]) -> bool:
    """Whether events go to providers of this kind where a spec names these kinds.

    A spec that names none leaves it to the installation; specs cannot name web hooks.
    """
    return not named or kind == ProviderKind.WEBHOOK or kind in named


def _named(batch: ProcessedBatch) -> frozenset[str]:
    effective = batch.config.effective
    return frozenset() if effective is None else frozenset(each.type.value for each in effective.providers)


def _kept(batch: ProcessedBatch) -> Iterator[_Kept]:
    levels = {contract: _ORDER.index(rules.effective.privacy) for contract, rules in batch.config.events.items()}
    for event in batch.events:
        event_id, outcome = event.event_id, event.outcome
        if event.word is STORED and isinstance(outcome, Accepted) and event_id is not None:
            yield event_id, outcome.name, levels[outcome.name, outcome.version]


def _rows(batch: ProcessedBatch, provider: _Provider, kept: Sequence[_Kept]) -> Iterator[DeliveryRecord]:
    highest = _ORDER.index(PrivacyLevel(provider.highest_level))
    allowed = [(event_id, name) for event_id, name, level in kept if level <= highest]
    for start in range(0, len(allowed), EVENTS_PER_ROW):
        part = allowed[start : start + EVENTS_PER_ROW]
        yield DeliveryRecord(
            tenant_id=batch.installation.tenant_id,
            installation_id=batch.installation.pk,
            provider_id=provider.id,
            received_at=batch.received_at,
            names=sorted({name for _, name in part}),
            event_ids=[event_id for event_id, _ in part],
            count=len(part),
            created_at=batch.received_at,
            due_at=batch.received_at,
        )
