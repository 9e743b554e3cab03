"""The page that asks before a role is taken away."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404

from studio.addresses import list_address
from studio.pages.shell import confirm
from studio.people import actor_of
from tenants.actors import require
from tenants.models import Membership
from tenants.services.people import revoke_membership

__all__ = ["revoke"]


def revoke(request: HttpRequest, membership_id: int) -> HttpResponse:
    """The person has no role of their own there any more."""
    actor = actor_of(request)
    membership = get_object_or_404(Membership.objects.select_related("user", "tenant"), pk=membership_id)
    require(actor, "people.manage", membership.tenant_id)
    where = membership.tenant.name if membership.tenant else "the whole workspace"
    person = membership.user.get_username()

    def deed() -> str:
        revoke_membership(actor=actor, membership=membership)
        return f"{person} has no role in {where} any more."

    return confirm(
        request,
        noun=Membership,
        row=membership,
        title=f"Take the role of {person} away",
        text=f"{person} is {membership.get_role_display().lower()} of {where}. From their next click on they are not; "
        "roles that they have elsewhere stay.",
        button="Take the role away",
        back=list_address(Membership),
        deed=deed,
    )
