"""Violations of a batch, added to their groups in the batch's transaction."""

import re
from collections.abc import Iterator
from datetime import UTC
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from django.db import connection

from telemetry.core.app_versions import is_app_version
from telemetry.core.enums import EventOutcome, ViolationCode
from telemetry.core.events import Violation
from telemetry.detection.inspector import is_safe_name
from telemetry.detection.outline import outline
from telemetry.services.ingest.processed import ProcessedBatch, ProcessedEvent

__all__ = ["MOST_GROUPS", "record_violations", "safe_path"]

# Per installation. More kinds of mistakes than anybody reads; what comes beyond is counted in one row, so that names
# that clients make up cannot fill the table.
MOST_GROUPS: Final = 2_000
# Per batch, for the same reason: beyond, violations are counted together.
MOST_GROUPS_OF_BATCH: Final = 500

# In the order of the keys, so that two batches wait for each other's rows instead of blocking each other; the rows by
# day belong to rows that this transaction holds by then.
ADD: Final = """
WITH sent AS (
    SELECT * FROM jsonb_to_recordset(%(groups)s::jsonb) AS s (
        event_name text, path text, code text, app_version text, event_version int, message text, count bigint,
        sample jsonb
    )
), known AS (
    SELECT sent.*, v.id IS NOT NULL AS is_known,
           row_number() OVER (
               PARTITION BY v.id IS NULL ORDER BY sent.event_name, sent.path, sent.code, sent.app_version
           ) AS place
    FROM sent LEFT JOIN telemetry_violationrecord v
      ON v.installation_id = %(installation)s AND v.event_name = sent.event_name AND v.path = sent.path
     AND v.code = sent.code AND v.app_version = sent.app_version
), room AS (
    SELECT %(most)s - count(*) AS room FROM telemetry_violationrecord WHERE installation_id = %(installation)s
), fitting AS (
    SELECT known.*, is_known OR place <= room AS fits FROM known CROSS JOIN room
), placed AS (
    SELECT CASE WHEN fits THEN event_name ELSE '' END AS event_name, CASE WHEN fits THEN path ELSE '' END AS path,
           CASE WHEN fits THEN code ELSE '' END AS code, CASE WHEN fits THEN app_version ELSE '' END AS app_version,
           max(CASE WHEN fits THEN event_version END) AS event_version,
           max(CASE WHEN fits THEN message ELSE '' END) AS message, sum(count) AS count,
           coalesce((array_agg(sample ORDER BY place) FILTER (WHERE fits))[1], '{}'::jsonb) AS sample
    FROM fitting GROUP BY 1, 2, 3, 4
), added AS (
    INSERT INTO telemetry_violationrecord AS v (
        tenant_id, installation_id, event_name, path, code, app_version, event_version, message, count,
        first_seen_at, last_seen_at, sample, state, resolved_in, stays_resolved, note, decided_by_label
    )
    SELECT %(tenant)s, %(installation)s, event_name, path, code, app_version, event_version, message, count,
           %(now)s, %(now)s, sample, 'open', '', false, '', ''
    FROM placed ORDER BY event_name, path, code, app_version
    ON CONFLICT (installation_id, event_name, path, code, app_version) DO UPDATE SET
        count = v.count + excluded.count,
        event_version = excluded.event_version,
        message = excluded.message,
        first_seen_at = least(v.first_seen_at, excluded.first_seen_at),
        last_seen_at = greatest(v.last_seen_at, excluded.last_seen_at),
        reopened_at = CASE WHEN v.state = 'resolved' AND NOT v.stays_resolved THEN excluded.last_seen_at
                           ELSE v.reopened_at END,
        state = CASE WHEN v.state = 'resolved' AND NOT v.stays_resolved THEN 'open' ELSE v.state END
    RETURNING id, event_name, path, code, app_version
)
INSERT INTO telemetry_violationday AS d (tenant_id, violation_id, day, count)
SELECT %(tenant)s, added.id, %(day)s, placed.count
FROM added JOIN placed USING (event_name, path, code, app_version) ORDER BY added.id
ON CONFLICT (violation_id, day) DO UPDATE SET count = d.count + excluded.count
"""

