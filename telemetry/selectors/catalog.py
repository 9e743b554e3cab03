"""All events of all drafts: searched, narrowed down, and counted by what they could be narrowed down to next.

Searching reads one column of one table from beginning to end. That finds parts of words, needs no extension of the
server, and takes about a tenth of a second for 10,000 events on a slow machine.
"""

# ruff: noqa: S608 - queries are made of constants of this module; what people ask for goes in as parameters

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from django.db import connection

from telemetry.core.enums import PrivacyLevel, Stability
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.core.search_text import search_words
from telemetry.selectors.balance import EventVolume, volumes_of

__all__ = [
    "VOLUME_DAYS",
    "CatalogEvent",
    "CatalogFilter",
    "CatalogOrder",
    "CatalogPage",
    "Facet",
    "FacetCount",
    "SentEvent",
    "catalog_page",
    "catalog_rows",
]

CatalogOrder = Literal[
    "relevance", "name", "-name", "spec", "privacy", "-privacy", "findings", "volume", "last_seen", "-last_seen"
]
# How many days an event's volume is counted in, and how far back it is looked for.
VOLUME_DAYS: Final = 30

# An event without owners of its own has those of its spec. The words are in one case, and so is what they are looked
# for in; owners are ASCII.
FOUND: Final = """
WITH spec AS MATERIALIZED (
    SELECT id, name, stability, owners, lower(array_to_string(owners, ' ')) AS owner_text FROM telemetry_specrecord
), found AS MATERIALIZED (
    SELECT event.id, spec.id AS spec_id, event.name, event.version, event.semantics_what AS what, spec.name AS spec,
        event.privacy, CASE WHEN event.owners = '{}' THEN spec.owners ELSE event.owners END AS owners, event.tags,
        spec.stability, event.deprecation_reason IS NOT NULL AS is_deprecated,
        event.deprecation_replaced_by AS replaced_by, event.review_by, event.finding_count
    FROM telemetry_eventrecord event JOIN spec ON spec.id = event.spec_id
    WHERE true
"""
WORD: Final = """
    AND (strpos(event.search_text, %(WORD)s) > 0 OR (event.owners = '{}' AND strpos(spec.owner_text, %(WORD)s) > 0))
"""
# Each condition apart, because the counts of a facet disregard the facet's own.
JUDGED: Final = """
), judged AS MATERIALIZED (
    SELECT found.*,
        %(privacy)s::text[] = '{}' OR privacy = ANY (%(privacy)s::text[]) AS fits_privacy,
        %(spec)s::text[] = '{}' OR spec = ANY (%(spec)s::text[]) AS fits_spec,
        %(owner)s::text[] = '{}' OR owners && %(owner)s::varchar[] AS fits_owner,
        %(tag)s::text[] = '{}' OR tags && %(tag)s::varchar[] AS fits_tag,
        %(stability)s::text[] = '{}' OR stability = ANY (%(stability)s::text[]) AS fits_stability,
        %(has_findings)s::boolean IS NULL OR (finding_count > 0) = %(has_findings)s AS fits_has_findings,
        %(deprecated)s::boolean IS NULL OR is_deprecated = %(deprecated)s AS fits_deprecated
    FROM found
)
"""
# The values of a list, each once.
ONCE: Final = """
CROSS JOIN LATERAL (
    SELECT value FROM unnest(LIST) WITH ORDINALITY AS each (value, place) WHERE array_position(LIST, value) = place
) AS one
"""
# What each facet counts, and what it unfolds for that.
FACETS: Final = {
    "privacy": ("privacy", ""),
    "spec": ("spec", ""),
    "owner": ("value", ONCE.replace("LIST", "owners")),
    "tag": ("value", ONCE.replace("LIST", "tags")),
    "stability": ("stability", ""),
    "has_findings": ("CASE WHEN finding_count > 0 THEN 'true' WHEN finding_count = 0 THEN 'false' END", ""),
    "deprecated": ("is_deprecated::text", ""),
}
COLUMNS: Final = """
SELECT id, spec_id, name, version, what, spec, privacy, owners, tags, stability, is_deprecated, replaced_by, review_by,
    finding_count, (SELECT count(*) FROM telemetry_propertyrecord property WHERE property.event_id = shown.id)
"""
FITS: Final = " AND ".join(f"fits_{facet}" for facet in FACETS)
RANK: Final = f"array_position(ARRAY{[level.value for level in PrivacyLevel]}, privacy::text)"
ORDERS: Final[dict[CatalogOrder, str]] = {
    "relevance": "CASE WHEN lower(name) = %(text)s THEN 0 WHEN starts_with(lower(name), %(text)s) THEN 1 "
    "WHEN strpos(lower(name), %(text)s) > 0 THEN 2 ELSE 3 END",
    "name": "name",
    "-name": "name DESC",
    "spec": "spec",
    "privacy": RANK,
    "-privacy": f"{RANK} DESC",
    "findings": "finding_count DESC NULLS LAST",
    "volume": "coalesce(volume, 0) DESC",
    "last_seen": "last_received_at DESC NULLS LAST",
    "-last_seen": "last_received_at NULLS FIRST",
}
# What came of each event, at all installations of the context. What is merged is in the sums of days, the rest in the
# tallies themselves; see ``selectors.balance``, which tells the days apart.
SENT: Final = """
, sent AS MATERIALIZED (
    SELECT name, version, sum(events)::bigint AS volume, max(last_received_at) AS last_received_at
    FROM (
        SELECT name, version, received - duplicate AS events, last_received_at
        FROM telemetry_eventday WHERE day >= %(first)s
        UNION ALL
        SELECT name, version, received - duplicate, last_received_at
        FROM telemetry_eventtally
        WHERE NOT is_merged AND received_minute >= %(first)s::timestamp AT TIME ZONE 'UTC'
    ) AS part
    GROUP BY name, version
)
"""
ORDERS_BY_SENT: Final = frozenset(("volume", "last_seen", "-last_seen"))
BY_ID: Final = f"""
{FOUND} AND event.id = ANY (%(ids)s::bigint[])) {COLUMNS} FROM found AS shown ORDER BY array_position(%(ids)s, shown.id)
"""
# Rows per portion of a list that is read as a whole.
PORTION: Final = 1_000
# The rest of the order, so that no two events stand on the same place.
THEN: Final = "name, version, spec"


