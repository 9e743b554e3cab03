"""Reading; each selector takes the tenant or installation first, and row-level security holds besides.

Lists are querysets, not run yet, in the order of their page; a single row that the context does not show is
``NotFound``, as if it did not exist.
"""

from typing import TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q, QuerySet
from django.db.models.functions import Coalesce, Greatest

from telemetry.core.enums import Environment
from telemetry.core.errors import NotFound
from tenants.models import (
    ApiKey,
    App,
    AuditEntry,
    ConfigStatus,
    FloorRecord,
    Installation,
    Membership,
    Tenant,
    TenantAppConfig,
)

__all__ = [
    "app_by_slug",
    "apps",
    "audit_entries",
    "config_by_number",
    "config_versions",
    "draft_config",
    "floors_of",
    "installation_at",
    "installation_by_public_id",
    "installations_in_context",
    "installations_of",
    "keys_of",
    "members_of",
    "own_revision",
    "published_config",
    "tenant_by_slug",
    "tenants_in_context",
    "workspace_audit_entries",
    "workspace_members",
]

M = TypeVar("M", bound=models.Model)


def _one(rows: QuerySet[M], what: str) -> M:
    found = rows.order_by().first()
    if found is None:
        raise NotFound(f"there is no such {what}")
    return found


# Who


def tenants_in_context() -> QuerySet[Tenant]:
    """The tenants of the transaction's context, by slug."""
    return Tenant.objects.all()


def tenant_by_slug(slug: str) -> Tenant:
    """The tenant with this slug; ``NotFound``."""
    return _one(Tenant.objects.filter(slug=slug), "tenant")


def members_of(tenant: Tenant) -> QuerySet[Membership]:
    """The people of the tenant with their roles; who has a role in the whole workspace is not among them."""
    return Membership.objects.filter(tenant=tenant).select_related("user", "tenant").order_by("user__username")


def workspace_members() -> QuerySet[Membership]:
    """The people with a role in the whole workspace."""
    return Membership.objects.filter(tenant=None).select_related("user").order_by("user__username")


# What they run


def apps() -> QuerySet[App]:
    """All apps, by slug; they belong to the whole workspace."""
    return App.objects.all()


def app_by_slug(slug: str) -> App:
    """The app with this slug; ``NotFound``."""
    return _one(App.objects.filter(slug=slug), "app")


def installations_of(tenant: Tenant) -> QuerySet[Installation]:
    """The tenant's installations with tenant and app, by app and environment."""
    rows = Installation.objects.filter(tenant=tenant).select_related("tenant", "app")
    return rows.order_by("app__slug", "environment")


def installations_in_context() -> QuerySet[Installation]:
    """The installations of the tenants in the transaction's context, with tenant and app, by both and environment."""
    return Installation.objects.select_related("tenant", "app").order_by("tenant__slug", "app__slug", "environment")


def installation_at(tenant: Tenant, app: App, environment: Environment) -> Installation:
    """The installation of the app at the tenant in this environment; ``NotFound``."""
    rows = Installation.objects.filter(tenant=tenant, app=app, environment=environment.value)
    return _one(rows.select_related("tenant", "app"), "installation")


def installation_by_public_id(public_id: UUID) -> Installation:
    """The installation that an address names, with tenant and app; ``NotFound``, also when it is another tenant's."""
    return _one(
        Installation.objects.filter(public_id=public_id).select_related("tenant", "app"),
        "installation",
    )


def keys_of(installation: Installation) -> QuerySet[ApiKey]:
    """The installation's keys, newest first, also those that are revoked or expired."""
    return ApiKey.objects.filter(installation=installation)


# Their overrides


def config_versions(installation: Installation) -> QuerySet[TenantAppConfig]:
    """All versions of the installation's override, newest first, each with the one it is based on."""
    return TenantAppConfig.objects.filter(installation=installation).select_related("based_on").order_by("-number")


def published_config(installation: Installation) -> TenantAppConfig | None:
    """The version that is live, or ``None``; one query."""
    return TenantAppConfig.objects.filter(installation=installation, status=ConfigStatus.PUBLISHED).order_by().first()


def draft_config(installation: Installation) -> TenantAppConfig | None:
    """The draft, or ``None``; one query."""
    return TenantAppConfig.objects.filter(installation=installation, status=ConfigStatus.DRAFT).order_by().first()


def config_by_number(installation: Installation, number: int) -> TenantAppConfig:
    """Version ``number`` of the installation's override; ``NotFound``."""
    return _one(TenantAppConfig.objects.filter(installation=installation, number=number), f"version as {number}")


def floors_of(app: App) -> tuple[FloorRecord | None, FloorRecord | None]:
    """The organisation's floor and the app's own, either may be ``None``; one query."""
    records = {record.app_id: record for record in FloorRecord.objects.filter(Q(app=app) | Q(app=None)).order_by()}
    return records.get(None), records.get(app.pk)


def own_revision(installation: Installation) -> int:
    """The greatest config revision of the installation, its app and the floors that hold for it; one query.

    The revision of its effective config is the greater of this and the ``config_revision`` of its spec.
    """
    floors = FloorRecord.objects.filter(Q(app=installation.app_id) | Q(app=None)).order_by("-config_revision")
    greatest_floor = Coalesce(models.Subquery(floors.values("config_revision")[:1]), 0)
    rows = Installation.objects.filter(pk=installation.pk).order_by()
    revision = rows.values_list(Greatest("config_revision", "app__config_revision", greatest_floor), flat=True).first()
    if revision is None:
        raise NotFound("there is no such installation")
    return int(revision)


# What happened


def audit_entries(tenant: Tenant) -> QuerySet[AuditEntry]:
    """What happened in the tenant, newest first."""
    return AuditEntry.objects.filter(tenant=tenant)


def workspace_audit_entries() -> QuerySet[AuditEntry]:
    """What happened in the whole workspace and in all tenants of the context, newest first."""
    return AuditEntry.objects.select_related("tenant")
