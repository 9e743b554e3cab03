"""The demo workspace: the seed's spec, two tenants that differ, some days of events, people and keys to try it with."""

import json
import os
import secrets
from pathlib import Path
from typing import Final, NamedTuple

import msgspec
from django.contrib.auth import get_user_model
from django.utils import timezone

from telemetry.core.codec import decode_spec
from telemetry.core.config import (
    AppBlueprint,
    EventOverride,
    PrivacyFloor,
    SamplingBounds,
    SpecPointer,
    TenantOverride,
)
from telemetry.core.enums import Environment, FloorStrategy, PrivacyLevel, RedactionStrategy
from telemetry.core.spec import Quarantine, Redaction, TelemetryDefaults, TelemetrySpec
from telemetry.services.blueprints import create_app
from telemetry.services.demo.alerts import tell_somebody
from telemetry.services.demo.archive import archive_oldest_day
from telemetry.services.demo.changes import except_from_floor, plan_for_a_while
from telemetry.services.demo.provider import connect_web_hook
from telemetry.services.demo.retention import let_old_events_go
from telemetry.services.demo.traffic import WORKFLOW_STEP, play_days
from telemetry.services.overrides import publish_override, save_override
from telemetry.services.publishing import publish_version
from telemetry.services.regeneration.running import regenerate
from telemetry.services.specs import create_spec
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import App, Installation, Tenant
from tenants.roles import Role, Scope
from tenants.services.floors import save_floor
from tenants.services.installations import create_installation
from tenants.services.keys import issue_key
from tenants.services.people import grant_membership
from tenants.services.tenants import create_tenant

__all__ = ["load_demo"]

# Source: "Keep sampling >= 0.05 except for high-volume events", the seed's best practices.
FLOOR: Final = PrivacyFloor(
    minimum_redaction={PrivacyLevel.PII: FloorStrategy.HASH, PrivacyLevel.SENSITIVE: FloorStrategy.DROP},
    maximum_retention_days={PrivacyLevel.PII: 90, PrivacyLevel.SENSITIVE: 30},
    sampling=SamplingBounds(minimum_rate=0.05),
)

# Acme keeps every event, for two weeks, with user ids masked as the spec says; Globex keeps a quarter of its people's
# events, for one week, and no trace of user ids.
OVERRIDES: Final = {
    "acme": EventOverride(sampling_rate=1.0, retention_days=14),
    "globex": EventOverride(
        sampling_rate=0.25, retention_days=7, redaction={"userId": Redaction(strategy=RedactionStrategy.DROP)}
    ),
}


class Person(NamedTuple):
    """A login of the demo workspace; ``tenant`` ``None`` is the whole workspace."""

    username: str
    role: Role
    tenant: str | None


ADMIN: Final = Person("admin", Role.ADMIN, None)
# Sees one tenant only, to show that the others are out of sight.
ANALYST: Final = Person("acme-analyst", Role.ANALYST, "acme")


def load_demo(*, spec_document: bytes, credentials_file: Path) -> bool:
    """An empty studio has the demo workspace, and ``credentials_file``, which only its owner can read, how to get in.

    False, and nothing is changed, when there is a tenant or a person already. The passwords and API keys are random
    and nowhere else. All or nothing: without the file there is no workspace either. Raises ``InvalidDocument`` for a
    bad spec and ``OSError`` if the file cannot be written.
    """
    spec = _holding(decode_spec(spec_document))
    with tenant_context(ALL):
        if Tenant.objects.exists() or get_user_model().objects.exists():
            return False
        app = _publish(spec)
        tenants = {slug: create_tenant(actor=SYSTEM, slug=slug, name=slug.capitalize()) for slug in OVERRIDES}
        api_keys = {slug: _install(app, tenant) for slug, tenant in tenants.items()}
        passwords = {person.username: _welcome(person, tenants) for person in (ADMIN, ANALYST)}
        found = {
            "username": ADMIN.username,
            "password": passwords[ADMIN.username],
            "api_keys": api_keys,
            "people": passwords,
        }
        installations = list(Installation.objects.select_related("tenant", "app").order_by("id"))
        for seed, installation in enumerate(installations):
            play_days(installation, now=timezone.now(), seed=seed)
        # What these days ask for waits in the inbox of proposals.
        regenerate()
        let_old_events_go(installations, now=timezone.now())
        acme, globex = installations
        connect_web_hook(acme, now=timezone.now())
        tell_somebody(acme.tenant)
        plan_for_a_while(acme)
        except_from_floor(globex)
        _write_private(credentials_file, json.dumps(found, indent=2) + "\n")
    archive_oldest_day(acme)
    return True


def _holding(spec: TelemetrySpec) -> TelemetrySpec:
    """The spec, which holds refused events for a week, so that there is something to mend."""
    defaults = spec.config or TelemetryDefaults()
    return msgspec.structs.replace(spec, config=msgspec.structs.replace(defaults, quarantine=Quarantine(days=7)))


def _publish(spec: TelemetrySpec) -> App:
    """The spec is published, and the app ``sigil`` is bound to it; both under the organisation's floor."""
    save_floor(actor=SYSTEM, app=None, floor=FLOOR, expected_revision=0)
    record = create_spec(actor=SYSTEM, spec=spec)
    publish_version(
        actor=SYSTEM,
        name=record.name,
        expected_revision=record.draft_revision,
        change_summary="First version, as in the documentation.",
    )
    blueprint = AppBlueprint(spec=SpecPointer(name=record.name))
    return create_app(
        actor=SYSTEM, slug="sigil", name="Sigil", description="The product of the demo.", blueprint=blueprint
    )


def _install(app: App, tenant: Tenant) -> str:
    """The app runs in production at the tenant, with the tenant's override live; the text of its API key."""
    installation = create_installation(actor=SYSTEM, tenant=tenant, app=app, environment=Environment.PRODUCTION)
    override = TenantOverride(events={WORKFLOW_STEP: OVERRIDES[tenant.slug]})
    draft = save_override(actor=SYSTEM, installation=installation, override=override, expected_checksum=None)
    publish_override(
        actor=SYSTEM,
        config=draft,
        change_summary="What this tenant asked for.",
        expected_checksum=draft.checksum,
        expected_published_number=None,
    )
    scopes = (Scope.INGEST, Scope.CONFIG_READ, Scope.CONFIG_SECRET)
    return issue_key(actor=SYSTEM, installation=installation, name="Demo", scopes=scopes).text


def _welcome(person: Person, tenants: dict[str, Tenant]) -> str:
    """The person can sign in with the returned password, and has their role."""
    password = secrets.token_urlsafe(12)
    user = get_user_model().objects.create_user(username=person.username, password=password)
    tenant = None if person.tenant is None else tenants[person.tenant]
    grant_membership(actor=SYSTEM, user=user, tenant=tenant, role=person.role)
    return password


def _write_private(file: Path, text: str) -> None:
    """The file holds ``text`` as a whole, whatever was there before, and only its owner can read it."""
    unfinished = file.with_name(file.name + ".unfinished")
    unfinished.unlink(missing_ok=True)
    with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as output:
        output.write(text)
    unfinished.replace(file)
