"""What the whole workspace looks like, as far as the tenant context shows it: for the page that people see first.

Each function is one query, however much there is; lists are cut to what a person reads.
"""

from datetime import datetime, timedelta
from typing import Final, NamedTuple
from uuid import UUID

from django.db import connection
from django.db.models import F, QuerySet
from django.utils import timezone

from telemetry.models import SpecRecord, SpecVersion
from telemetry.selectors.balance import SUMS
from telemetry.selectors.balance import Counts as EventCounts
from tenants.models import ApiKey, ConfigStatus, TenantAppConfig
from tenants.planned_changes import LIVE_CONFIGS

__all__ = [
    "SHOWN",
    "BrokenBindings",
    "BusyInstallation",
    "Counts",
    "DanglingReference",
    "UnboundInstallation",
    "broken_bindings",
    "busiest_installations",
    "changed_drafts",
    "counts",
    "drafted_overrides",
    "expiring_keys",
    "recent_overrides",
    "recent_versions",
]

# More than this is a list of its own.
SHOWN: Final = 6

COUNTS = """
SELECT (SELECT count(*) FROM tenants_tenant), (SELECT count(*) FROM tenants_installation),
    (SELECT count(*) FROM tenants_app), (SELECT count(*) FROM telemetry_specrecord),
    (SELECT count(*) FROM telemetry_specversion WHERE status = 'published'),
    (SELECT count(*) FROM telemetry_eventrecord),
    (SELECT count(*) FROM tenants_apikey WHERE kind = 'app' AND revoked_at IS NULL
        AND (expires_at IS NULL OR expires_at > now()))
"""

BUSIEST: Final = f"""
WITH busiest AS (
    SELECT installation_id, {SUMS}
    FROM telemetry_eventtally
    WHERE received_minute >= %(start)s AND received_minute < %(end)s
    GROUP BY installation_id ORDER BY 2 DESC, installation_id LIMIT %(limit)s
)
SELECT installation.public_id, tenant.name, app.name, installation.environment,
    (SELECT count(*) FROM telemetry_incident incident
        WHERE incident.installation_id = installation.id AND incident.status <> 'resolved'),
    busiest.*
FROM busiest
JOIN tenants_installation installation ON installation.id = busiest.installation_id
JOIN tenants_tenant tenant ON tenant.id = installation.tenant_id
JOIN tenants_app app ON app.id = installation.app_id
ORDER BY 7 DESC, busiest.installation_id
"""  # noqa: S608 - constants only

# An override's pointer stands for the blueprint's as a whole, as in ``selectors.configs``.
BOUND = (
    """
WITH bound AS (
    SELECT installation.public_id, tenant.name AS tenant, app.name AS app, installation.environment,
        coalesce(config.document::jsonb -> 'spec', app.blueprint::jsonb -> 'spec') AS pointer,
        coalesce(app.blueprint::jsonb -> 'events', '{}') || coalesce(config.document::jsonb -> 'events', '{}') AS events
    FROM tenants_installation installation
    JOIN tenants_tenant tenant ON tenant.id = installation.tenant_id
    JOIN tenants_app app ON app.id = installation.app_id
    LEFT JOIN ("""  # noqa: S608 - constants only
    + LIVE_CONFIGS
    + """) live ON live.installation_id = installation.id
    LEFT JOIN tenants_tenantappconfig config ON config.id = live.config_id
), known AS (
    SELECT bound.*, version.document AS spec
    FROM bound
    LEFT JOIN telemetry_specrecord spec ON spec.name = bound.pointer ->> 'name'
    LEFT JOIN telemetry_specversion version ON version.spec_id = spec.id AND CASE
        WHEN bound.pointer ->> 'version' IS NULL THEN version.status = 'published'
        ELSE version.version = (bound.pointer ->> 'version')::int END
)
"""
)

BINDINGS = (
    BOUND  # noqa: S608 - constants only
    + """
(SELECT true, public_id, tenant, app, environment, coalesce(pointer ->> 'name', '')
FROM known WHERE spec IS NULL ORDER BY tenant, app, environment LIMIT %(limit)s)
UNION ALL
(SELECT false, public_id, tenant, app, environment, reference
FROM known CROSS JOIN LATERAL jsonb_object_keys(known.events) AS reference
WHERE spec IS NOT NULL AND NOT EXISTS (
    SELECT FROM jsonb_array_elements(coalesce(known.spec::jsonb -> 'events', '[]')) AS event
    WHERE reference IN (event ->> 'name', concat(event ->> 'name', '@', event ->> 'version'))
)
ORDER BY tenant, app, environment, reference LIMIT %(limit)s)
"""
)


