"""Specs in the database for tests, and what a test compares when nothing may have changed."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

from django.apps import apps

from telemetry.core.config import AppBlueprint, SpecPointer, TenantOverride
from telemetry.core.enums import EventSource, PrivacyLevel
from telemetry.core.events import Envelope
from telemetry.core.proposals import Signal, SignalKind
from telemetry.core.spec import TelemetrySpec
from telemetry.models import (
    AlertChannel,
    AlertRoute,
    ChannelKind,
    EventDay,
    EventRecord,
    PropertyRecord,
    Proposal,
    ProviderKind,
    ProviderRecord,
    ReviewRecord,
    SpecRecord,
    SpecVersion,
)
from telemetry.sdk.identifiers import new_event_id
from telemetry.selectors.metric_windows import EventKey, window_summaries
from telemetry.services.alerts.destinations import Destination, place_of, seal_destination
from telemetry.services.credentials import seal_credential
from telemetry.services.ingest.incoming import Incoming
from telemetry.services.ingest.processed import BatchResult
from telemetry.services.ingest.service import ingest_batch
from telemetry.services.publishing import publish_version
from telemetry.services.regeneration.filing import file_noticed
from telemetry.services.regeneration.noticed import Noticed, SpecBook
from telemetry.services.reviews import submit_for_review
from telemetry.services.specs import create_spec, save_event
from telemetry.tallies.summary import TallySummary
from tenants.actors import SYSTEM, Actor
from tenants.context import ALL, tenant_context
from tenants.models import ConfigReader, Installation, Tenant
from tests.core.builders import make_event, make_sigil_spec
from tests.tenants import factories as tenants

__all__ = [
    "everything_stored",
    "ingest",
    "make_channel",
    "make_days",
    "make_draft",
    "make_incoming",
    "make_installation",
    "make_large_catalog",
    "make_proposal",
    "make_published",
    "make_review",
    "tallied",
]


def make_draft(spec: TelemetrySpec | None = None) -> SpecRecord:
    """A draft that says what ``spec`` says, by default the seed's example."""
    with tenant_context(ALL):
        return create_spec(actor=SYSTEM, spec=spec or make_sigil_spec())


def make_published(spec: TelemetrySpec | None = None) -> SpecVersion:
    """The spec, by default the seed's example, with its first version published."""
    record = make_draft(spec)
    with tenant_context(ALL):
        return publish_version(
            actor=SYSTEM,
            name=record.name,
            expected_revision=record.draft_revision,
            change_summary="Published by a test",
        )


def make_proposal(subject: str = "attempt", *, events: float = 100.0, at: datetime | None = None) -> Proposal:
    """A pending proposal of the seed's example, which is published: so many events carry an undeclared number."""
    now = at or datetime.now(UTC)
    with tenant_context(ALL):
        published = SpecBook().of_event("sigil.telemetry.workflow_step", 1)
        assert published is not None
        signal = Signal(
            kind=SignalKind.UNDECLARED_PROPERTY,
            source=f"made:{subject}",
            event="sigil.telemetry.workflow_step",
            event_version=1,
            subject=subject,
            strength=events,
            facts={"events": events, "share": 0.5, "days": 7, "type": "number"},
        )
        file_noticed(Noticed(signal, published), now=now)
        return Proposal.objects.get(subject=subject)


def make_review(actor: Actor = SYSTEM, *, name: str = "sigil.telemetry") -> ReviewRecord:
    """An open review of the spec's draft, to which an event was added."""
    with tenant_context(ALL):
        save_event(actor=actor, spec_name=name, event=make_event("reviewed"))
        revision = SpecRecord.objects.get(name=name).draft_revision
        return submit_for_review(actor=actor, spec_name=name, expected_revision=revision, summary="Please look")


def make_installation(
    slug: str = "acme", *, blueprint: AppBlueprint | None = None, override: TenantOverride | None = None
) -> Installation:
    """An app at a tenant; by default its blueprint points at the latest version of the seed's example."""
    chosen = AppBlueprint(spec=SpecPointer(name="sigil.telemetry")) if blueprint is None else blueprint
    installation = tenants.make_installation(tenants.make_tenant(slug), tenants.make_app(blueprint=chosen))
    if override is not None:
        tenants.make_published_config(installation, override)
    with tenant_context(ALL):
        return Installation.objects.select_related("tenant", "app").get(pk=installation.pk)


def make_days(
    installation: Installation,
    counts: Sequence[int],
    *,
    name: str,
    version: int = 1,
    stored: Sequence[int] | None = None,
) -> None:
    """What was received of an event on the last days, today last: all of it stored, unless ``stored`` says how many.

    The rest was sampled out.
    """
    today = datetime.now(UTC)
    kept = counts if stored is None else stored
    days = [today - timedelta(days=len(counts) - 1 - place) for place in range(len(counts))]
    rows = [
        EventDay(
            tenant_id=installation.tenant_id,
            installation=installation,
            day=day.date(),
            name=name,
            version=version,
            received=count,
            stored=some,
            sampled_out=count - some,
            disabled=0,
            rejected=0,
            duplicate=0,
            violating=0,
            skewed=0,
            last_received_at=day,
        )
        for day, count, some in zip(days, counts, kept, strict=True)
        if count
    ]
    with tenant_context(ALL):
        EventDay.objects.bulk_create(rows)


