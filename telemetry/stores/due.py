"""Which stored events are due to be removed: answered from counts where they decide it, by looking where they do not.

One answer for everybody: previews ask it, and each step of a purge asks it again before it removes what it says.
"""

# ruff: noqa: S608 - statements are made of constants of this package

from collections.abc import Collection, Iterable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db import connection

from telemetry.core.retention import HOLD, RetentionClass
from telemetry.stores.counts import SIZE
from telemetry.stores.partitions import SPANS, Partition, group_partitions, table_of
from telemetry.stores.removals import HELD

__all__ = [
    "DUE_ROW",
    "DueGroup",
    "KnownPartitions",
    "LongerGroup",
    "Question",
    "StoredGroup",
    "Term",
    "class_of_table",
    "due_groups",
    "event_partitions",
    "has_rows",
    "known_partitions",
    "longer_groups",
    "midnight",
    "name_of",
    "partition_of",
    "rows_counted",
    "stored_groups",
]

# When a row ends: its own end, or sooner where its event is kept for shorter by now.
DUE_ROW: Final = """
least(event.expires_at, event.received_at + make_interval(hours => 24 * {days})) <= %(cutoff)s
"""
TERMS: Final = """
term AS (
    SELECT * FROM unnest(%(term_installations)s::bigint[], %(term_names)s::text[], %(term_versions)s::int[],
        %(term_days)s::int[]) AS term (installation_id, name, version, days)
)
"""
# What the counts know. Where a hold may touch a group, or only part of it is due, the rows have to say.
COUNTED: Final = f"""
WITH {TERMS}
SELECT stored.partition, stored.retention_class, stored.day, stored.tenant_id, stored.installation_id, stored.name,
    stored.version, term.days, stored.rows, stored.size_bytes,
    least(stored.last_expires_at, stored.last_received_at + make_interval(hours => 24 * term.days)) <= %(cutoff)s
    AND NOT EXISTS (
        SELECT FROM telemetry_legalhold AS hold
        WHERE hold.lifted_at IS NULL AND hold.tenant_id = stored.tenant_id
            AND (hold.installation_id IS NULL OR hold.installation_id = stored.installation_id)
            AND (hold.event_name = '' OR hold.event_name = stored.name)
    )
FROM telemetry_storedday AS stored
JOIN telemetry_sealedpartition AS sealed ON sealed.name = stored.partition
LEFT JOIN term ON term.installation_id = stored.installation_id AND term.name = stored.name
    AND term.version = stored.version
WHERE stored.rows > 0 AND (
        stored.first_expires_at <= %(cutoff)s
        OR stored.first_received_at + make_interval(hours => 24 * term.days) <= %(cutoff)s
    )
    AND (%(tenants)s::bigint[] IS NULL OR stored.tenant_id = ANY (%(tenants)s))
    AND (%(partitions)s::text[] IS NULL OR stored.partition = ANY (%(partitions)s))
"""
LOOK: Final = f"""
SELECT asked.number, count(*) FILTER (WHERE NOT event.is_held),
    coalesce(sum(event.size) FILTER (WHERE NOT event.is_held), 0)::bigint, count(*) FILTER (WHERE event.is_held)
FROM unnest(%(classes)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[], %(installations)s::bigint[],
    %(names)s::text[], %(versions)s::int[], %(days)s::int[])
    WITH ORDINALITY AS asked (class, starts_at, ends_at, installation_id, name, version, days, number)
CROSS JOIN LATERAL (
    SELECT {SIZE} AS size, {HELD} AS is_held FROM telemetry_storedevent AS event
    WHERE event.retention_class = asked.class AND event.installation_id = asked.installation_id
        AND event.name = asked.name AND event.version = asked.version
        AND event.received_at >= asked.starts_at AND event.received_at < asked.ends_at
        AND {DUE_ROW.format(days="asked.days")}
) AS event
GROUP BY asked.number
"""
# Every partition of these tables, and its name if it is counted. By the index on names: a purge asks it several times.
KNOWN: Final = """
SELECT parent.relname, to_date(right(part.relname, 8), 'YYYYMMDD'), sealed.name
FROM pg_class AS parent
JOIN pg_inherits ON inhparent = parent.oid
JOIN pg_class AS part ON part.oid = inhrelid
LEFT JOIN telemetry_sealedpartition AS sealed ON sealed.name = part.relname
WHERE parent.relname = ANY (%s) AND parent.relkind = 'p' AND parent.relnamespace = current_schema()::regnamespace
    AND part.relkind = 'r' AND part.relname ~ '_[0-9]{8}$'
"""
# Rows that are to end later than their event's term says; by the index of names.
LONGER: Final = f"""
WITH {TERMS}
SELECT event.retention_class, (event.received_at AT TIME ZONE 'UTC')::date, event.tenant_id, term.installation_id,
    term.name, term.version, term.days, count(*),
    count(*) FILTER (WHERE event.received_at + make_interval(hours => 24 * term.days) > %(cutoff)s)
FROM term
JOIN telemetry_storedevent AS event ON event.installation_id = term.installation_id AND event.name = term.name
    AND event.version = term.version
WHERE event.expires_at > event.received_at + make_interval(hours => 24 * term.days)
    AND (%(tenants)s::bigint[] IS NULL OR event.tenant_id = ANY (%(tenants)s))
GROUP BY 1, 2, 3, 4, 5, 6, 7
ORDER BY 1, 2, 3, 4, 5, 6
"""

