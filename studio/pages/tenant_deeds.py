"""Pages that ask before something is done to a whole tenant."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from studio.addresses import address_of
from studio.pages.shell import confirm
from studio.people import actor_of
from tenants.actors import require
from tenants.models import Tenant
from tenants.services import tenants as services

__all__ = ["renew_pseudonym_key", "switch_tenant"]


def switch_tenant(request: HttpRequest, tenant_id: int) -> HttpResponse:
    """The tenant's keys stop working, or work again."""
    actor = actor_of(request)
    tenant = get_object_or_404(Tenant, pk=tenant_id)
    require(actor, "tenant.manage")
    wanted = not tenant.is_active

    def deed() -> str:
        services.set_tenant_active(actor=actor, tenant=tenant, is_active=wanted)
        return f"{tenant.name} is {'active' if wanted else 'inactive'}."

    return confirm(
        request,
        noun=Tenant,
        row=tenant,
        title=f"{'Activate' if wanted else 'Deactivate'} {tenant.name}",
        text=(
            f"The keys of {tenant.name} work again from the next call on."
            if wanted
            else f"Every key of {tenant.name} is refused from the next call on: its apps get no config and cannot send "
            "events. Nothing is removed; you can activate it again."
        ),
        button="Activate" if wanted else "Deactivate",
        tone="primary" if wanted else "danger",
        back=address_of(tenant),
        deed=deed,
    )


def renew_pseudonym_key(request: HttpRequest, tenant_id: int) -> HttpResponse:
    """The tenant's subjects get new pseudonyms."""
    actor = actor_of(request)
    tenant = get_object_or_404(Tenant, pk=tenant_id)
    require(actor, "pseudonym_key.renew", tenant.pk)

    def deed() -> str:
        services.renew_pseudonym_key(actor=actor, tenant=tenant)
        return f"The pseudonym key of {tenant.name} is at epoch {tenant.pseudonym_epoch}."

    return confirm(
        request,
        noun=Tenant,
        row=tenant,
        title=f"Renew the pseudonym key of {tenant.name}",
        text=(
            "The same person gets a new pseudonym from here on, so events before and after cannot be linked. "
            "This cannot be taken back.\n\nEvery installation of the tenant gets a new config, which trackers fetch "
            "with their next poll."
        ),
        button="Renew the key",
        back=address_of(tenant),
        deed=deed,
    )