_UNDECLARED: Final = (ViolationCode.UNDECLARED_PROPERTY, ViolationCode.UNDECLARED_CONTEXT)
_NAME_IN_PATH: Final = re.compile(r"(?:properties|context\.metadata)(?:\.|\[)")


class Key(NamedTuple):
    """What one group is about."""

    event_name: str
    path: str
    code: str
    app_version: str


NOTHING_IN_PARTICULAR: Final = Key("", "", "", "")


class Group(msgspec.Struct):
    """What a batch adds to one group, as the statement takes it."""

    event_name: str
    path: str
    code: str
    app_version: str
    event_version: int | None
    message: str
    count: int
    sample: dict[str, Any]


def record_violations(batch: ProcessedBatch) -> None:
    """Each violation of the batch is counted in its group; one statement, none if there are no violations.

    Called last in the batch's transaction, because whoever counts in the same groups waits for its end. Duplicates do
    not count: their first coming did.
    """
    groups = _groups_of(batch)
    if not groups:
        return
    parameters: dict[str, Any] = {
        "groups": msgspec.json.encode(sorted(groups.values(), key=_key_of)).decode(),
        "tenant": batch.installation.tenant_id,
        "installation": batch.installation.pk,
        "most": MOST_GROUPS,
        "now": batch.received_at,
        "day": batch.received_at.astimezone(UTC).date(),
    }
    with connection.cursor() as cursor:
        cursor.execute(ADD, parameters)


def _key_of(group: Group) -> Key:
    return Key(group.event_name, group.path, group.code, group.app_version)


def _groups_of(batch: ProcessedBatch) -> dict[Key, Group]:
    groups: dict[Key, Group] = {}
    for event in batch.events:
        violations = event.outcome.violations
        if not violations or event.word is EventOutcome.DUPLICATE:
            continue
        name, version = _name_and_version(event)
        app_version = event.incoming.app_version or ""
        app_version = app_version if is_app_version(app_version) else ""
        # One event counts once in a group, also where two names that are not shown read the same.
        for key, violation in dict(_keyed(violations, name, app_version)).items():
            group = groups.get(key)
            if group is None and len(groups) >= MOST_GROUPS_OF_BATCH:
                group = groups.setdefault(NOTHING_IN_PARTICULAR, Group(*NOTHING_IN_PARTICULAR, None, "", 0, {}))
            if group is None:
                group = groups[key] = _new_group(batch, event, key, version, violation)
            group.count += 1
    return groups


def _keyed(violations: tuple[Violation, ...], name: str, app_version: str) -> Iterator[tuple[Key, Violation]]:
    for violation in violations:
        yield Key(name, safe_path(violation), violation.code.value, app_version), violation


def _new_group(
    batch: ProcessedBatch, event: ProcessedEvent, key: Key, version: int | None, violation: Violation
) -> Group:
    compiled, envelope = batch.config.compiled, event.incoming.envelope
    rules = None if compiled is None or version is None else compiled.find(key.event_name, version)
    sample = {} if envelope is None else outline(envelope, rules)
    # The message of an unknown event repeats its name, which the group has, as far as it may be shown.
    message = "" if violation.code is ViolationCode.UNKNOWN_EVENT else violation.message
    return Group(*key, version, message[:300], 0, sample)


def _name_and_version(event: ProcessedEvent) -> tuple[str, int | None]:
    """The event's, or the name that the client made up, if that is safe to keep."""
    outcome, envelope = event.outcome, event.incoming.envelope
    if outcome.name is not None and outcome.version is not None:
        return outcome.name, outcome.version
    name = "" if envelope is None else envelope.name
    return (name if isinstance(name, str) and is_safe_name(name) else ""), None


def safe_path(violation: Violation) -> str:
    """The violation's place, without a name that a client made up if that may be data."""
    if violation.code not in _UNDECLARED or _is_safe_path(violation.path):
        return violation.path[:200]
    return "properties[?]" if violation.code is ViolationCode.UNDECLARED_PROPERTY else "context.metadata[?]"


@lru_cache(maxsize=20_000)
def _is_safe_path(path: str) -> bool:
    name = _NAME_IN_PATH.sub("", path, count=1).strip('"]')
    return name == "?" or is_safe_name(name)