COUNTED_ROWS: Final = """
SELECT name, (SELECT coalesce(sum(rows), 0)::bigint FROM telemetry_storedday WHERE partition = sealed.name)
FROM telemetry_sealedpartition AS sealed WHERE name = ANY (%s)
"""
ANY_ROW: Final = """
SELECT EXISTS (
    SELECT FROM telemetry_storedevent
    WHERE retention_class = %(class)s AND received_at >= %(starts_at)s AND received_at < %(ends_at)s
)
"""
# Partitions that are counted by their counts, the others by their rows.
STORED: Final = f"""
SELECT installation_id, name, version, retention_class, sum(rows)::bigint, sum(size)::bigint, min(first), max(last)
FROM (
    SELECT stored.installation_id, stored.name, stored.version, stored.retention_class, stored.rows,
        stored.size_bytes AS size, stored.day AS first, stored.day AS last
    FROM telemetry_storedday AS stored
    JOIN telemetry_sealedpartition AS sealed ON sealed.name = stored.partition
    WHERE stored.installation_id = ANY (%(installations)s) AND stored.rows > 0
    UNION ALL
    SELECT event.installation_id, event.name, event.version, event.retention_class, event.rows, event.size,
        event.first, event.last
    FROM unnest(%(classes)s::int[], %(starts)s::timestamptz[], %(ends)s::timestamptz[])
        AS part (class, starts_at, ends_at)
    CROSS JOIN LATERAL (
        SELECT event.installation_id, event.name, event.version, event.retention_class, count(*) AS rows,
            sum({SIZE}) AS size, min((event.received_at AT TIME ZONE 'UTC')::date) AS first,
            max((event.received_at AT TIME ZONE 'UTC')::date) AS last
        FROM telemetry_storedevent AS event
        WHERE event.retention_class = part.class AND event.received_at >= part.starts_at
            AND event.received_at < part.ends_at AND event.installation_id = ANY (%(installations)s)
        GROUP BY 1, 2, 3, 4
    ) AS event
) AS part
GROUP BY 1, 2, 3, 4 ORDER BY 1, 2, 3, 4
"""


class Term(NamedTuple):
    """Events of this name and version are kept for ``days`` after they came, however long they were to be kept."""

    installation_id: int
    name: str
    version: int
    days: int


class Question(NamedTuple):
    """What is due at ``cutoff``, the beginning of a day (UTC), under these terms; of these tenants, or of all."""

    cutoff: datetime
    terms: Sequence[Term] = ()
    tenant_ids: Collection[int] | None = None


class DueGroup(NamedTuple):
    """Events of one name that came on one day and are in one partition: how many are due, and how many a hold keeps.

    ``rows`` and ``size_bytes`` are those that go; ``held`` ones are due as well, and stay. ``days`` is their term, if
    they have one.
    """

    partition: Partition
    retention_class: int
    day: date
    tenant_id: int
    installation_id: int
    name: str
    version: int
    days: int | None
    rows: int
    size_bytes: int
    held: int

    @property
    def event(self) -> tuple[int, str, int]:
        """Installation, name and version."""
        return self.installation_id, self.name, self.version


class LongerGroup(NamedTuple):
    """Events of one day in one class that are to end later than their term says.

    ``staying`` counts those of the ``rows`` that are not due by the term either.
    """

    partition: Partition
    day: date
    tenant_id: int
    term: Term
    rows: int
    staying: int


