"""Taking held events in after all: rehearsed as often as one likes, and then once."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from telemetry.core.compiled import CompiledEvent, CompiledRules
from telemetry.core.enums import EventOutcome, EventSource, UndeclaredPolicy
from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.core.events import Accepted, Envelope, Rejected
from telemetry.core.mending import Mending, described, mend, names_after
from telemetry.models import HeldEvent
from telemetry.selectors.quarantine import HeldGroup, held_events
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.judging import Judge
from telemetry.services.ingest.processed import ProcessedEvent
from telemetry.services.ingest.service import ingest_batch
from telemetry.services.quarantine.holding import reason_of
from telemetry.services.quarantine.sealed import is_set_up, open_envelope
from tenants.actors import Actor, require
from tenants.models import Installation
from tenants.services import audit

__all__ = ["MOST_AT_ONCE", "Preview", "Rehearsal", "Replay", "discard", "rehearse", "replay"]

# What a request does in seconds. More are taken in by asking again.
MOST_AT_ONCE: Final = 1_000
# Sealed: what a request may have in memory.
MOST_BYTES_AT_ONCE: Final = 20_000_000
PORTION: Final = 200


class Preview(NamedTuple):
    """One mended event as it would be stored: everything that the rules protect is hidden."""

    name: str
    version: int
    properties: dict[str, Any]
    context: dict[str, Any]


class Rehearsal(NamedTuple):
    """What would become of held events: how many per outcome, why some would still be refused, and one of the others.

    ``unreadable`` cannot be opened any more. An event that came again by another way would be a duplicate; a rehearsal
    does not know.
    """

    outcomes: Counter[EventOutcome]
    refusals: Counter[str]
    unreadable: int
    preview: Preview | None


class Replay(NamedTuple):
    """What became of held events; those that would still be refused are held as before, and were not counted again.

    ``provider_ids`` are those to which events are to be passed on: whoever called wakes a job, after the commit.
    """

    outcomes: Counter[EventOutcome]
    still_held: int
    left: int
    provider_ids: Sequence[int] = ()


class _Opened(NamedTuple):
    row_id: int
    incoming: Incoming


def rehearse(*, actor: Actor, group: HeldGroup, mending: Mending) -> Rehearsal:
    """What would become of the group's first 1,000 events if they were mended so and taken in now.

    Nothing changes. Needs ``quarantine.handle`` in the tenant. Raises ``Conflict`` without a secret to open them with,
    and ``InvalidDocument`` if the mending would show what the contract hides.
    """
    require(actor, "quarantine.handle", group.installation.tenant_id)
    door = _Door(group.installation, mending)
    outcomes: Counter[EventOutcome] = Counter()
    refusals: Counter[str] = Counter()
    unreadable, preview = 0, None
    for row in held_events(group)[:MOST_AT_ONCE].iterator(chunk_size=PORTION):
        incoming = door.mended(row)
        if incoming is None:
            unreadable += 1
            continue
        event = door.judge(incoming)
        outcomes[event.word] += 1
        if isinstance(event.outcome, Rejected):
            refusals[reason_of(event.outcome.violations)] += 1
        elif preview is None and isinstance(event.outcome, Accepted):
            preview = _preview(event.outcome)
    return Rehearsal(outcomes=outcomes, refusals=refusals, unreadable=unreadable, preview=preview)


@transaction.atomic
def replay(*, actor: Actor, group: HeldGroup, mending: Mending) -> Replay:
    """The group's events, at most 1,000, are mended so, taken in as if they came now, and held no longer.

    They count as received again, now, with whatever becomes of them: the balance holds. Those that would still be
    refused stay as they are, are not counted again, and keep nobody else waiting. Whoever asks at the same time gets
    other events, and whoever asks again those that are left: none is taken in twice, which the ledger of ids would
    refuse besides. Needs ``quarantine.handle`` in the tenant. Raises ``Conflict`` if no event can be opened, and
    ``InvalidDocument`` if the mending would show what the contract hides.
    """
    installation = group.installation
    require(actor, "quarantine.handle", installation.tenant_id)
    door = _Door(installation, mending)
    wanted, still_held, unreadable = _choose(group, door)
    if unreadable and not wanted and not still_held:
        raise Conflict("none of these events can be opened: the secret that they were sealed with is gone")
    outcomes, provider_ids = _take_in(installation, wanted)
    audit.record(
        actor=actor,
        action="quarantine.replayed",
        target=installation,
        tenant_id=installation.tenant_id,
        details={
            "event": group.event_name,
            "mending": described(mending),
            **{word.value: count for word, count in outcomes.items()},
            "still_held": still_held,
        },
    )
    left = held_events(group).count()
    return Replay(outcomes=outcomes, still_held=still_held, left=left, provider_ids=provider_ids)


@transaction.atomic
def discard(*, actor: Actor, group: HeldGroup) -> int:
    """The group's events are gone; how many. Needs ``quarantine.handle`` in the tenant."""
    installation = group.installation
    require(actor, "quarantine.handle", installation.tenant_id)
    count, _ = HeldEvent.objects.filter(pk__in=held_events(group).order_by().values("pk")).delete()
    audit.record(
        actor=actor,
        action="quarantine.discarded",
        target=installation,
        tenant_id=installation.tenant_id,
        details={"event": group.event_name, "reason": group.reason, "events": count},
    )
    return count


