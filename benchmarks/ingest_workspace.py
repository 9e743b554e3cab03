"""A spec, an installation that obeys it, a key to send with, and batches of events that fit."""

import json
from datetime import UTC, datetime
from random import Random
from typing import Any, NamedTuple

from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.enums import Environment, PrivacyLevel, PropertyType, RedactionStrategy
from telemetry.core.spec import (
    EventDefinition,
    PropertyDefinition,
    Redaction,
    Semantics,
    TelemetryMeta,
    TelemetrySpec,
)
from telemetry.sdk.identifiers import new_event_id
from telemetry.services.blueprints import create_app
from telemetry.services.publishing import publish_version
from telemetry.services.specs import create_spec
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Scope
from tenants.services.installations import create_installation
from tenants.services.keys import issue_key
from tenants.services.tenants import create_tenant

__all__ = ["Workspace", "make_batch", "make_workspace"]

# A person does several things in a row, each of which is an event.
RUN = 10
EVENTS = ("order_placed", "order_paid", "order_shipped", "search_done", "page_seen")


class Workspace(NamedTuple):
    """The installation, with its tenant, and the text of a key with the scope ``ingest``."""

    installation: Installation
    key: str


def make_workspace(slug: str = "benchmark") -> Workspace:
    """Everything is published and installed; each event has ten properties, of which two are hidden."""
    with tenant_context(ALL):
        record = create_spec(actor=SYSTEM, spec=_spec(slug))
        publish_version(
            actor=SYSTEM, name=record.name, expected_revision=record.draft_revision, change_summary="For a benchmark"
        )
        blueprint = AppBlueprint(spec=SpecPointer(name=record.name))
        app = create_app(actor=SYSTEM, slug=slug, name=slug.capitalize(), blueprint=blueprint)
        tenant = create_tenant(actor=SYSTEM, slug=slug, name=slug.capitalize())
        installation = create_installation(actor=SYSTEM, tenant=tenant, app=app, environment=Environment.PRODUCTION)
        key = issue_key(actor=SYSTEM, installation=installation, name="Benchmark", scopes=(Scope.INGEST,))
        found = Installation.objects.select_related("tenant", "app").get(pk=installation.pk)
    return Workspace(found, key.text)


def make_batch(random: Random, size: int) -> bytes:
    """The body of a batch of valid events with new ids, each with about 300 bytes of properties.

    Ten in a row are of one person, and no two batches have a person in common.
    """
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    first = random.randrange(10**9)
    events = [_event(random, place, first + place // RUN, now) for place in range(size)]
    return json.dumps({"sentAt": now, "events": events}).encode()


def _event(random: Random, place: int, person: int, now: str) -> dict[str, Any]:
    return {
        "id": new_event_id(),
        "name": EVENTS[place % len(EVENTS)],
        "version": 1,
        "occurredAt": now,
        "properties": {
            "workflow": "onboarding",
            "step": "verify_email",
            "durationMs": random.randint(1, 3_000),
            "amount": round(random.random() * 100, 2),
            "isFirst": random.random() < 0.3,
            "plan": random.choice(("free", "pro", "team")),
            "contact": f"person{random.randint(1, 9_999)}@example.com",
            "reference": f"order-{random.randint(1, 1_000_000)}",
            "note": "what somebody might write in a field of a form" * 2,
            "startedAt": now,
        },
        "context": {"userId": f"user-{person}", "sessionId": f"session-{person}", "channel": "web"},
    }


def _spec(slug: str) -> TelemetrySpec:
    meta = TelemetryMeta(name=f"{slug}.telemetry", version=1, title="Benchmark", owners=("@team",))
    events = tuple(
        EventDefinition(
            name=name,
            version=1,
            semantics=Semantics(what="Something happened", who="Somebody", why="To be measured"),
            privacy=PrivacyLevel.INTERNAL,
            properties=_properties(),
        )
        for name in EVENTS
    )
    return TelemetrySpec(meta=meta, events=events)


def _properties() -> dict[str, PropertyDefinition]:
    text, number = PropertyType.STRING, PropertyType.NUMBER
    return {
        "workflow": PropertyDefinition(type=text, required=True),
        "step": PropertyDefinition(type=text, required=True),
        "durationMs": PropertyDefinition(type=number, unit="ms"),
        "amount": PropertyDefinition(type=number),
        "isFirst": PropertyDefinition(type=PropertyType.BOOLEAN),
        "plan": PropertyDefinition(type=text, allowed_values=("free", "pro", "team")),
        "contact": PropertyDefinition(type=text, pii=True, redact=True),
        "reference": PropertyDefinition(type=text, redaction=Redaction(strategy=RedactionStrategy.HASH)),
        "note": PropertyDefinition(type=text, pii=False),
        "startedAt": PropertyDefinition(type=PropertyType.TIMESTAMP),
    }
