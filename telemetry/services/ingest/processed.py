"""What the pipeline made of a batch: what the store, the tallies and the hooks of the transaction work on."""

from collections import Counter
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from telemetry.core.enums import EventOutcome
from telemetry.core.event_ids import KeptId
from telemetry.core.events import Outcome, Violation
from telemetry.core.observation import Observation
from telemetry.core.unwritten import Unwritten
from telemetry.services.ingest.configs import IngestConfig
from telemetry.services.ingest.incoming import Incoming
from tenants.models import Installation

__all__ = [
    "DUPLICATE",
    "REJECTED",
    "STORED",
    "BatchItem",
    "BatchResult",
    "Contract",
    "ProcessedBatch",
    "ProcessedEvent",
    "group_by_contract",
]

# For what is asked of every event of a batch: Python 3.11 takes ten times as long to find a member through its class.
STORED: Final = EventOutcome.STORED
REJECTED: Final = EventOutcome.REJECTED
DUPLICATE: Final = EventOutcome.DUPLICATE

# Name and version of an event of the config.
Contract = tuple[str, int]


class ProcessedEvent(msgspec.Struct):
    """One event of the batch.

    ``outcome`` is the core's; for what never had an envelope, a ``Rejected`` with the entry's problem. ``kept_id`` is
    the id in the form in which it is kept, ``None`` for what had none that can be read. ``occurred_at`` is by our
    clock, ``is_skewed`` says that it differs from the sender's word. ``word`` is what is counted; the outcome of a
    duplicate has no effect.
    """

    incoming: Incoming
    outcome: Outcome
    kept_id: KeptId | None
    occurred_at: datetime
    is_skewed: bool
    word: EventOutcome
    observation: Observation | None = None

    @property
    def event_id(self) -> UUID | None:
        """The id as it is kept."""
        return None if self.kept_id is None else UUID(bytes=self.kept_id.content)


class ProcessedBatch(NamedTuple):
    """A batch within its transaction, in a context that shows the installation.

    ``events`` are in the order in which they came; ``groups`` are the same, as ``group_by_contract`` gives them.
    """

    installation: Installation
    received_at: datetime
    config: IngestConfig
    events: Sequence[ProcessedEvent]
    groups: Mapping[Contract | None, Sequence[ProcessedEvent]]


def group_by_contract(events: Sequence[ProcessedEvent]) -> dict[Contract | None, list[ProcessedEvent]]:
    """The events by contract, in their order; under ``None`` those for which none was found."""
    groups: dict[Contract | None, list[ProcessedEvent]] = {}
    for event in events:
        # Of usual ones the terms have both at hand.
        contracted = event.outcome.terms if type(event.outcome) is Unwritten else event.outcome
        name, version = contracted.name, contracted.version
        contract = None if name is None or version is None else (name, version)
        group = groups.get(contract)
        if group is None:
            groups[contract] = [event]
        else:
            group.append(event)
    return groups


class BatchItem(msgspec.Struct, frozen=True, gc=False):
    """What became of one event: the word, its id as it is kept (a UUID), and what it broke, without any value."""

    outcome: EventOutcome
    event_id: str | None
    violations: tuple[Violation, ...]


class BatchResult(NamedTuple):
    """What became of a batch, by its events in the order in which they came.

    ``provider_ids`` are those to which events of it are to be passed on: after the commit, whoever called wakes a job.
    """

    events: Sequence[ProcessedEvent]
    provider_ids: Sequence[int] = ()

    @property
    def items(self) -> list[BatchItem]:
        """One item per event."""
        return [_item(event) for event in self.events]

    def remarkable(self) -> list[tuple[int, BatchItem]]:
        """What was not stored or broke a rule, with its place among the events."""
        return [
            (place, _item(event))
            for place, event in enumerate(self.events)
            if event.word is not STORED or event.outcome.violations
        ]

    def counts(self) -> Counter[EventOutcome]:
        """How many events had which outcome."""
        return Counter([event.word for event in self.events])


def _item(event: ProcessedEvent) -> BatchItem:
    kept = event.kept_id
    return BatchItem(event.word, None if kept is None else kept.text, event.outcome.violations)
