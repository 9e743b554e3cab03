"""What is stored of a batch: rows in groups that have all but the rows in common."""

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from telemetry.core.enums import EventOutcome
from telemetry.core.events import Accepted, Dispatch
from telemetry.core.unwritten import Subject, Terms, Unwritten
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.processed import Contract, ProcessedBatch, ProcessedEvent
from telemetry.stores.base import EventGroup

__all__ = ["groups_to_store"]

# As many as there are usual shapes of some hundred events.
_MOST_SHAPES: Final = 1_024

_encode = msgspec.json.Encoder().encode


def groups_to_store(batch: ProcessedBatch) -> list[EventGroup]:
    """The stored events of the batch; mostly one group for each contract."""
    written = _Written()
    return [
        group
        for contract, events in batch.groups.items()
        if contract is not None
        for group in _alike(batch, contract, events, written)
    ]


def _alike(
    batch: ProcessedBatch, contract: Contract, events: Sequence[ProcessedEvent], written: "_Written"
) -> list[EventGroup]:
    """What is stored of the events of one contract, by all that ``EventRow`` does not have."""
    groups: dict[tuple[object, ...], EventGroup] = {}
    for event in events:
        outcome, incoming, kept = event.outcome, event.incoming, event.kept_id
        if event.word is not EventOutcome.STORED or not isinstance(outcome, Accepted) or kept is None:
            continue
        if type(outcome) is Unwritten:
            origin: Terms | Dispatch = outcome.terms
            properties, context = written.properties(outcome), written.context(outcome.subject)
        else:
            origin = outcome.dispatch
            properties, context = _encode(outcome.dispatch.properties), _encode(outcome.dispatch.context)
        key = (origin.inclusion_probability, origin.config_revision, incoming.source, incoming.app_version)
        group = groups.get(key)
        if group is None:
            group = groups[key] = _group(batch, contract, origin, incoming)
        group.rows.append((kept.content, event.occurred_at, properties, context))
    return list(groups.values())


def _group(batch: ProcessedBatch, contract: Contract, origin: Terms | Dispatch, incoming: Incoming) -> EventGroup:
    rules = batch.config.events[contract]
    return EventGroup(
        name=origin.name,
        version=origin.version,
        expires_at=batch.received_at + rules.lifetime,
        retention_class=rules.retention_class,
        privacy=origin.privacy,
        source=incoming.source,
        app_version=incoming.app_version,
        inclusion_probability=origin.inclusion_probability,
        config_revision=origin.config_revision,
        rows=[],
    )


class _Written:
    """Properties and contexts as JSON; what events of a batch share is written once."""

    def __init__(self) -> None:
        # By the address of what the events hold on to.
        self._writers: dict[int, Callable[..., msgspec.Struct]] = {}
        self._contexts: dict[int, bytes] = {}

    def properties(self, outcome: Unwritten) -> bytes:
        """Those of the event, as its dispatch would have them."""
        terms = outcome.terms
        row = self._writers.get(id(terms))
        if row is None:
            row = self._writers[id(terms)] = _row_of(terms.properties)
        return _encode(row(*outcome.values))

    def context(self, subject: Subject) -> bytes:
        """That of all events of the subject."""
        found = self._contexts.get(id(subject))
        if found is None:
            found = self._contexts[id(subject)] = _encode(subject.context)
        return found


@lru_cache(_MOST_SHAPES)
def _row_of(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """A type with these fields: it is made and written in half the time of a dict."""
    fields: list[tuple[str, Any]] = [(f"p{place}", Any) for place in range(len(names))]
    rename = {field: name for (field, _), name in zip(fields, names, strict=True)}
    return msgspec.defstruct("Row", fields, rename=rename, gc=False)
