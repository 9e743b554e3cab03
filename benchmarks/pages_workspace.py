"""A workspace ten times as large as the demo, with a catalog of ten thousand events."""

from pathlib import Path
from tempfile import TemporaryDirectory

from django.db import connection
from django.utils import timezone

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.enums import Environment, PrivacyLevel
from telemetry.models import EventRecord, PropertyRecord, SpecRecord
from telemetry.services.demo.traffic import WORKFLOW_STEP, play_days
from telemetry.services.demo.workspace import load_demo
from telemetry.services.overrides import publish_override, save_override
from telemetry.services.reviews import submit_for_review
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import App, Installation
from tenants.roles import Scope
from tenants.services.installations import create_installation
from tenants.services.keys import issue_key
from tenants.services.tenants import create_tenant

__all__ = ["make_large_workspace"]

TENANTS, SPECS, EVENTS = 20, 100, 100
SPEC = Path(__file__).resolve().parents[1] / "examples" / "sigil.telemetry.yaml"
NOUNS = ("order", "cart", "checkout", "payment", "refund", "coupon", "invoice", "parcel", "address", "review")


def make_large_workspace() -> None:
    """The demo, 18 more tenants that are like its own with their traffic, and 100 drafts of 100 events each."""
    with TemporaryDirectory() as directory:
        load_demo(spec_document=SPEC.read_bytes(), credentials_file=Path(directory) / "credentials.json")
    with tenant_context(ALL):
        make_drafts()
        app = App.objects.get(slug="sigil")
        for number in range(TENANTS - 2):
            make_tenant(app, number)
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def make_drafts() -> None:
    """Rows of drafts, written at once; every tenth spec is up for review."""
    records = SpecRecord.objects.bulk_create(
        SpecRecord(name=f"area{number}", title=f"Area {number}", owners=[f"@team.{number % 7}"])
        for number in range(SPECS)
    )
    rows = EventRecord.objects.bulk_create(make_event(record, number) for record in records for number in range(EVENTS))
    PropertyRecord.objects.bulk_create(
        PropertyRecord(event=row, name=name, type=type_, position=position)
        for row in rows
        for position, (name, type_) in enumerate((("step", "string"), ("durationMs", "number"), ("reason", "string")))
    )
    for record in records[::10]:
        revision = SpecRecord.objects.get(pk=record.pk).draft_revision
        submit_for_review(actor=SYSTEM, spec_name=record.name, expected_revision=revision, summary="New events")


def make_event(record: SpecRecord, number: int) -> EventRecord:
    """One event of a draft, not saved."""
    noun = NOUNS[number % len(NOUNS)]
    name, what = f"{record.name}.{noun}_{number}", f"A customer's {noun} changed"
    return EventRecord(
        spec=record,
        name=name,
        version=1,
        position=number,
        semantics_what=what,
        privacy=list(PrivacyLevel)[number % 4].value,
        tags=[f"tag{number % 20}"],
        search_text="\n".join((name, what, "step", "durationMs", "reason")).lower(),
    )


def make_tenant(app: App, number: int) -> None:
    """A tenant with the app in production, an override of its own, a key, and some days of events."""
    tenant = create_tenant(actor=SYSTEM, slug=f"tenant-{number}", name=f"Tenant {number}")
    made = create_installation(actor=SYSTEM, tenant=tenant, app=app, environment=Environment.PRODUCTION)
    override = TenantOverride(events={WORKFLOW_STEP: EventOverride(sampling_rate=0.5, retention_days=7 + number)})
    draft = save_override(actor=SYSTEM, installation=made, override=override, expected_checksum=None)
    publish_override(
        actor=SYSTEM,
        config=draft,
        change_summary="What this tenant asked for.",
        expected_checksum=draft.checksum,
        expected_published_number=None,
    )
    issue_key(actor=SYSTEM, installation=made, name="Demo", scopes=(Scope.INGEST, Scope.CONFIG_READ))
    installation = Installation.objects.select_related("tenant", "app").get(pk=made.pk)
    play_days(installation, now=timezone.now(), seed=number)
