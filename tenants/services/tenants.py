"""Customers."""

from django.db import transaction
from django.db.models import F

from telemetry.core.errors import NotFound
from tenants.actors import Actor, require
from tenants.models import Installation, Tenant
from tenants.services import audit
from tenants.services.checks import conflict_if_taken, line_error, refuse_errors, slug_error
from tenants.services.config_revision import bump, stamp_installations, take_stamp
from tenants.services.settling import settle

__all__ = ["create_tenant", "renew_pseudonym_key", "set_tenant_active"]


@transaction.atomic
def create_tenant(*, actor: Actor, slug: str, name: str) -> Tenant:
    """A new tenant with salts of its own.

    Needs ``tenant.manage`` in the workspace. Raises ``InvalidDocument`` for a bad slug or name, ``Conflict`` if the
    slug is taken.
    """
    require(actor, "tenant.manage")
    refuse_errors("tenant", slug_error("slug", slug), line_error("name", name))
    with conflict_if_taken(f"a tenant with the slug {slug} exists already"):
        tenant = Tenant.objects.create(slug=slug, name=name)
    audit.record(actor=actor, action="tenant.created", target=tenant, tenant_id=tenant.pk, details={"slug": slug})
    return tenant


@transaction.atomic
def set_tenant_active(*, actor: Actor, tenant: Tenant, is_active: bool) -> Tenant:
    """The tenant's keys work, or are refused from the next call on. Needs ``tenant.manage`` in the workspace."""
    require(actor, "tenant.manage")
    bump()
    changed = Tenant.objects.filter(pk=tenant.pk, is_active=not is_active).update(is_active=is_active)
    tenant.refresh_from_db(fields=["is_active"])
    if changed:
        action = "tenant.activated" if is_active else "tenant.deactivated"
        audit.record(actor=actor, action=action, target=tenant, tenant_id=tenant.pk)
    return tenant


@transaction.atomic
def renew_pseudonym_key(*, actor: Actor, tenant: Tenant) -> Tenant:
    """The tenant has a new pseudonym key: the same subjects get new pseudonyms from here on.

    Every installation of the tenant gets a new config revision, because trackers fetch the key with the config. Needs
    ``pseudonym_key.renew`` in the tenant.
    """
    require(actor, "pseudonym_key.renew", tenant.pk)
    stamp = take_stamp()
    if not Tenant.objects.filter(pk=tenant.pk).update(pseudonym_epoch=F("pseudonym_epoch") + 1):
        raise NotFound("there is no such tenant")
    installations = list(Installation.objects.filter(tenant=tenant).order_by().values_list("pk", flat=True))
    settle(installations, stamp)
    stamp = stamp_installations(installations, stamp)
    tenant.refresh_from_db(fields=["pseudonym_epoch"])
    details = {"epoch": tenant.pseudonym_epoch, "config_revision": stamp.revision}
    audit.record(
        actor=actor, action="tenant.pseudonym_key.renewed", target=tenant, tenant_id=tenant.pk, details=details
    )
    return tenant