@dataclass(frozen=True, kw_only=True)
class CatalogFilter:
    """What is looked for: within one field any of the values, over all fields every one; empty fields ask for nothing.

    ``text`` is words that all have to occur, see ``telemetry.core.search_text``. An event that was not linted yet has
    neither findings nor none.
    """

    text: str = ""
    privacy: tuple[PrivacyLevel, ...] = ()
    spec: tuple[str, ...] = ()
    owner: tuple[str, ...] = ()
    tag: tuple[str, ...] = ()
    stability: tuple[Stability, ...] = ()
    has_findings: bool | None = None
    deprecated: bool | None = None

    def chosen(self, facet: str) -> tuple[str, ...]:
        """The values of the facet that are asked for; truth as in a facet."""
        value = getattr(self, facet)
        if isinstance(value, tuple):
            return tuple(str(each) for each in value)
        return () if value is None else (str(value).lower(),)


class CatalogEvent(NamedTuple):
    """One event of a draft, as the catalog lists it.

    ``event_id`` and ``spec_id`` are the rows' own. ``owners`` are the event's, or else those of its spec;
    ``finding_count`` is ``None`` before the draft was linted.
    """

    event_id: int
    spec_id: int
    name: str
    version: int
    what: str
    spec: str
    privacy: str
    owners: list[str]
    tags: list[str]
    stability: str
    is_deprecated: bool
    replaced_by: str | None
    review_by: date | None
    finding_count: int | None
    property_count: int


class FacetCount(NamedTuple):
    """How many events have the value, as far as the other facets and the text let them through."""

    value: str
    events: int
    is_chosen: bool


class Facet(NamedTuple):
    """The values of one field of ``CatalogFilter``, the most frequent first; truth is ``true`` and ``false``.

    ``more`` counts the values that are left out because too few events have them; chosen ones never are.
    """

    name: str
    counts: tuple[FacetCount, ...]
    more: int


class SentEvent(NamedTuple):
    """An event with how many of it came in the last thirty days, and when the last one did, if any."""

    event: CatalogEvent
    volume: int
    last_received_at: datetime | None


class CatalogPage(NamedTuple):
    """A part of the events that are looked for; ``total`` counts all of them, ``facets`` narrow them down.

    ``volumes`` are by name and version, of those events of the page that came in the last thirty days.
    """

    total: int
    events: list[CatalogEvent]
    facets: tuple[Facet, ...]
    volumes: Mapping[tuple[str, int], EventVolume]


