"""Reading; each selector takes the tenant or installation first, and row-level security holds besides.

Lists are querysets, not run yet, in the order of their page; a single row that the context does not show is
``NotFound``, as if it did not exist.
"""

from typing import TypeVar
from uuid import UUID

from django.db import models
from django.db.models import Q, QuerySet

from telemetry.core.errors import NotFound
from tenants.models import (
    ApiKey,
    App,
    ConfigStatus,
    FloorRecord,
    Installation,
    Tenant,
    TenantAppConfig,
)

__all__ = [
    "apps",
    "config_by_number",
    "config_versions",
    "draft_config",
    "floors_of",
    "installation_by_public_id",
    "installations_in_context",
    "keys_of",
    "published_config",
    "tenant_by_slug",
    "tenants_in_context",
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


# What they run


def apps() -> QuerySet[App]:
    """All apps, by slug; they belong to the whole workspace."""
    return App.objects.all()


def installations_in_context() -> QuerySet[Installation]:
    """The installations of the tenants in the transaction's context, with tenant and app, by both and environment."""
    return Installation.objects.select_related("tenant", "app").order_by("tenant__slug", "app__slug", "environment")


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