def make_large_catalog(specs: int = 100, events: int = 100) -> list[EventRecord]:
    """Many events of many specs, each with two properties, written at once and not linted; in order."""
    with tenant_context(ALL):
        records = SpecRecord.objects.bulk_create(
            SpecRecord(name=f"area{number}", title=f"Area {number}", owners=[f"@team.{number % 7}"])
            for number in range(specs)
        )
        rows = EventRecord.objects.bulk_create(
            EventRecord(
                spec=record,
                name=f"{record.name}.thing_{number}",
                version=1,
                position=number,
                semantics_what=f"Thing {number} happened",
                privacy=list(PrivacyLevel)[number % 4].value,
                tags=[f"tag{number % 20}"],
                search_text=f"{record.name}.thing_{number}\nthing {number} happened\nstep\ndurationms",
            )
            for record in records
            for number in range(events)
        )
        PropertyRecord.objects.bulk_create(
            PropertyRecord(event=row, name=name, type=type_, position=position)
            for row in rows
            for position, (name, type_) in enumerate((("step", "string"), ("durationMs", "number")))
        )
    return rows


def everything_stored() -> dict[str, list[dict[str, Any]]]:
    """Every row of both apps, so that a test can say that nothing has changed.

    Without the readers of configs: a process renews its lease by itself, whatever a test does.
    """
    with tenant_context(ALL):
        return {
            model._meta.label: list(model._default_manager.order_by("pk").values())
            for label in ("telemetry", "tenants")
            for model in apps.get_app_config(label).get_models()
            if model is not ConfigReader
        }


def make_incoming(*, event_id: str | None = None, source: EventSource = EventSource.BATCH, **fields: Any) -> Incoming:
    """A workflow step of the seed's example that happened just now, under a new id; ``fields`` are the envelope's."""
    defaults: dict[str, Any] = {
        "name": "sigil.telemetry.workflow_step",
        "occurred_at": datetime.now(UTC),
        "properties": {"workflow": "deploy", "step": "build", "durationMs": 120},
    }
    return Incoming(envelope=Envelope(id=event_id or new_event_id(), **{**defaults, **fields}), source=source)


def ingest(installation: Installation, *events: Incoming, received_at: datetime | None = None) -> BatchResult:
    """The events are ingested as one batch that was received now."""
    return ingest_batch(installation=installation, events=events, received_at=received_at or datetime.now(UTC))


def tallied(installation: Installation, name: str = "sigil.telemetry.workflow_step", version: int = 1) -> TallySummary:
    """All tallies of one version of an event, as one."""
    since, until = datetime(2020, 1, 1, tzinfo=UTC), datetime(2040, 1, 1, tzinfo=UTC)
    event, minutes = EventKey(name, version), 20 * 366 * 24 * 60
    with tenant_context(ALL):
        found = window_summaries(installation.pk, event, since, until, minutes=minutes, with_details=True)
    (summary,) = found.values()
    return summary


def make_provider(
    installation: Installation,
    url: str = "https://hooks.example.com/events",
    *,
    kind: ProviderKind = ProviderKind.WEBHOOK,
    credential: str = "a secret of 25 characters",
    **fields: Any,
) -> ProviderRecord:
    """A provider of the installation, by default a web hook; its address is not looked at."""
    setting = {ProviderKind.OPENTELEMETRY: "endpoint", ProviderKind.WEBHOOK: "url", ProviderKind.INTERNAL: "url"}
    public_id = uuid4()
    with tenant_context(ALL):
        return ProviderRecord.objects.create(
            public_id=public_id,
            tenant_id=installation.tenant_id,
            installation=installation,
            kind=kind.value,
            settings={setting.get(kind, "host"): url},
            sealed=seal_credential(installation.tenant_id, public_id, credential) if credential else "",
            sealed_at=datetime.now(UTC) if credential else None,
            **{"name": "hook", **fields},
        )


def make_channel(
    tenant: Tenant,
    url: str = "https://hooks.example.com/alerts",
    *,
    kind: ChannelKind = ChannelKind.WEBHOOK,
    addresses: tuple[str, ...] = (),
    is_fallback: bool = True,
    **fields: Any,
) -> AlertChannel:
    """An alert channel of the tenant, by default a web hook that takes every incident; its address is not looked at."""
    public_id = uuid4()
    kind = ChannelKind.EMAIL if addresses else kind
    secret = "a secret of 25 characters" if kind is ChannelKind.WEBHOOK else ""
    destination = Destination(addresses=addresses) if addresses else Destination(url=url, secret=secret)
    with tenant_context(ALL):
        channel = AlertChannel.objects.create(
            public_id=public_id,
            tenant=tenant,
            kind=kind.value,
            sealed=seal_destination(tenant.pk, public_id, destination),
            sealed_at=datetime.now(UTC),
            place=place_of(destination),
            **{"name": f"channel {public_id.hex[:8]}", **fields},
        )
        if is_fallback:
            AlertRoute.objects.create(tenant=tenant, channel=channel, is_fallback=True)
    return channel
