"""Reading; each selector takes the tenant or installation first, and row-level security holds besides.

Lists are querysets, not run yet, in the order of their page; a single row that the context does not show is
``NotFound``, as if it did not exist.
"""

from collections.abc import Collection
from typing import TypeVar
from uuid import UUID

from django.contrib.auth.models import User
from django.db import models
from django.db.models import Case, Exists, F, OuterRef, Q, QuerySet, Value, When
from django.db.models.expressions import RawSQL
from django.db.models.functions import Now

from telemetry.core.enums import Environment
from telemetry.core.errors import NotFound
from tenants.models import (
    ApiKey,
    App,
    ConfigPeriod,
    ConfigStatus,
    DraftStep,
    Installation,
    KeyKind,
    Membership,
    Tenant,
    TenantAppConfig,
)
from tenants.planned_changes import LIVE_PERIOD, MOMENT
from tenants.roles import Scope

__all__ = [
    "app_by_slug",
    "apps",
    "config_by_number",
    "config_versions",
    "draft_config",
    "installation_by_public_id",
    "installation_of",
    "installations_in_context",
    "keys_of",
    "last_step",
    "live_period",
    "people_of",
    "planned_periods",
    "published_config",
    "tenant_by_slug",
    "tenants_in_context",
    "working_keys",
]

M = TypeVar("M", bound=models.Model)

LIVE = f"""
FROM tenants_installation installation
CROSS JOIN LATERAL ({MOMENT}) moment
CROSS JOIN LATERAL ({LIVE_PERIOD}) live
"""
LIVE_PERIOD_OF = f"SELECT live.id {LIVE} WHERE installation.id = %(id)s"
LIVE_CONFIG_ID = f"SELECT live.config_id {LIVE} WHERE installation.id = %s"
LIVE_CONFIG = f"""
SELECT config.* {LIVE} JOIN tenants_tenantappconfig config ON config.id = live.config_id WHERE installation.id = %(id)s
"""


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


def people_of(tenant_id: int) -> list[User]:
    """The active people with a role in the tenant, or in the whole workspace, as far as the context shows them."""
    held = Membership.objects.filter(Q(tenant_id=tenant_id) | Q(tenant=None)).order_by().values("user_id")
    return list(User.objects.filter(pk__in=held, is_active=True).order_by("username"))


# What they run


def apps() -> QuerySet[App]:
    """All apps, by slug; they belong to the whole workspace."""
    return App.objects.all()


def app_by_slug(slug: str) -> App:
    """The app with this slug; ``NotFound``."""
    return _one(App.objects.filter(slug=slug), "app")


def installations_in_context() -> QuerySet[Installation]:
    """The installations of the tenants in the transaction's context, with tenant and app, by both and environment."""
    return Installation.objects.select_related("tenant", "app").order_by("tenant__slug", "app__slug", "environment")


def installation_by_public_id(public_id: UUID) -> Installation:
    """The installation that an address names, with tenant and app; ``NotFound``, also when it is another tenant's."""
    return _one(
        Installation.objects.filter(public_id=public_id).select_related("tenant", "app"),
        "installation",
    )


def installation_of(tenant: Tenant, app: App, environment: Environment) -> Installation:
    """The app at the tenant in the environment, with both; ``NotFound``."""
    rows = Installation.objects.filter(tenant=tenant, app=app, environment=environment)
    return _one(rows.select_related("tenant", "app"), "installation")


def keys_of(installation: Installation) -> QuerySet[ApiKey]:
    """The installation's keys, newest first, also those that are revoked or expired."""
    return ApiKey.objects.filter(installation=installation)


# Their overrides


def config_versions(installation: Installation) -> QuerySet[TenantAppConfig]:
    """All versions of the installation's override, newest first, each with the one it is based on and its ``state``."""
    started = ConfigPeriod.objects.filter(Q(ends_at=None) | Q(ends_at__gt=F("starts_at")), starts_at__lte=Now())
    was_live = Q(status=ConfigStatus.PUBLISHED) | (
        Q(status=ConfigStatus.PREVIEW) & Exists(started.filter(config=OuterRef("pk")).order_by())
    )
    # The model declares the annotation, so that whoever shows a row may name it.
    live_id = RawSQL(LIVE_CONFIG_ID, [installation.pk])  # noqa: S611 - a constant and a parameter
    versions = TenantAppConfig.objects.filter(installation=installation)
    versions = versions.select_related("based_on", "promoted_from__installation").order_by("-number")
    return versions.annotate(  # type: ignore[no-redef]
        present_status=Case(
            When(pk=live_id, then=Value(ConfigStatus.PUBLISHED.value)),
            When(was_live, then=Value(ConfigStatus.SUPERSEDED.value)),
            default=F("status"),
        )
    )


def published_config(installation: Installation) -> TenantAppConfig | None:
    """The version that is live at this instant, or ``None``; one query."""
    live = next(iter(TenantAppConfig.objects.raw(LIVE_CONFIG, {"id": installation.pk})), None)
    if live is not None:
        live.present_status = ConfigStatus.PUBLISHED.value
    return live


def live_period(installation: Installation) -> ConfigPeriod | None:
    """The period that counts at this instant, with its version; ``None`` while the app's defaults hold. Two queries."""
    live = next(iter(ConfigPeriod.objects.raw(LIVE_PERIOD_OF, {"id": installation.pk})), None)
    return None if live is None else ConfigPeriod.objects.select_related("config").get(pk=live.pk)


def planned_periods(installation: Installation) -> QuerySet[ConfigPeriod]:
    """What starts or ends by itself from this instant on, with its version, the first to start first."""
    ahead = Q(starts_at__gt=Now(), ends_at=None) | (Q(ends_at__gt=Now()) & Q(ends_at__gt=F("starts_at")))
    periods = ConfigPeriod.objects.filter(ahead, installation=installation)
    return periods.select_related("config").order_by("starts_at", "pk")


def draft_config(installation: Installation) -> TenantAppConfig | None:
    """The draft, or ``None``; one query."""
    return TenantAppConfig.objects.filter(installation=installation, status=ConfigStatus.DRAFT).order_by().first()


def last_step(draft: TenantAppConfig) -> DraftStep | None:
    """The last change of the draft, which can be undone; ``None`` if there is none. One query."""
    return DraftStep.objects.filter(config=draft).order_by("-number").first()


def config_by_number(installation: Installation, number: int) -> TenantAppConfig:
    """Version ``number`` of the installation's override; ``NotFound``."""
    return _one(TenantAppConfig.objects.filter(installation=installation, number=number), f"version as {number}")


def working_keys(key_ids: Collection[int], scope: Scope) -> dict[int, int]:
    """Those of the installations' keys that would be let in now with this scope, with the row id of their installation.

    As far as the tenant context shows them; one query.
    """
    found = ApiKey.objects.filter(
        Q(expires_at=None) | Q(expires_at__gt=Now()),
        pk__in=key_ids,
        kind=KeyKind.APP,
        revoked_at=None,
        scopes__contains=[scope],
        tenant__is_active=True,
    )
    holders = found.order_by().values_list("pk", "installation_id")
    return {key_id: holder for key_id, holder in holders if holder is not None}
