"""The places in which something about a person may be, each gone through in bounded parts."""

from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from time import monotonic
from typing import Any, Final, NamedTuple, Protocol
from uuid import UUID

import msgspec

from telemetry.core.subjects import SubjectMatcher
from telemetry.models import AccessExport, AccessPart, DeliveryRecord, ExportState, HeldEvent, LegalHold, SampledEvent
from telemetry.services.holds import active_holds, is_held
from telemetry.services.quarantine.sealed import is_set_up, open_envelope
from telemetry.services.what_if.sampling import open_sample
from telemetry.stores.live import live_stream
from telemetry.stores.removals import lock_removals
from telemetry.stores.subjects import FoundEvent, Slice, erase_events, events_in, slices_after

__all__ = [
    "HELD_PORTION",
    "Count",
    "Exports",
    "Live",
    "Place",
    "Quarantine",
    "Samples",
    "Search",
    "Store",
    "Turn",
    "Visit",
    "held_about",
    "holds_on",
]

# Held events that are opened at once.
HELD_PORTION: Final = 500

# Rows by place, installation (0 for none) and event ("" for none).
Count = Counter[tuple[str, int, str]]


class Search(NamedTuple):
    """Whom and where: one person at one tenant, in its installations, given by id with the id that the world knows.

    ``since`` is when the search began: what is begun later was made of what is left by then.
    """

    tenant_id: int
    installations: Mapping[int, UUID]
    matcher: SubjectMatcher
    pseudonyms: Collection[str]
    since: datetime | None = None


class Turn(NamedTuple):
    """How far to go: on from ``last``, until about ``ends_at`` (``monotonic``); ``erases`` what it counts, or not."""

    last: Any
    ends_at: float
    erases: bool


class Visit(NamedTuple):
    """What part of a place held, and from where to go on; ``None`` at its end. ``last`` is JSON.

    ``holds`` are the legal holds that keep some of it: erasing ends at the first, and ``rows`` are what went before.
    """

    rows: Count
    last: Any
    holds: frozenset[int] = frozenset()


class Place(Protocol):
    """A place; ``visit`` goes through part of it, in a transaction and in a context that shows the tenant."""

    @property
    def name(self) -> str: ...

    def visit(self, search: Search, turn: Turn) -> Visit: ...


class Store:
    """The event store, with what providers are still owed of the events in it."""

    name = "store"

    def visit(self, search: Search, turn: Turn) -> Visit:
        """Slice after slice until the time is over (``monotonic``)."""
        rows, holds = Count(), frozenset[int]()
        behind = None if turn.last is None else msgspec.convert(turn.last, Slice)
        for part in slices_after(behind):
            found = list(events_in(part, search.installations, search.matcher.is_about))
            if found:
                holds |= _holds(search.tenant_id, found, erases=turn.erases)
                if turn.erases and holds:
                    return Visit(rows, None, holds)
                rows += _outbox(found, erases=turn.erases)
                rows += Counter((self.name, event.installation_id, event.name) for event in found)
                if turn.erases:
                    erase_events(search.tenant_id, part, found)
            if monotonic() > turn.ends_at:
                return Visit(rows, msgspec.to_builtins(part), holds)
        return Visit(rows, None, holds)


class Quarantine:
    """Refused events that are held: by the pseudonyms beside them, and by what is inside."""

    name = "quarantine"

    def visit(self, search: Search, turn: Turn) -> Visit:
        """Some hundred rows at a time."""
        rows, holds = Count(), frozenset[int]()
        behind = turn.last or 0
        while True:
            held = HeldEvent.objects.filter(installation_id__in=search.installations, pk__gt=behind).order_by("pk")
            portion = list(held[:HELD_PORTION])
            found = [row for row in portion if held_about(row, search)]
            if found:
                holds |= holds_on(active_holds(search.tenant_id), map(_as_found, found))
            if turn.erases and holds:
                return Visit(rows, None, holds)
            if turn.erases and found:
                HeldEvent.objects.filter(pk__in=[row.pk for row in found]).delete()
            rows += Counter((self.name, row.installation_id, row.event_name) for row in found)
            if len(portion) < HELD_PORTION:
                return Visit(rows, None, holds)
            behind = portion[-1].pk
            if monotonic() > turn.ends_at:
                return Visit(rows, behind, holds)


class Samples:
    """Events that changes are tried on. They name nobody; one that carries the id in a value that is shown goes."""

    name = "samples"

    def visit(self, search: Search, turn: Turn) -> Visit:
        """Some hundred rows at a time."""
        rows, behind = Count(), turn.last or 0
        while True:
            sampled = SampledEvent.objects.filter(installation_id__in=search.installations, pk__gt=behind)
            portion = list(sampled.order_by("pk")[:HELD_PORTION])
            found = [row for row in portion if _is_named_in(row, search)]
            if turn.erases and found:
                SampledEvent.objects.filter(pk__in=[row.pk for row in found]).delete()
            rows += Counter((self.name, row.installation_id, row.event_name) for row in found)
            if len(portion) < HELD_PORTION:
                return Visit(rows, None)
            behind = portion[-1].pk
            if monotonic() > turn.ends_at:
                return Visit(rows, behind)


