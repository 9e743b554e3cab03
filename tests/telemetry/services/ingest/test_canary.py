"""An address planted in every field of an envelope is nowhere afterwards: not in a table, not in a log."""

import logging
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from django.db import connection

from telemetry.core.enums import EventSource, PrivacyLevel, UndeclaredPolicy, ViolationCode
from telemetry.core.events import Context, Envelope, Violation
from telemetry.core.spec import TelemetryDefaults
from telemetry.sdk.identifiers import new_event_id
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.tallies import merge_tallies
from tests.core.builders import make_event, make_property, make_spec
from tests.telemetry.factories import ingest, make_installation, make_published

pytestmark = pytest.mark.django_db

CANARY = "canary.7731@example.com"
PART = "canary.7731"


def tables_with(as_owner: Any, text: str) -> list[str]:
    """Every table that has the text in any row, partitions through their parents."""
    with as_owner(), connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.oid::regclass::text FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition "
            "AND c.relnamespace = current_schema()::regnamespace"
        )
        found = []
        for (table,) in cursor.fetchall():
            query = f"SELECT count(*) FROM {table} AS row WHERE position(%s in row::text) > 0"  # noqa: S608 - our tables
            cursor.execute(query, [text])
            count = cursor.fetchone()
            if count is not None and count[0]:
                found.append(table)
    return found


def envelopes() -> list[Envelope]:
    """An envelope for each field, with the address in it, and some with it where a name should be."""
    good: dict[str, Any] = {"name": "step", "occurred_at": datetime.now(UTC)}
    properties = {"step": "build", "contact": CANARY, "note": CANARY, "more": {"deep": [CANARY], CANARY: 1}}
    texts = [field for field in Context.__struct_fields__ if field != "metadata"]
    contexts = [msgspec.structs.replace(Context(), **{field: CANARY}) for field in texts]
    contexts += [Context(metadata={"place": CANARY}), Context(metadata={CANARY: CANARY})]
    return [
        Envelope(id=CANARY, **good),
        Envelope(id=PART, **good),
        Envelope(id=new_event_id(), name=CANARY, occurred_at=good["occurred_at"]),
        Envelope(id=new_event_id(), name=f"opened:{CANARY}", occurred_at=good["occurred_at"]),
        Envelope(id=new_event_id(), properties=properties, **good),
        Envelope(id=new_event_id(), properties={"step": "build", CANARY: CANARY}, **good),
        Envelope(id=new_event_id(), properties={"step": [CANARY]}, **good),
        Envelope(id=new_event_id(), properties={"step": f"{CANARY}\0"}, **good),
        *(Envelope(id=new_event_id(), properties={"step": "build"}, context=each, **good) for each in contexts),
    ]


@pytest.mark.parametrize("policy", list(UndeclaredPolicy))
@pytest.mark.parametrize("level", [PrivacyLevel.PII, PrivacyLevel.SENSITIVE])
def test_a_planted_address_is_found_nowhere(
    as_owner: Any, caplog: pytest.LogCaptureFixture, policy: UndeclaredPolicy, level: PrivacyLevel
) -> None:
    event = make_event(
        privacy=level,
        properties={
            "step": make_property(required=True),
            "contact": make_property(pii=True, redact=True),
            "note": make_property(),
            "more": make_property("json"),
        },
    )
    make_published(make_spec(event, config=TelemetryDefaults(undeclared_properties=policy)))
    installation = make_installation()
    caplog.set_level(logging.DEBUG)
    incoming = [Incoming(envelope=each, source=EventSource.BATCH) for each in envelopes()]
    unreadable = Incoming(
        envelope=None, source=EventSource.BATCH, problem=Violation(ViolationCode.MALFORMED, "", "is not valid JSON")
    )

    result = ingest(installation, *incoming, unreadable)
    ingest(installation, *incoming)
    merge_tallies()

    assert {item.outcome for item in result.items} >= {"stored", "rejected"}
    assert tables_with(as_owner, PART) == []
    assert PART not in caplog.text
    assert PART not in str(result)


def test_the_search_finds_what_may_be_stored(as_owner: Any) -> None:
    make_published(make_spec(make_event(properties={"remark": make_property(pii=False)})))
    envelope = Envelope(
        id=new_event_id(), name="step", occurred_at=datetime.now(UTC), properties={"remark": f"see {PART}"}
    )

    ingest(make_installation(), Incoming(envelope=envelope, source=EventSource.BATCH))

    assert tables_with(as_owner, PART) == ["telemetry_storedevent"]
