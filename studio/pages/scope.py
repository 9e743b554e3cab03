"""Which tenants and installations a form may offer."""

from django.db.models import QuerySet

from tenants.actors import Actor
from tenants.context import ALL
from tenants.models import Installation, Tenant

__all__ = ["installations_where", "tenants_where"]


def tenants_where(actor: Actor, ability: str) -> QuerySet[Tenant]:
    """The tenants in which the actor has the ability, by slug."""
    if actor.tenant_ids == ALL and actor.can(ability):
        return Tenant.objects.all()
    return Tenant.objects.filter(pk__in=[place for place in actor.grants if place and actor.can(ability, place)])


def installations_where(actor: Actor, ability: str) -> QuerySet[Installation]:
    """The installations in whose tenant the actor has the ability, with tenant and app."""
    return Installation.objects.filter(tenant__in=tenants_where(actor, ability)).select_related("tenant", "app")