class _Door:
    """Opens held events of one installation, mends them, and judges them as ingest would; counts and stores nothing."""

    def __init__(self, installation: Installation, mending: Mending) -> None:
        """Raises ``Conflict`` without a secret."""
        if not is_set_up():
            raise Conflict("STUDIO_QUARANTINE_KEYS is not set: held events cannot be opened")
        self._installation, self._mending = installation, mending
        self._compiled = config_at_ingest(installation).compiled
        self._checked: set[tuple[str, int | None]] = set()
        self._judge = Judge(
            self._compiled,
            installation.tenant,
            received_at=timezone.now(),
            maximum_age=timedelta(days=settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS),
        )

    def mended(self, row: HeldEvent) -> Incoming | None:
        """The event as it should have been sent; ``None`` if it cannot be opened. Raises ``InvalidDocument``."""
        envelope = open_envelope(self._installation.tenant_id, bytes(row.sealed))
        if envelope is None:
            return None
        result = mend(envelope, self._mending, declared=self._declared)
        self._refuse_uncovering(envelope, result)
        return Incoming(envelope=result, source=EventSource(row.source), app_version=row.app_version or None)

    def judge(self, incoming: Incoming) -> ProcessedEvent:
        """What would become of it now."""
        return self._judge.judge(incoming)

    def _declared(self, name: str, version: int | None) -> tuple[frozenset[str], frozenset[str]] | None:
        rules = self._find(name, version)
        return None if rules is None else (frozenset(rules.properties.all), frozenset(rules.metadata.all))

    def _find(self, name: str, version: int | None) -> CompiledEvent | None:
        return None if self._compiled is None else self._compiled.find(name, version)

    def _refuse_uncovering(self, sent: Envelope, result: Envelope) -> None:
        """Nothing that the event's own contract hides may pass unhidden under another name or another contract."""
        if (sent.name, sent.version) in self._checked:
            return
        self._checked.add((sent.name, sent.version))
        before, after = self._find(sent.name, sent.version), self._find(result.name, result.version)
        if before is None or after is None:
            return
        shown = sorted(
            origin
            for origin, name in names_after(before.properties.hidden, self._mending).items()
            if _passes(after.properties, name) and (name != origin or after is not before)
        )
        if shown:
            message = f"would show {', '.join(shown)}, which the contract of the event hides"
            raise InvalidDocument([FieldError("uncovers", "", message)], what="mending")


def _passes(rules: CompiledRules, name: str) -> bool:
    """Whether a property of this name passes unhidden."""
    rule = rules.all.get(name)
    return rules.undeclared is UndeclaredPolicy.KEEP if rule is None else rule.redactor is None


def _choose(group: HeldGroup, door: _Door) -> tuple[list[_Opened], int, int]:
    """Events that would be taken in, as many as one request carries; how many would not, and cannot be opened.

    Goes past those that would not, so that they hold up nobody; each is locked until the transaction ends.
    """
    wanted: list[_Opened] = []
    still_held = unreadable = carried = 0
    for row in held_events(group).select_for_update(skip_locked=True).iterator(chunk_size=PORTION):
        incoming = door.mended(row)
        if incoming is None:
            unreadable += 1
        elif door.judge(incoming).word is EventOutcome.REJECTED:
            still_held += 1
        else:
            wanted.append(_Opened(row.pk, incoming))
            carried += len(row.sealed)
        if len(wanted) >= MOST_AT_ONCE or carried >= MOST_BYTES_AT_ONCE:
            break
    return wanted, still_held, unreadable


def _take_in(installation: Installation, wanted: Sequence[_Opened]) -> tuple[Counter[EventOutcome], Sequence[int]]:
    """The events are ingested, and those of which something became are held no longer; also whom they are owed to."""
    if not wanted:
        return Counter(), ()
    events = [each.incoming for each in wanted]
    result = ingest_batch(installation=installation, events=events, received_at=timezone.now())
    settled = [
        each.row_id
        for each, item in zip(wanted, result.items, strict=True)
        if item.outcome is not EventOutcome.REJECTED
    ]
    HeldEvent.objects.filter(pk__in=settled).delete()
    return result.counts(), result.provider_ids


def _preview(outcome: Accepted) -> Preview:
    dispatch = outcome.dispatch
    return Preview(
        name=dispatch.name,
        version=dispatch.version,
        properties=dict(dispatch.properties),
        context=msgspec.to_builtins(dispatch.context),
    )
