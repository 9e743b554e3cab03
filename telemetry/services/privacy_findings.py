"""What detectors see in a batch, added to its evidence in the batch's transaction."""

from typing import Any, Final

import msgspec
from django.db import connection

from telemetry.core.app_versions import is_app_version
from telemetry.detection.inspector import Evidence, Inspector
from telemetry.services.ingest.processed import DUPLICATE, ProcessedBatch, ProcessedEvent

__all__ = ["MOST_FINDINGS", "record_findings"]

# Per installation; undeclared properties are named by clients, and a thousand are more than anybody decides about.
MOST_FINDINGS: Final = 1_000
MOST_APP_VERSIONS: Final = 20
# A dismissed finding speaks again once ten times as much was found as somebody dismissed, and a hundred more.
GROWN_TIMES: Final = 10
GROWN_BY: Final = 100

# In the order of the keys, so that two batches wait for each other's rows instead of blocking each other.
ADD: Final = """
WITH sent AS (
    SELECT * FROM jsonb_to_recordset(%(evidence)s::jsonb) AS s (
        event_name text, event_version int, path text, detector text, is_declared boolean, value_type text,
        found bigint, checked bigint, app_versions text[]
    )
), known AS (
    SELECT sent.*, f.id IS NOT NULL AS is_known,
           row_number() OVER (
               PARTITION BY f.id IS NULL ORDER BY sent.event_name, sent.event_version, sent.path, sent.detector
           ) AS place
    FROM sent LEFT JOIN telemetry_privacyfinding f
      ON f.installation_id = %(installation)s AND f.event_name = sent.event_name
     AND f.event_version = sent.event_version AND f.path = sent.path AND f.detector = sent.detector
), room AS (
    SELECT %(most)s - count(*) AS room FROM telemetry_privacyfinding WHERE installation_id = %(installation)s
)
INSERT INTO telemetry_privacyfinding AS f (
    tenant_id, installation_id, event_name, event_version, path, detector, is_declared, value_type, found, checked,
    app_versions, first_seen_at, last_seen_at, state, reason, found_at_decision, accepted_spec, decided_by_label
)
SELECT %(tenant)s, %(installation)s, event_name, event_version, path, detector, is_declared, value_type, found, checked,
       app_versions, %(now)s, %(now)s, 'open', '', 0, '', ''
FROM known CROSS JOIN room WHERE is_known OR place <= room
ORDER BY event_name, event_version, path, detector
ON CONFLICT (installation_id, event_name, event_version, path, detector) DO UPDATE SET
    is_declared = excluded.is_declared,
    value_type = excluded.value_type,
    found = f.found + excluded.found,
    checked = f.checked + excluded.checked,
    app_versions = ARRAY(
        SELECT DISTINCT each FROM unnest(f.app_versions || excluded.app_versions) AS each ORDER BY each DESC
        LIMIT %(most_versions)s
    ),
    first_seen_at = least(f.first_seen_at, excluded.first_seen_at),
    last_seen_at = greatest(f.last_seen_at, excluded.last_seen_at),
    state = CASE WHEN IS_BACK THEN 'open' ELSE f.state END,
    reopened_at = CASE WHEN IS_BACK THEN excluded.last_seen_at ELSE f.reopened_at END
"""
IS_BACK: Final = """(CASE f.state
    WHEN 'snoozed' THEN f.snoozed_until <= excluded.last_seen_at
    WHEN 'dismissed' THEN f.found + excluded.found >= f.found_at_decision * %(grown_times)s
                          AND f.found + excluded.found >= f.found_at_decision + %(grown_by)s
    WHEN 'accepted' THEN f.accepted_spec = %(spec)s AND f.accepted_version <= %(spec_version)s
    ELSE false END)"""

# One per process: it remembers which properties were looked at often enough in this minute.
_inspector = Inspector()


def record_findings(batch: ProcessedBatch) -> None:
    """What was recognised in the batch is added to its evidence; one statement, none if there is nothing.

    Looked at are events whose contract is known and that are no duplicates, whatever else becomes of them. A decided
    finding is open again when what was decided does not hold any more: a snooze is over, a dismissed one has clearly
    grown, or the version of the spec that was to hide the value is in force and the value still comes unhidden.
    """
    compiled, effective = batch.config.compiled, batch.config.effective
    if compiled is None or effective is None:
        return
    look = _inspector.look(batch.installation.pk, int(batch.received_at.timestamp()) // 60)
    for contract, events in batch.groups.items():
        rules = None if contract is None else compiled.find(*contract)
        if rules is None:
            continue
        fresh = [event for event in events if event.word is not DUPLICATE]
        due = look.due(rules.name, rules.version, len(fresh))
        for place, event in enumerate(fresh):
            # What nobody has declared may be rare, and is what one most wants to know of: never passed over.
            if place in due or event.outcome.violations:
                envelope = event.incoming.envelope
                if envelope is not None:
                    look.at(envelope, rules, _app_version(event))
    evidence = look.evidence()
    if evidence:
        _add(batch, evidence, spec=effective.spec.name, spec_version=effective.spec.version)


def _app_version(event: ProcessedEvent) -> str:
    version = event.incoming.app_version
    return version if version and is_app_version(version) else ""


def _add(batch: ProcessedBatch, evidence: tuple[Evidence, ...], *, spec: str, spec_version: int) -> None:
    parameters: dict[str, Any] = {
        "evidence": msgspec.json.encode(evidence).decode(),
        "tenant": batch.installation.tenant_id,
        "installation": batch.installation.pk,
        "most": MOST_FINDINGS,
        "most_versions": MOST_APP_VERSIONS,
        "grown_times": GROWN_TIMES,
        "grown_by": GROWN_BY,
        "spec": spec,
        "spec_version": spec_version,
        "now": batch.received_at,
    }
    with connection.cursor() as cursor:
        cursor.execute(ADD.replace("IS_BACK", IS_BACK), parameters)