class Live:
    """What somebody who watches an installation would see next."""

    name = "live"

    def visit(self, search: Search, turn: Turn) -> Visit:
        """All at once: there are a few hundred lines at most. Raises ``Unavailable``."""
        stream, rows = live_stream(), Counter[tuple[str, int, str]]()
        for installation_id, public_id in search.installations.items():
            count = stream.find(public_id, lambda line: search.matcher.is_about(line.decode()), removes=turn.erases)
            rows[self.name, installation_id, ""] += count
        return Visit(+rows, None)


class Exports:
    """What was put together for the person to have."""

    name = "exports"

    def visit(self, search: Search, turn: Turn) -> Visit:
        """All at once: a person has few."""
        exports = AccessExport.objects.filter(tenant_id=search.tenant_id, pseudonyms__overlap=list(search.pseudonyms))
        parts = AccessPart.objects.filter(export__in=exports)
        count = sum(parts.values_list("events", flat=True))
        if turn.erases:
            parts.delete()
            exports.exclude(state=ExportState.EXPIRED).update(state=ExportState.EXPIRED)
        return Visit(+Counter({(self.name, 0, ""): count}), None)


def held_about(row: HeldEvent, search: Search) -> bool:
    """Whether a held event is about the person, by the pseudonyms beside it or by what is inside."""
    if not search.matcher.pseudonyms.isdisjoint(row.subjects):
        return True
    envelope = open_envelope(row.tenant_id, bytes(row.sealed)) if is_set_up() else None
    return envelope is not None and search.matcher.holds_id(msgspec.to_builtins(envelope))


def _is_named_in(row: SampledEvent, search: Search) -> bool:
    envelope = open_sample(row.tenant_id, bytes(row.sealed)) if is_set_up() else None
    return envelope is not None and search.matcher.holds_id(msgspec.to_builtins(envelope))


def _holds(tenant_id: int, found: Sequence[FoundEvent], *, erases: bool) -> frozenset[int]:
    """The holds in force that keep some of the events; nobody places another one until the transaction ends."""
    if erases:
        lock_removals()
    return holds_on(active_holds(tenant_id), found)


def holds_on(holds: Sequence[LegalHold], found: Iterable[FoundEvent]) -> frozenset[int]:
    """Those of the holds that keep one of the events."""
    events = list(found) if holds else []
    return frozenset(hold.pk for hold in holds if any(_is_held(hold, event) for event in events))


def _is_held(hold: LegalHold, event: FoundEvent) -> bool:
    return is_held(
        [hold],
        installation_id=event.installation_id,
        name=event.name,
        subjects=event.subjects,
        received_at=event.received_at,
        occurred_at=event.occurred_at,
    )


def _as_found(row: HeldEvent) -> FoundEvent:
    """A refused event as holds see it: when it happened is sealed, so when it came stands for that."""
    return FoundEvent(
        installation_id=row.installation_id,
        name=row.event_name,
        version=0,
        received_at=row.received_at,
        occurred_at=row.received_at,
        id=row.event_id,
        subjects=tuple(row.subjects),
    )


def _outbox(found: list[FoundEvent], *, erases: bool) -> Count:
    """How many of the events a provider is owed or was given, by what still names them; erased, nothing does."""
    ids = {event.id: event for event in found}
    rows: Count = Counter()
    for installation_id in {event.installation_id for event in found}:
        instants = {event.received_at for event in found if event.installation_id == installation_id}
        for row in _deliveries(installation_id, instants, list(ids)):
            named = [ids[event_id] for event_id in row.event_ids if event_id in ids]
            rows += Counter(("outbox", installation_id, event.name) for event in named)
            if erases:
                _take_out(row, set(ids))
    return rows


def _deliveries(installation_id: int, instants: Collection[datetime], ids: list[UUID]) -> list[DeliveryRecord]:
    rows = DeliveryRecord.objects.filter(provider__installation_id=installation_id, installation_id=installation_id)
    named = rows.filter(received_at__in=instants, event_ids__overlap=ids)
    return list(named.order_by("pk").select_for_update(of=("self",)))


def _take_out(row: DeliveryRecord, ids: Collection[UUID]) -> None:
    row.event_ids = [event_id for event_id in row.event_ids if event_id not in ids]
    if row.event_ids:
        row.count = len(row.event_ids)
        row.save(update_fields=["event_ids", "count"])
    else:
        row.delete()