def longer_groups(question: Question) -> list[LongerGroup]:
    """What is to end later than the question's terms say; one query, which reads the rows of these events."""
    if not question.terms:
        return []
    with connection.cursor() as cursor:
        cursor.execute(LONGER, _parameters(question))
        return [
            LongerGroup(partition_of(RetentionClass(number), day), day, tenant_id, Term(*term), rows, staying)
            for number, day, tenant_id, *term, rows, staying in cursor.fetchall()
        ]


def name_of(partition: Partition) -> str:
    """The name of the partition's table."""
    return f"{partition.parent}_{partition.starts_on:%Y%m%d}"


def class_of_table(parent: str) -> RetentionClass:
    """The class whose partitions this table holds."""
    word = parent.rpartition("_")[2]
    return HOLD if word == "hold" else RetentionClass(int(word.removeprefix("d")))


class KnownPartitions(NamedTuple):
    """Every partition of events, by class and day; ``sealed`` are the names of those whose rows are counted."""

    all: Sequence[Partition]
    sealed: Collection[str]


def known_partitions() -> KnownPartitions:
    """The partitions that there are, for whoever asks more than one thing of them; one query."""
    with connection.cursor() as cursor:
        cursor.execute(KNOWN, [[table_of(each) for each in SPANS]])
        rows = cursor.fetchall()
    known = group_partitions((parent, starts_on) for parent, starts_on, _ in rows)
    partitions = [
        Partition(parent, starts_on, span.after(starts_on))
        for parent, span in ((table_of(each), span) for each, span in SPANS.items())
        for starts_on in sorted(known.get(parent, ()))
    ]
    return KnownPartitions(partitions, {name for _, _, name in rows if name is not None})


def event_partitions() -> Sequence[Partition]:
    """Every partition of events, by class and day; one query."""
    return known_partitions().all


def rows_counted(partitions: Collection[Partition]) -> dict[Partition, int]:
    """How many rows those of the partitions have that are sealed, of all tenants of the context; one query."""
    named = {name_of(each): each for each in partitions}
    with connection.cursor() as cursor:
        cursor.execute(COUNTED_ROWS, [list(named)])
        return {named[name]: rows for name, rows in cursor.fetchall()}


class StoredGroup(NamedTuple):
    """What is stored of one event of an installation in one class, past its end or not."""

    installation_id: int
    name: str
    version: int
    retention_class: int
    rows: int
    size_bytes: int
    first_on: date
    last_on: date


def stored_groups(
    installation_ids: Sequence[int], *, today: date | None = None, known: KnownPartitions | None = None
) -> list[StoredGroup]:
    """What these installations of the context have stored, exactly; two queries, one with ``known_partitions``."""
    known, day = known or known_partitions(), today or datetime.now(UTC).date()
    open_ones = [each for each in known.all if name_of(each) not in known.sealed and each.starts_on <= day]
    parameters: dict[str, Any] = {
        "installations": list(installation_ids),
        "classes": [int(class_of_table(each.parent)) for each in open_ones],
        "starts": [midnight(each.starts_on) for each in open_ones],
        "ends": [midnight(each.ends_on) for each in open_ones],
    }
    with connection.cursor() as cursor:
        cursor.execute(STORED, parameters)
        return [StoredGroup(*row) for row in cursor.fetchall()]


def has_rows(partition: Partition) -> bool:
    """Whether the partition has any row of the context's tenants; one query."""
    within: dict[str, Any] = {
        "class": int(class_of_table(partition.parent)),
        "starts_at": midnight(partition.starts_on),
        "ends_at": midnight(partition.ends_on),
    }
    with connection.cursor() as cursor:
        cursor.execute(ANY_ROW, within)
        (answer,) = cursor.fetchone()
    return bool(answer)


def due_groups(
    question: Question, *, today: date | None = None, known: KnownPartitions | None = None
) -> list[DueGroup]:
    """What is due, of the tenants of the context, in all partitions or in those that are ``known``; the oldest first.

    Three queries, or four with the one that looks at rows, and one less with ``known``. The rows of counted
    partitions are read only where a hold or its last day cuts through a group. Partitions that are over and not counted
    yet are read as a whole, as is what holds keep. What is in a partition that still fills is due by a term alone:
    nothing else is kept for less than its partition lasts.
    """
    partitions, sealed = known or known_partitions()
    over = today or datetime.now(UTC).date()
    counted = {name_of(each): each for each in partitions if name_of(each) in sealed}
    others = [each for each in partitions if name_of(each) not in counted and each.starts_on <= over]
    whole = [each for each in others if each.ends_on <= over or class_of_table(each.parent) is HOLD]
    found = [*_counted(question, counted), *_uncounted(question, others if question.terms else whole, whole)]
    return sorted(found, key=lambda group: (group.partition, group.day, group.tenant_id, *group.event))


