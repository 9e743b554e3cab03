"""What every removal of stored events has in common: one at a time, never what is held, always counted."""

from collections import Counter
from collections.abc import Iterable
from datetime import date
from typing import Final, Literal, NamedTuple

from django.db import connection

from telemetry.stores.counts import StoredChange, change_counts

__all__ = [
    "HELD",
    "Removed",
    "Way",
    "add_to_balance",
    "count_removed",
    "count_unarchived",
    "lock_removals",
    "lower_counts",
]

# Whether a legal hold keeps a row of ``telemetry_storedevent`` that is named ``event``. It names the columns that
# ``telemetry.services.holds.is_held`` compares, for rows that are not in the store.
HELD: Final = """
EXISTS (
    SELECT FROM telemetry_legalhold AS hold
    WHERE hold.lifted_at IS NULL AND hold.tenant_id = event.tenant_id
        AND (hold.installation_id IS NULL OR hold.installation_id = event.installation_id)
        AND (hold.event_name = '' OR hold.event_name = event.name)
        AND (
            hold.subjects = '{}' OR hold.subjects && ARRAY[
                event.context ->> 'userId', event.context ->> 'sessionId',
                event.context ->> 'deviceId', event.context ->> 'actor'
            ]::varchar[]
        )
        AND (
            (hold.starts_at IS NULL OR event.received_at >= hold.starts_at)
            AND (hold.ends_at IS NULL OR event.received_at < hold.ends_at)
            OR (hold.starts_at IS NULL OR event.occurred_at >= hold.starts_at)
            AND (hold.ends_at IS NULL OR event.occurred_at < hold.ends_at)
        )
)
"""
LOCK: Final = "SELECT pg_advisory_xact_lock(hashtextextended('studio_event_removal', 0))"
COUNT: Final = """
INSERT INTO telemetry_eventremoval AS removal
    (tenant_id, installation_id, day, name, version, purged, archived, erased)
SELECT tenant_id, installation_id, day, name, version, {columns}
FROM unnest(%s::bigint[], %s::bigint[], %s::date[], %s::text[], %s::int[], %s::bigint[])
    AS gone (tenant_id, installation_id, day, name, version, rows)
ON CONFLICT (installation_id, day, name, version) DO UPDATE SET
    purged = removal.purged + excluded.purged,
    archived = removal.archived + excluded.archived,
    erased = removal.erased + excluded.erased
"""
UNARCHIVE: Final = """
UPDATE telemetry_eventremoval SET archived = archived - %(rows)s{other}
WHERE installation_id = %(installation_id)s AND day = %(day)s AND name = %(name)s AND version = %(version)s
"""

Way = Literal["purged", "archived", "erased"]


class Removed(NamedTuple):
    """How many events of one name and version, that came on one day (UTC), were removed.

    With the class that their rows had, and the bytes of these (``telemetry.stores.counts.SIZE``); what was not in the
    store has no class.
    """

    tenant_id: int
    installation_id: int
    day: date
    name: str
    version: int
    rows: int
    retention_class: int | None = None
    size_bytes: int = 0


def lock_removals() -> None:
    """Until the transaction ends nobody else removes or changes stored events, and no hold is placed. One query.

    First thing in a transaction that removes, redacts or holds stored events: what is read after it stays true.
    """
    with connection.cursor() as cursor:
        cursor.execute(LOCK)


def count_removed(removed: Iterable[Removed], way: Way) -> None:
    """The balance knows that these events are gone, and how, once the transaction that removed them commits.

    So do the counts of what is stored.
    """
    rows = sorted(removed)
    add_to_balance(rows, way)
    lower_counts(rows)


def add_to_balance(removed: Iterable[Removed], way: Way) -> None:
    """The balance alone knows it: the counts of what is stored go with their partition. One query."""
    sums: Counter[tuple[int, int, date, str, int]] = Counter()
    for each in removed:
        sums[each[:5]] += each.rows
    rows = [(*event, count) for event, count in sorted(sums.items()) if count]
    if rows:
        columns = ", ".join("rows" if way == column else "0" for column in ("purged", "archived", "erased"))
        with connection.cursor() as cursor:
            cursor.execute(COUNT.format(columns=columns), [list(column) for column in zip(*rows, strict=True)])


def count_unarchived(removed: Iterable[Removed], way: Literal["live", "purged", "erased"]) -> None:
    """The balance knows that these archived events are so no more, but in the store again, or gone for good."""
    others = {"live": "", "purged": ", purged = purged + %(rows)s", "erased": ", erased = erased + %(rows)s"}
    rows = [each._asdict() for each in sorted(removed) if each.rows]
    with connection.cursor() as cursor:
        cursor.executemany(UNARCHIVE.format(other=others[way]), rows)


def lower_counts(removed: Iterable[Removed]) -> None:
    """The counts of what is stored are true without these, once the transaction that removed them commits.

    Also for what was moved to another class.
    """
    change_counts(
        StoredChange(
            each.tenant_id,
            each.installation_id,
            each.retention_class,
            each.day,
            each.name,
            each.version,
            -each.rows,
            -each.size_bytes,
        )
        for each in removed
        if each.retention_class is not None
    )
