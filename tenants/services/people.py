"""Roles of people. Nobody gives or takes a role above their own."""

from django.contrib.auth.models import AbstractUser
from django.db import transaction

from telemetry.core.errors import NotAllowed, NotFound
from tenants.actors import Actor, require
from tenants.models import Membership, Tenant
from tenants.roles import Role
from tenants.services import audit

__all__ = ["grant_membership", "revoke_membership"]


@transaction.atomic
def grant_membership(*, actor: Actor, user: AbstractUser, tenant: Tenant | None, role: Role) -> Membership:
    """The person has exactly this role in the tenant, or in the whole workspace for ``None``.

    Needs ``people.manage`` there, and neither the new nor the former role may be above the actor's own: ``NotAllowed``.
    """
    tenant_id = None if tenant is None else tenant.pk
    _require_rank(actor, role, tenant_id)
    before = Membership.objects.select_for_update().filter(user_id=user.pk, tenant=tenant).first()
    if before is not None:
        _require_rank(actor, Role(before.role), tenant_id)
    membership = Membership.objects.bulk_create(
        [Membership(user_id=user.pk, tenant=tenant, role=role)],
        update_conflicts=True,
        unique_fields=["user", "tenant"],
        update_fields=["role"],
    )[0]
    details = {"role": role.value, "former_role": "" if before is None else before.role, "user_id": user.pk}
    audit.record(actor=actor, action="membership.granted", target=membership, tenant_id=tenant_id, details=details)
    return membership


@transaction.atomic
def revoke_membership(*, actor: Actor, membership: Membership) -> None:
    """The person has no role of their own there any more; from their next request on.

    Needs ``people.manage`` there; a role above the actor's own is ``NotAllowed``, a membership that is gone
    ``NotFound``.
    """
    _require_rank(actor, Role(membership.role), membership.tenant_id)
    removed, _ = Membership.objects.filter(pk=membership.pk, role=membership.role).delete()
    if not removed:
        raise NotFound("there is no such membership")
    details = {"former_role": membership.role, "user_id": membership.user_id}
    audit.record(
        actor=actor,
        action="membership.revoked",
        target=membership,
        tenant_id=membership.tenant_id,
        details=details,
    )


def _require_rank(actor: Actor, role: Role, tenant_id: int | None) -> None:
    require(actor, "people.manage", tenant_id)
    if not actor.can_grant(role, tenant_id):
        raise NotAllowed(f"the role {role.value} is above your own", ability="people.manage")