def _counted(question: Question, partitions: dict[str, Partition]) -> Iterable[DueGroup]:
    if not partitions:
        return
    with connection.cursor() as cursor:
        cursor.execute(COUNTED, {**_parameters(question), "partitions": list(partitions)})
        rows = cursor.fetchall()
    unsure = []
    for name, *rest, is_decided in rows:
        group = DueGroup._make((partitions[name], *rest, 0))
        if is_decided:
            yield group
        else:
            unsure.append(group)
    yield from _looked_at(question, unsure)


def _looked_at(question: Question, groups: Sequence[DueGroup]) -> Iterable[DueGroup]:
    if not groups:
        return
    starts = [datetime(each.day.year, each.day.month, each.day.day, tzinfo=UTC) for each in groups]
    parameters: dict[str, Any] = {
        "cutoff": question.cutoff,
        "classes": [each.retention_class for each in groups],
        "starts": starts,
        "ends": [start + timedelta(days=1) for start in starts],
        "installations": [each.installation_id for each in groups],
        "names": [each.name for each in groups],
        "versions": [each.version for each in groups],
        "days": [each.days for each in groups],
    }
    with connection.cursor() as cursor:
        cursor.execute(LOOK, parameters)
        for number, rows, size_bytes, held in cursor.fetchall():
            yield groups[number - 1]._replace(rows=rows, size_bytes=size_bytes, held=held)


def _uncounted_in(number: int, join: str) -> str:
    """Rows of the partition with this number among those asked for: with their terms, or those alone that have one.

    With its bounds as constants, no other partition is looked at.
    """
    return f"""
SELECT {number}, (event.received_at AT TIME ZONE 'UTC')::date AS day, event.tenant_id, event.installation_id,
    event.name, event.version, term.days, count(*) FILTER (WHERE NOT {HELD}),
    coalesce(sum({SIZE}) FILTER (WHERE NOT {HELD}), 0)::bigint, count(*) FILTER (WHERE {HELD})
FROM telemetry_storedevent AS event
{join} term ON term.installation_id = event.installation_id AND term.name = event.name
    AND term.version = event.version
WHERE event.retention_class = %(class_{number})s AND event.received_at >= %(starts_at_{number})s
    AND event.received_at < %(ends_at_{number})s AND {DUE_ROW.format(days="term.days")}
    AND (%(tenants)s::bigint[] IS NULL OR event.tenant_id = ANY (%(tenants)s))
GROUP BY 2, 3, 4, 5, 6, 7
"""


def _uncounted(question: Question, partitions: Sequence[Partition], whole: Collection[Partition]) -> Iterable[DueGroup]:
    """What is due in these partitions, by its own end or its term in those that are ``whole``, else by its term."""
    if not partitions:
        return
    parts, parameters = [], _parameters(question)
    for number, partition in enumerate(partitions):
        parts.append(_uncounted_in(number, "LEFT JOIN" if partition in whole else "JOIN"))
        parameters |= {
            f"class_{number}": int(class_of_table(partition.parent)),
            f"starts_at_{number}": midnight(partition.starts_on),
            f"ends_at_{number}": midnight(partition.ends_on),
        }
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {TERMS}" + "UNION ALL".join(parts), parameters)
        for number, *group in cursor.fetchall():
            partition = partitions[number]
            yield DueGroup(partition, int(class_of_table(partition.parent)), *group)


def _parameters(question: Question) -> dict[str, Any]:
    return {
        "cutoff": question.cutoff,
        "tenants": None if question.tenant_ids is None else list(question.tenant_ids),
        "term_installations": [term.installation_id for term in question.terms],
        "term_names": [term.name for term in question.terms],
        "term_versions": [term.version for term in question.terms],
        "term_days": [term.days for term in question.terms],
    }


def partition_of(chosen: RetentionClass, day: date) -> Partition:
    """Where events of this class lie that came on this day."""
    starts_on = SPANS[chosen].start_of(day)
    return Partition(table_of(chosen), starts_on, SPANS[chosen].after(starts_on))


def midnight(day: date) -> datetime:
    """The beginning of the day, UTC."""
    return datetime(day.year, day.month, day.day, tzinfo=UTC)