def catalog_page(
    wanted: CatalogFilter, order: CatalogOrder, *, today: date, limit: int, offset: int, facet_size: int = 50
) -> CatalogPage:
    """The part of the events, and what all of them could be narrowed down to; three queries.

    ``today`` is the last day whose events count, in UTC. A facet has ``facet_size`` values at most, and the chosen ones
    besides.
    """
    if _is_hopeless(wanted):
        return CatalogPage(0, [], tuple(_facet(name, [], wanted.chosen(name), facet_size) for name in FACETS), {})
    with connection.cursor() as cursor:
        span = {"limit": limit, "offset": offset}
        cursor.execute(_counts_query(wanted, order), _parameters(wanted, today) | span)
        counts: list[tuple[str, str | None, int]] = cursor.fetchall()
        (ids,) = [value for name, value, _ in counts if name == "page"]
        cursor.execute(BY_ID, {"ids": [int(each) for each in (ids or "").split(",") if each]})
        events = [CatalogEvent(*row) for row in cursor.fetchall()]
    (total,) = [count for name, _, count in counts if name == "total"]
    facets = tuple(_facet(name, counts, wanted.chosen(name), facet_size) for name in FACETS)
    names = list(dict.fromkeys(event.name for event in events))
    return CatalogPage(total, events, facets, volumes_of(names, today=today, days=VOLUME_DAYS))


def catalog_rows(wanted: CatalogFilter, order: CatalogOrder, *, today: date) -> Iterator[SentEvent]:
    """All events that are looked for, one after the other, as they were when the first was taken; one query.

    They come from the server in portions, so that they are never in memory together.
    """
    if _is_hopeless(wanted):
        return
    with connection.chunked_cursor() as cursor:
        cursor.execute(_rows_query(wanted, order), _parameters(wanted, today))
        while rows := cursor.fetchmany(PORTION):
            yield from (SentEvent(CatalogEvent(*columns), volume, at) for *columns, volume, at in rows)


def _is_hopeless(wanted: CatalogFilter) -> bool:
    """Whether something is asked for that no event can have, and that the server would not even read."""
    values = (wanted.text, *wanted.spec, *wanted.owner, *wanted.tag)
    return any(UNUSABLE_CHARACTER.search(value) for value in values)


def _judged(wanted: CatalogFilter) -> str:
    words = (WORD.replace("WORD", f"word_{number}") for number, _ in enumerate(search_words(wanted.text)))
    return FOUND + "".join(words) + JUDGED


def _rows_query(wanted: CatalogFilter, order: CatalogOrder) -> str:
    columns = f"{COLUMNS}, coalesce(volume, 0), last_received_at"
    rows = "FROM judged AS shown LEFT JOIN sent USING (name, version)"
    return f"{_judged(wanted)} {SENT} {columns} {rows} WHERE {FITS} ORDER BY {ORDERS[order]}, {THEN}"


def _counts_query(wanted: CatalogFilter, order: CatalogOrder) -> str:
    """Rows of name, value and count: of each facet's values, of the ``total``, and the ids of the ``page``."""
    is_by_sent = order in ORDERS_BY_SENT
    rows = "judged LEFT JOIN sent USING (name, version)" if is_by_sent else "judged"
    page = f"SELECT id FROM {rows} WHERE {FITS} ORDER BY {ORDERS[order]}, {THEN} LIMIT %(limit)s OFFSET %(offset)s"
    parts = [
        f"SELECT 'total', '', count(*) FROM judged WHERE {FITS}",
        f"SELECT 'page', array_to_string(ARRAY({page}), ','), 0",
    ]
    for facet, (value, unfolded) in FACETS.items():
        others = " AND ".join(f"fits_{name}" for name in FACETS if name != facet)
        parts.append(f"SELECT '{facet}', {value}, count(*) FROM judged {unfolded} WHERE {others} GROUP BY 2")
    return _judged(wanted) + (SENT if is_by_sent else "") + " UNION ALL ".join(parts) + " ORDER BY 1, 3 DESC, 2"


def _parameters(wanted: CatalogFilter, today: date) -> dict[str, Any]:
    lists = {facet: list(wanted.chosen(facet)) for facet in FACETS}
    truths = {"has_findings": wanted.has_findings, "deprecated": wanted.deprecated}
    words = {f"word_{number}": word for number, word in enumerate(search_words(wanted.text))}
    first = today - timedelta(days=VOLUME_DAYS - 1)
    return {**lists, **truths, **words, "text": wanted.text.strip().casefold(), "first": first}


def _facet(name: str, rows: Iterable[tuple[str, str | None, int]], chosen: tuple[str, ...], size: int) -> Facet:
    counts = [(value, count) for facet, value, count in rows if facet == name and value is not None]
    known = {value for value, _ in counts}
    # What is chosen can be undone also when no event has it.
    counts += [(value, 0) for value in dict.fromkeys(chosen) if value not in known]
    shown = [
        FacetCount(value, count, value in chosen)
        for position, (value, count) in enumerate(counts)
        if position < size or value in chosen
    ]
    return Facet(name, tuple(shown), len(counts) - len(shown))
