"""Rows for tests: plain functions with sensible defaults, in a context of their own."""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.contrib.auth.models import AbstractUser, User
from django.utils import timezone

from telemetry.core.config import AppBlueprint, FloorException, TenantOverride
from telemetry.core.enums import Environment, FloorLimit, PrivacyLevel
from tenants.actors import SYSTEM, Actor, actor_of_user
from tenants.context import ALL, tenant_context
from tenants.models import App, FloorExceptionRecord, Installation, Membership, Tenant, TenantAppConfig
from tenants.roles import Role, Scope
from tenants.selectors import published_config
from tenants.services.apps import create_app
from tenants.services.config_drafts import save_draft_config
from tenants.services.configs import publish_config
from tenants.services.floor_exceptions import grant_exception
from tenants.services.installations import create_installation
from tenants.services.keys import IssuedKey, issue_key
from tenants.services.tenants import create_tenant

__all__ = [
    "accept_any",
    "make_actor",
    "make_app",
    "make_draft_config",
    "make_floor_exception",
    "make_installation",
    "make_key",
    "make_membership",
    "make_published_config",
    "make_tenant",
    "make_user",
]

_numbers = count(1)


def accept_any(config: TenantAppConfig) -> None:
    """A config check that refuses nothing."""


def make_tenant(slug: str = "", *, name: str = "") -> Tenant:
    """A tenant; without ``slug`` a new one each time."""
    slug = slug or f"tenant-{next(_numbers)}"
    with tenant_context(ALL):
        return create_tenant(actor=SYSTEM, slug=slug, name=name or slug.capitalize())


def make_app(slug: str = "", *, blueprint: AppBlueprint | None = None) -> App:
    """An app; without ``slug`` a new one each time."""
    slug = slug or f"app-{next(_numbers)}"
    with tenant_context(ALL):
        return create_app(actor=SYSTEM, slug=slug, name=slug.capitalize(), blueprint=blueprint)


def make_installation(
    tenant: Tenant | None = None, app: App | None = None, environment: Environment = Environment.PRODUCTION
) -> Installation:
    """An installation, of a new tenant and a new app unless they are given."""
    tenant, app = tenant or make_tenant(), app or make_app()
    with tenant_context(ALL):
        return create_installation(actor=SYSTEM, tenant=tenant, app=app, environment=environment)


def make_floor_exception(place: Installation, /, **fields: Any) -> FloorExceptionRecord:
    """An exception for the place's app at its tenant, live for a day, from the least redaction of ``pii``."""
    usual: dict[str, Any] = {
        "tenant": place.tenant,
        "app": place.app,
        "exception": FloorException(limit=FloorLimit.MINIMUM_REDACTION, level=PrivacyLevel.PII),
        "reason": "A migration",
        "ends_at": timezone.now() + timedelta(days=1),
    }
    with tenant_context(ALL):
        return grant_exception(actor=SYSTEM, **usual | fields)


def make_user(username: str = "", *, is_superuser: bool = False, is_active: bool = True) -> User:
    """A person without any role, whose password is ``a long enough password``."""
    return User.objects.create_user(
        username=username or f"person-{next(_numbers)}",
        password="a long enough password",
        is_staff=True,
        is_superuser=is_superuser,
        is_active=is_active,
    )


def make_membership(user: AbstractUser, role: Role, tenant: Tenant | None = None) -> Membership:
    """The role in the tenant, or in the whole workspace for ``None``."""
    with tenant_context(ALL):
        return Membership.objects.create(user_id=user.pk, role=role, tenant=tenant)


def make_actor(role: Role, tenant: Tenant | None = None) -> Actor:
    """A new person with this role in the tenant, or in the whole workspace for ``None``, as an actor."""
    user = make_user()
    make_membership(user, role, tenant)
    return actor_of_user(user)


def make_key(
    installation: Installation,
    *scopes: Scope,
    name: str = "Backend",
    expires_at: datetime | None = None,
) -> IssuedKey:
    """A key of the installation, by default with the scopes ``ingest`` and ``config:read``."""
    with tenant_context(ALL):
        return issue_key(
            actor=SYSTEM,
            installation=installation,
            name=name,
            scopes=scopes or (Scope.INGEST, Scope.CONFIG_READ),
            expires_at=expires_at,
        )


def make_draft_config(installation: Installation, override: TenantOverride | None = None) -> TenantAppConfig:
    """The draft holds ``override``; there must be none before."""
    with tenant_context(ALL):
        return save_draft_config(
            actor=SYSTEM, installation=installation, override=override or TenantOverride(), expected_checksum=None
        )


def make_published_config(installation: Installation, override: TenantOverride | None = None) -> TenantAppConfig:
    """``override`` is live at the installation, whatever was before; there must be no draft."""
    with tenant_context(ALL):
        live = published_config(installation)
        draft = make_draft_config(installation, override)
        return publish_config(
            actor=SYSTEM,
            config=draft,
            change_summary="Published by a test",
            expected_checksum=draft.checksum,
            expected_published_number=None if live is None else live.number,
            check=accept_any,
        )
