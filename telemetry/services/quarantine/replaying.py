"""Taking held events in after all: rehearsed as often as one likes, and then once."""

from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple

import msgspec
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from telemetry.core.enums import EventOutcome, EventSource
from telemetry.core.errors import Conflict
from telemetry.core.events import Accepted, Envelope, Rejected
from telemetry.core.mending import Mending, described, mend
from telemetry.models import HeldEvent
from telemetry.selectors.quarantine import HeldGroup, held_events
from telemetry.services.ingest.configs import IngestConfig, config_at_ingest
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.judging import Judge
from telemetry.services.ingest.processed import ProcessedEvent
from telemetry.services.ingest.service import ingest_batch
from telemetry.services.quarantine.holding import reason_of, safe_event_name
from telemetry.services.quarantine.sealed import is_set_up, open_envelope
from tenants.actors import Actor, require
from tenants.models import Installation
from tenants.services import audit

__all__ = ["MOST_AT_ONCE", "Preview", "Rehearsal", "Replay", "discard", "rehearse", "replay"]

# What a request does in seconds. More are taken in by asking again.
MOST_AT_ONCE: Final = 1_000


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
    """What became of held events; those that were still refused are held as before, and were not counted again."""

    outcomes: Counter[EventOutcome]
    still_held: int
    left: int


class _Opened(NamedTuple):
    row: HeldEvent
    incoming: Incoming


def rehearse(*, actor: Actor, group: HeldGroup, mending: Mending) -> Rehearsal:
    """What would become of the group's events, at most 1,000, if they were mended so and taken in now.

    Nothing changes. Needs ``quarantine.handle`` in the tenant.
    """
    require(actor, "quarantine.handle", group.installation.tenant_id)
    rows = list(held_events(group)[:MOST_AT_ONCE])
    config = config_at_ingest(group.installation)
    opened = _open(group.installation, config, rows, mending)
    judged = [judged for _, judged in _judge(group.installation, config, opened)]
    refusals = Counter(reason_of(each.outcome.violations) for each in judged if isinstance(each.outcome, Rejected))
    return Rehearsal(
        outcomes=Counter(each.word for each in judged),
        refusals=refusals,
        unreadable=len(rows) - len(opened),
        preview=next((_preview(each.outcome) for each in judged if isinstance(each.outcome, Accepted)), None),
    )


@transaction.atomic
def replay(*, actor: Actor, group: HeldGroup, mending: Mending) -> Replay:
    """The group's events, at most 1,000, are mended so, taken in as if they came now, and held no longer.

    They count as received again, now, with whatever becomes of them: the balance holds. Those that would still be
    refused stay held under the reason that they would be refused for now. Whoever asks at the same time gets other
    events, and whoever asks again those that are left: none is taken in twice, which the ledger of ids would refuse
    besides. Needs ``quarantine.handle`` in the tenant. Raises ``Conflict`` if events cannot be opened.
    """
    installation = group.installation
    require(actor, "quarantine.handle", installation.tenant_id)
    if not is_set_up():
        raise Conflict("STUDIO_QUARANTINE_KEYS is not set: held events cannot be opened")
    rows = list(held_events(group).select_for_update(skip_locked=True)[:MOST_AT_ONCE])
    config = config_at_ingest(installation)
    opened = _open(installation, config, rows, mending)
    if rows and not opened:
        raise Conflict("none of these events can be opened: the secret that they were sealed with is gone")
    judged = list(_judge(installation, config, opened))
    outcomes = _take_in(installation, [each for each, event in judged if event.word is not EventOutcome.REJECTED])
    still_held = _note_refusals(each for each in judged if each[1].word is EventOutcome.REJECTED)
    left = held_events(group).count()
    details = {
        "group": group.row_id,
        "event": group.event_name,
        "mending": described(mending),
        **{word.value: count for word, count in outcomes.items()},
        "still_held": still_held,
    }
    audit.record(
        actor=actor,
        action="quarantine.replayed",
        target=installation,
        tenant_id=installation.tenant_id,
        details=details,
    )
    return Replay(outcomes=outcomes, still_held=still_held, left=left)


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


def _open(
    installation: Installation, config: IngestConfig, rows: Sequence[HeldEvent], mending: Mending
) -> list[_Opened]:
    """The mended events of the rows that can be opened."""

    def declared(name: str, version: int | None) -> tuple[frozenset[str], frozenset[str]] | None:
        rules = None if config.compiled is None else config.compiled.find(name, version)
        return None if rules is None else (frozenset(rules.properties.all), frozenset(rules.metadata.all))

    opened = []
    for row in rows:
        envelope = open_envelope(installation.tenant_id, bytes(row.sealed))
        if envelope is not None:
            opened.append(_Opened(row, _incoming(row, mend(envelope, mending, declared=declared))))
    return opened


def _incoming(row: HeldEvent, envelope: Envelope) -> Incoming:
    return Incoming(envelope=envelope, source=EventSource(row.source), app_version=row.app_version or None)


def _judge(
    installation: Installation, config: IngestConfig, opened: Iterable[_Opened]
) -> Iterable[tuple[_Opened, ProcessedEvent]]:
    """What would become of each, as ingest judges; nothing is counted or stored."""
    judge = Judge(
        config.compiled,
        installation.tenant,
        received_at=timezone.now(),
        maximum_age=timedelta(days=settings.STUDIO_EVENT_MAXIMUM_AGE_DAYS),
    )
    return ((each, judge.judge(each.incoming)) for each in opened)


def _take_in(installation: Installation, wanted: Sequence[_Opened]) -> Counter[EventOutcome]:
    """The events are ingested, and those of which something became are held no longer."""
    if not wanted:
        return Counter()
    events = [each.incoming for each in wanted]
    result = ingest_batch(installation=installation, events=events, received_at=timezone.now())
    settled = [
        each.row.pk
        for each, item in zip(wanted, result.items, strict=True)
        if item.outcome is not EventOutcome.REJECTED
    ]
    HeldEvent.objects.filter(pk__in=settled).delete()
    return Counter(item.outcome for item in result.items)


def _note_refusals(judged: Iterable[tuple[_Opened, ProcessedEvent]]) -> int:
    """The rows say why their events would be refused now; what was held is not changed."""
    rows = []
    for each, event in judged:
        envelope = open_envelope(each.row.tenant_id, bytes(each.row.sealed))
        known = event.outcome.name if isinstance(event.outcome, Rejected) else None
        each.row.reason = reason_of(event.outcome.violations)
        each.row.event_name = known or ("" if envelope is None else safe_event_name(envelope.name))
        rows.append(each.row)
    HeldEvent.objects.bulk_update(rows, ["reason", "event_name"])
    return len(rows)


def _preview(outcome: Accepted) -> Preview:
    dispatch = outcome.dispatch
    return Preview(
        name=dispatch.name,
        version=dispatch.version,
        properties=dict(dispatch.properties),
        context=msgspec.to_builtins(dispatch.context),
    )
