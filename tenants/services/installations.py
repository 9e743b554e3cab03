"""Apps at tenants."""

from django.db import transaction

from telemetry.core.enums import Environment
from tenants.actors import Actor, require
from tenants.models import App, Installation, Tenant
from tenants.services import audit
from tenants.services.checks import conflict_if_taken
from tenants.services.config_revision import plan_installation

__all__ = ["create_installation"]


@transaction.atomic
def create_installation(*, actor: Actor, tenant: Tenant, app: App, environment: Environment) -> Installation:
    """The app is installed at the tenant in this environment; its config is the app's until an override is published.

    Needs ``tenant.manage`` in the tenant. Raises ``Conflict`` if it is installed there already.
    """
    require(actor, "tenant.manage", tenant.pk)
    # An exception that is granted to the whole tenant at the same time sees this installation, or is seen here.
    list(Tenant.objects.select_for_update(no_key=True).filter(pk=tenant.pk).order_by())
    with conflict_if_taken(f"{app.slug} is installed at {tenant.slug} in {environment.value} already"):
        installation = Installation.objects.create(tenant=tenant, app=app, environment=environment.value)
    plan_installation(installation.pk)
    details = {"app": app.slug, "environment": environment.value}
    audit.record(actor=actor, action="installation.created", target=installation, tenant_id=tenant.pk, details=details)
    return installation