class Counts(NamedTuple):
    """How much of each noun there is; ``keys`` are those of apps that work."""

    tenants: int
    installations: int
    apps: int
    specs: int
    published_specs: int
    events: int
    keys: int


class UnboundInstallation(NamedTuple):
    """An installation that has no effective config; ``spec_name`` is empty if nothing is pointed at."""

    public_id: UUID
    tenant: str
    app: str
    environment: str
    spec_name: str


class DanglingReference(NamedTuple):
    """An event that a blueprint or a live override names, and the bound spec does not have."""

    public_id: UUID
    tenant: str
    app: str
    environment: str
    reference: str


class BrokenBindings(NamedTuple):
    """Installations whose apps get an error instead of a config, and names of events that change nothing."""

    unbound: list[UnboundInstallation]
    dangling: list[DanglingReference]


class BusyInstallation(NamedTuple):
    """What an installation's apps sent, and how many incidents are not resolved there."""

    public_id: UUID
    tenant: str
    app: str
    environment: str
    incidents: int
    counts: EventCounts


def busiest_installations(start: datetime, end: datetime) -> list[BusyInstallation]:
    """Those that received most in [start, end), whose ends are whole minutes; most first."""
    with connection.cursor() as cursor:
        cursor.execute(BUSIEST, {"start": start, "end": end, "limit": SHOWN})
        return [
            BusyInstallation(key, tenant, app, environment, incidents, EventCounts(*counts))
            for key, tenant, app, environment, incidents, _, *counts in cursor.fetchall()
        ]


def counts() -> Counts:
    """How much there is."""
    with connection.cursor() as cursor:
        cursor.execute(COUNTS)
        return Counts(*cursor.fetchone())


def broken_bindings() -> BrokenBindings:
    """Where a config names what is not there, each kind by tenant and app; one query."""
    with connection.cursor() as cursor:
        cursor.execute(BINDINGS, {"limit": SHOWN})
        rows = cursor.fetchall()
    return BrokenBindings(
        [UnboundInstallation(*row) for is_unbound, *row in rows if is_unbound],
        [DanglingReference(*row) for is_unbound, *row in rows if not is_unbound],
    )


def changed_drafts() -> QuerySet[SpecRecord]:
    """Specs whose draft says something that is not published, changed last first."""
    return SpecRecord.objects.exclude(draft_revision=F("published_revision")).order_by("-updated_at")[:SHOWN]


def drafted_overrides() -> QuerySet[TenantAppConfig]:
    """Overrides that wait for somebody to publish them, newest first; those that are planned do not."""
    drafts = TenantAppConfig.objects.filter(status__in=[ConfigStatus.DRAFT, ConfigStatus.PREVIEW], periods=None)
    rows = drafts.select_related("installation__tenant", "installation__app").defer("document")
    return rows.order_by("-created_at")[:SHOWN]


def expiring_keys(within: timedelta) -> QuerySet[ApiKey]:
    """Keys of apps that work now and no more after ``within``, the first to end first."""
    now = timezone.now()
    ending = ApiKey.objects.filter(revoked_at=None, expires_at__gt=now, expires_at__lte=now + within, kind="app")
    rows = ending.select_related("installation__tenant", "installation__app").defer("digest")
    return rows.order_by("expires_at")[:SHOWN]


def recent_versions(since: datetime) -> QuerySet[SpecVersion]:
    """Versions of specs that were published since then, newest first; without their documents."""
    rows = SpecVersion.objects.filter(published_at__gte=since).select_related("spec").defer("document")
    return rows.order_by("-published_at")[:SHOWN]


def recent_overrides(since: datetime) -> QuerySet[TenantAppConfig]:
    """Overrides that went live since then, newest first; without their documents."""
    rows = TenantAppConfig.objects.filter(published_at__gte=since).defer("document")
    return rows.select_related("installation__tenant", "installation__app").order_by("-published_at")[:SHOWN]
