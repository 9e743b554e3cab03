"""Where stored events may show what the rules of today hide, each gone through in bounded parts."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from telemetry.core.compiled import CompiledConfig
from telemetry.core.enums import PrivacyLevel
from telemetry.core.layers import event_reference
from telemetry.core.pseudonyms import Pseudonymiser
from telemetry.core.rescrubbing import rules_for, scrub
from telemetry.models import ArchiveFile, HeldEvent, LegalHold
from telemetry.services.archiving.rewriting import ArchivedRow
from telemetry.services.quarantine.sealed import open_envelope, seal_envelope
from telemetry.stores.base import RowChange, ScannedRow
from telemetry.stores.chosen import EVENT_STORE
from tenants.models import Installation

__all__ = ["BEGINNING", "Counts", "Rules", "add", "hide_in_quarantine", "hide_in_store", "is_held_file"]

# Rows at once: some tens of milliseconds.
PORTION: Final = 1_000
BEGINNING: Final = (datetime(1970, 1, 1, tzinfo=UTC), UUID(int=0))

# Rows by place and event.
Counts = dict[str, dict[str, int]]

_encode = msgspec.json.Encoder().encode


class Rules(NamedTuple):
    """The rules of today at one installation, and the key of its tenant."""

    compiled: CompiledConfig
    pseudonymiser: Pseudonymiser

    def of_archived(self, row: ArchivedRow) -> ArchivedRow:
        """The row as the rules would have let it through; the very same one if it is so already."""
        rules = rules_for(self.compiled, row.name, row.version)
        if rules is None:
            return row
        made = scrub(row.properties, row.context, PrivacyLevel(row.privacy), rules, self.pseudonymiser)
        if made is None:
            return row
        return row._replace(properties=made.properties, context=made.context, privacy=made.privacy.value)

    def of_stored(self, scanned: ScannedRow) -> RowChange | None:
        """What is to become of a stored row; ``None`` for nothing."""
        row = scanned.row
        rules = rules_for(self.compiled, row.name, row.version)
        if rules is None:
            return None
        made = scrub(row.properties, row.context, PrivacyLevel(row.privacy), rules, self.pseudonymiser)
        if made is None:
            return None
        return RowChange(row, _encode(made.properties), _encode(made.context), made.privacy)


def add(counts: Counts, place: str, name: str, version: int, rows: int = 1) -> None:
    """So many more rows of the event, in the counts themselves."""
    events = counts.setdefault(place, {})
    reference = event_reference(name, version) if version else name
    events[reference] = events.get(reference, 0) + rows


def hide_in_store(
    installation: Installation, rules: Rules, name: str, after: tuple[datetime, UUID], counts: Counts, *, hides: bool
) -> tuple[datetime, UUID] | None:
    """One portion of the stored events of a name; from where to go on, ``None`` at the end.

    ``hides``: they show what they should once the transaction commits, which began with ``lock_removals``; else they
    are counted only. Those that a legal hold keeps are counted apart, and stay as they are.
    """
    scanned = EVENT_STORE.scan(installation.pk, name, after=after, limit=PORTION)
    changes = [(each, change) for each in scanned if (change := rules.of_stored(each)) is not None]
    for each, change in changes:
        if each.is_held:
            add(counts, "held", name, change.row.version)
    due = [change for each, change in changes if not each.is_held]
    there = EVENT_STORE.change(installation.pk, due) if hides and due else {change.row.id for change in due}
    for change in due:
        if change.row.id in there:
            add(counts, "store", name, change.row.version)
    return (scanned[-1].row.received_at, scanned[-1].row.id) if len(scanned) == PORTION else None


def hide_in_quarantine(
    installation: Installation, rules: Rules, after: int, counts: Counts, *, hides: bool
) -> int | None:
    """One portion of the refused events that are held; from where to go on, ``None`` at the end.

    What should become a pseudonym is masked here: it would get another one when the event is taken in. Events whose
    level has become ``sensitive`` are gone, for those are never held.
    """
    portion = list(HeldEvent.objects.filter(installation=installation, pk__gt=after).order_by("pk")[:PORTION])
    for row in portion:
        made = _held(row, rules.compiled)
        if made is None:
            continue
        add(counts, "quarantine", row.event_name or "", 0)
        if not hides:
            continue
        if made:
            HeldEvent.objects.filter(pk=row.pk).update(sealed=made)
        else:
            row.delete()
    return portion[-1].pk if len(portion) == PORTION else None


def is_held_file(file: ArchiveFile, holds: Sequence[LegalHold]) -> bool:
    """Whether a legal hold may concern an event of the file: then none of it is touched."""
    names = {"", *(event["name"] for event in file.manifest["events"])}
    return any(hold.installation_id in (None, file.installation_id) and hold.event_name in names for hold in holds)


def _held(row: HeldEvent, compiled: CompiledConfig) -> bytes | None:
    """The event sealed anew; nothing at all if it may not be held any more, ``None`` if it may stay as it is."""
    envelope = open_envelope(row.tenant_id, bytes(row.sealed))
    rules = None if envelope is None else rules_for(compiled, envelope.name, envelope.version or 0)
    if envelope is None or rules is None:
        return None
    if rules.privacy is PrivacyLevel.SENSITIVE:
        return b""
    properties = dict(envelope.properties)
    context = {"metadata": dict(envelope.context.metadata)}
    made = scrub(properties, context, rules.privacy, rules, None)
    if made is None:
        return None
    around = msgspec.structs.replace(envelope.context, metadata=made.context["metadata"])
    changed = msgspec.structs.replace(envelope, properties=made.properties, context=around)
    return seal_envelope(row.tenant_id, changed)
