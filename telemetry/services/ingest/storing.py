"""What is stored of a batch: rows in groups that have all but the rows in common."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import msgspec

from telemetry.core.events import Accepted, Dispatch
from telemetry.core.unwritten import Terms, Unwritten
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.processed import STORED, Contract, ProcessedBatch, ProcessedEvent
from telemetry.stores.base import EventGroup, EventRow

__all__ = ["groups_to_store"]

# As many as there are usual shapes of some hundred events.
_MOST_SHAPES: Final = 1_024

_encode = msgspec.json.Encoder().encode


def groups_to_store(batch: ProcessedBatch) -> list[EventGroup]:
    """The stored events of the batch; mostly one group for each contract."""
    contexts: dict[int, bytes] = {}
    return [
        group
        for contract, events in batch.groups.items()
        if contract is not None
        for group in _alike(batch, contract, events, contexts)
    ]


def _alike(
    batch: ProcessedBatch, contract: Contract, events: Sequence[ProcessedEvent], contexts: dict[int, bytes]
) -> list[EventGroup]:
    """What is stored of the events of one contract, by all that ``EventRow`` does not have.

    ``contexts`` are those written so far, by the address of the subject, which an event of the batch holds on to.
    """
    groups: dict[tuple[object, ...], EventGroup] = {}
    # Of the usual event before: most are as the one before in all of this.
    terms, row_of, usual = None, _row_of(()), list[EventRow]()
    source, app_version = None, None
    for event in events:
        outcome, incoming, kept = event.outcome, event.incoming, event.kept_id
        if event.word is not STORED or kept is None:
            continue
        if type(outcome) is Unwritten:
            if outcome.terms is not terms or incoming.source is not source or incoming.app_version is not app_version:
                terms, source, app_version = outcome.terms, incoming.source, incoming.app_version
                row_of, usual = _row_of(terms.properties), _rows(batch, contract, terms, incoming, groups)
            subject = outcome.subject
            context = contexts.get(id(subject))
            if context is None:
                context = contexts[id(subject)] = _encode(subject.context)
            usual.append((kept.content, event.occurred_at, _encode(row_of(*outcome.values)), context))
        elif isinstance(outcome, Accepted):
            dispatch = outcome.dispatch
            rows = _rows(batch, contract, dispatch, incoming, groups)
            rows.append((kept.content, event.occurred_at, _encode(dispatch.properties), _encode(dispatch.context)))
    return list(groups.values())


def _rows(
    batch: ProcessedBatch,
    contract: Contract,
    origin: Terms | Dispatch,
    incoming: Incoming,
    groups: dict[tuple[object, ...], EventGroup],
) -> list[EventRow]:
    """Those of the group that the event belongs to."""
    key = (origin.inclusion_probability, origin.config_revision, incoming.source, incoming.app_version)
    group = groups.get(key)
    if group is None:
        group = groups[key] = _group(batch, contract, origin, incoming)
    return group.rows


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


@lru_cache(_MOST_SHAPES)
def _row_of(names: tuple[str, ...]) -> type[msgspec.Struct]:
    """A type with these fields: it is made and written in half the time of a dict."""
    fields: list[tuple[str, Any]] = [(f"p{place}", Any) for place in range(len(names))]
    rename = {field: name for (field, _), name in zip(fields, names, strict=True)}
    return msgspec.defstruct("Row", fields, rename=rename, gc=False)
