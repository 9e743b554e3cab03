"""What tenants look like."""

from datetime import datetime
from typing import Annotated, Final, Literal

import msgspec

from studio.api.shapes import Page, PageQuery, Shape
from tenants.models import Tenant
from tenants.models.tenant import SLUG_LENGTH, SLUG_PATTERN

__all__ = ["NewTenant", "TenantItem", "TenantPage", "TenantQuery", "write_tenant"]

TENANT_ORDER: Final = {
    "slug": "slug",
    "-slug": "-slug",
    "name": "name",
    "-name": "-name",
    "createdAt": "created_at",
    "-createdAt": "-created_at",
}


class TenantQuery(PageQuery, frozen=True, kw_only=True):
    """Which tenants, and in which order."""

    search: Annotated[str, msgspec.Meta(max_length=128, description="Text that slug or name contains.")] = ""
    order: Literal["slug", "-slug", "name", "-name", "createdAt", "-createdAt"] = "slug"


class NewTenant(Shape, frozen=True, kw_only=True):
    """A tenant to be made; the slug never changes."""

    slug: Annotated[str, msgspec.Meta(pattern=SLUG_PATTERN, max_length=SLUG_LENGTH)]
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]


class TenantItem(Shape, frozen=True, kw_only=True):
    """A tenant; the keys of one that is not active are refused."""

    slug: str
    name: str
    is_active: bool
    created_at: datetime


class TenantPage(Page[TenantItem], frozen=True, kw_only=True):
    """Some of the tenants."""


def write_tenant(tenant: Tenant) -> TenantItem:
    """No query."""
    return TenantItem(slug=tenant.slug, name=tenant.name, is_active=tenant.is_active, created_at=tenant.created_at)
