"""Who acts: a person, a key, or the system itself."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from django.contrib.auth.models import AbstractUser, AnonymousUser

from telemetry.core.errors import NotAllowed
from telemetry.core.values import EMPTY_MAPPING
from tenants.context import ALL, TenantIds, rows_in_context
from tenants.models import ActorKind, ApiKey
from tenants.permissions import ABILITIES, may_grant
from tenants.roles import Role, Scope

__all__ = ["SYSTEM", "Actor", "actor_of_key", "actor_of_user", "require", "require_somewhere"]


GRANTS: Final = "SELECT tenant_id, role FROM tenants_membership WHERE user_id = %s"


@dataclass(frozen=True, kw_only=True)
class Actor:
    """Who asks, and with which rights; made once per request, so a role that is taken away ends with the request.

    ``grants`` maps a tenant's id, or ``None`` for the whole workspace, to a role; a workspace-wide role holds for
    every tenant. ``scopes`` are an app key's, and hold in ``tenant_id`` alone. ``user_id`` is the person who acts,
    also through a personal key. ``request_id`` goes into audit entries.
    """

    kind: ActorKind
    id: str
    label: str
    grants: Mapping[int | None, Role] = EMPTY_MAPPING
    scopes: frozenset[Scope] = frozenset()
    tenant_id: int | None = None
    user_id: int | None = None
    request_id: str = ""

    @property
    def tenant_ids(self) -> TenantIds:
        """The tenants whose rows the actor may see, for ``tenant_context``."""
        if self.kind == ActorKind.SYSTEM or None in self.grants:
            return ALL
        held = {tenant_id for tenant_id in (*self.grants, self.tenant_id) if tenant_id is not None}
        return tuple(sorted(held))

    @property
    def person_id(self) -> str:
        """The person who acts, as text for columns that outlive the account; empty for systems and apps."""
        return "" if self.user_id is None else str(self.user_id)

    def can(self, ability: str, tenant_id: int | None = None) -> bool:
        """Whether the actor has the ability in this tenant, or in the whole workspace for ``None``.

        An unknown ability is a ``KeyError``: a misspelt name must not read as "no".
        """
        rule = ABILITIES[ability]
        if self.kind == ActorKind.SYSTEM:
            return True
        if self.kind == ActorKind.KEY and self.user_id is None:
            return rule.scope in self.scopes and tenant_id is not None and tenant_id == self.tenant_id
        if self.kind == ActorKind.KEY and not rule.by_key:
            return False
        return not rule.roles.isdisjoint(self.roles_in(tenant_id))

    def can_somewhere(self, ability: str) -> bool:
        """Whether the actor has the ability in the workspace or in at least one tenant.

        For what has no tenant and that every member may see, such as published specs.
        """
        return any(self.can(ability, tenant_id) for tenant_id in (None, self.tenant_id, *self.grants))

    def can_grant(self, role: Role, tenant_id: int | None = None) -> bool:
        """Whether the actor may give ``role`` to somebody there, or take it: never one above the actor's own."""
        if not self.can("people.manage", tenant_id):
            return False
        return self.kind == ActorKind.SYSTEM or may_grant(self.roles_in(tenant_id), role)

    def roles_in(self, tenant_id: int | None) -> frozenset[Role]:
        """The roles that hold in this tenant, or in the whole workspace for ``None``."""
        return frozenset(self.grants[place] for place in {None, tenant_id} if place in self.grants)


# Commands, scheduled jobs and first setup; never the actor of a request.
SYSTEM: Final = Actor(kind=ActorKind.SYSTEM, id="", label="system")


def require(actor: Actor, ability: str, tenant_id: int | None = None) -> None:
    """Return if the actor has the ability there; raises ``NotAllowed``, which names the ability and nothing else."""
    if not actor.can(ability, tenant_id):
        raise NotAllowed(f"your role does not include the ability {ability}", ability=ability)


def require_somewhere(actor: Actor, ability: str) -> None:
    """Return if the actor has the ability in the workspace or in at least one tenant; raises ``NotAllowed``."""
    if not actor.can_somewhere(ability):
        raise NotAllowed(f"your role does not include the ability {ability}", ability=ability)


def actor_of_user(user: AbstractUser | AnonymousUser, *, request_id: str = "") -> Actor:
    """The person as an actor, with the roles of this moment.

    A superuser is admin of the whole workspace. Somebody who is not logged in or not active has no grants. One query
    for the memberships, none for superusers.
    """
    return Actor(
        kind=ActorKind.USER,
        id=str(user.pk or ""),
        label=user.get_username() or "anonymous",
        grants=_grants_of(user),
        user_id=user.pk,
        request_id=request_id,
    )


def actor_of_key(key: ApiKey, *, request_id: str = "") -> Actor:
    """The authenticated key as an actor: an app key with its scopes, a personal key with its owner's roles.

    A personal key without the scope ``manage`` may do nothing.
    """
    manages = key.user is not None and Scope.MANAGE in key.scopes
    return Actor(
        kind=ActorKind.KEY,
        id=str(key.pk),
        label=f"{key.name} ({key.lookup})" if key.user is None else f"{key.user.get_username()} by {key.name}",
        grants=_grants_of(key.user) if key.user is not None and manages else EMPTY_MAPPING,
        scopes=frozenset(Scope(scope) for scope in key.scopes),
        tenant_id=key.tenant_id,
        user_id=key.user_id,
        request_id=request_id,
    )


def _grants_of(user: AbstractUser | AnonymousUser) -> Mapping[int | None, Role]:
    if not user.is_active or user.pk is None:
        return EMPTY_MAPPING
    if user.is_superuser:
        return {None: Role.ADMIN}
    return {tenant_id: Role(role) for tenant_id, role in rows_in_context(GRANTS, [user.pk], user_id=user.pk)}
