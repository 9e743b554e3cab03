"""Who may do what: one table, which every interface asks through ``tenants.actors``."""

from collections.abc import Iterable
from typing import NamedTuple

from tenants.roles import Role, Scope

__all__ = ["ABILITIES", "Ability", "abilities_of", "may_grant"]


class Ability(NamedTuple):
    """Who has one ability.

    ``roles``: people with one of these roles. ``scope``: app keys with this scope. ``by_key``: whether a personal key
    may use its owner's ability; what would let a stolen key outlive its revocation needs a login.
    """

    roles: frozenset[Role] = frozenset()
    scope: Scope | None = None
    by_key: bool = True


VIEWER, ANALYST, PRIVACY_OFFICER, PUBLISHER, ADMIN = Role
EVERYONE = frozenset(Role)

ABILITIES: dict[str, Ability] = {
    # Reading
    "view": Ability(EVERYONE),
    "audit.view": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # Specs
    "spec.edit": Ability(frozenset({ANALYST, PRIVACY_OFFICER, PUBLISHER, ADMIN})),
    "spec.publish": Ability(frozenset({PUBLISHER, ADMIN})),
    # Reviews of drafts
    "review.comment": Ability(frozenset({ANALYST, PRIVACY_OFFICER, PUBLISHER, ADMIN})),
    "review.approve": Ability(frozenset({PRIVACY_OFFICER, PUBLISHER, ADMIN})),
    # Changes of events at level pii or sensitive, and those that protect less; never one's own.
    "review.approve_personal_data": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # Publishing what protects less than before: a lower level, a longer retention of personal data.
    "privacy.loosen": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # Overrides of tenants
    "config.edit": Ability(frozenset({ANALYST, PRIVACY_OFFICER, PUBLISHER, ADMIN})),
    "config.publish": Ability(frozenset({PUBLISHER, ADMIN})),
    # What is wrong with events
    "incident.handle": Ability(frozenset({ANALYST, PRIVACY_OFFICER, PUBLISHER, ADMIN})),
    "violation.decide": Ability(frozenset({ANALYST, PRIVACY_OFFICER, PUBLISHER, ADMIN})),
    # What the Regenerator suggests; taking it up also takes spec.edit or config.edit.
    "proposal.decide": Ability(frozenset({ANALYST, PRIVACY_OFFICER, PUBLISHER, ADMIN})),
    # What detectors found in events
    "finding.decide": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # Refused events that are held: their fate, and what they look like redacted
    "quarantine.handle": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # Stored events: what a run of retention may remove that is larger than usual, and what stays for a court
    "purge.approve": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    "hold.manage": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # One person's wish: that everything about them is erased, or that they get a copy of it
    "erasure.handle": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    "access.handle": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # Archived events back into the store, and stored ones redacted after the fact
    "archive.restore": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    "rescrub.manage": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # Limits and keys of the people whom events are about
    "floor.edit": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    # Freeing a tenant from a limit of the floor for a while. Asked in the workspace: a tenant's own officer may not.
    "floor.except": Ability(frozenset({PRIVACY_OFFICER, ADMIN})),
    "pseudonym_key.renew": Ability(frozenset({PRIVACY_OFFICER, ADMIN}), by_key=False),
    # Who, and what they run
    "app.manage": Ability(frozenset({ADMIN})),
    "tenant.manage": Ability(frozenset({ADMIN})),
    # Where events go, and under which credential: it would go on after a stolen key is revoked.
    "provider.manage": Ability(frozenset({ADMIN}), by_key=False),
    # Trying, pausing, sending again what was given up.
    "provider.operate": Ability(frozenset({PUBLISHER, ADMIN})),
    # Who is told of incidents, and where: for as long as the channel lives.
    "alert.manage": Ability(frozenset({ADMIN}), by_key=False),
    # Trying, muting, switching off and on, sending again.
    "alert.operate": Ability(frozenset({PUBLISHER, ADMIN})),
    "key.manage": Ability(frozenset({ADMIN}), by_key=False),
    "people.manage": Ability(frozenset({ADMIN}), by_key=False),
    # What apps do
    "event.ingest": Ability(scope=Scope.INGEST),
    "config.read": Ability(EVERYONE, scope=Scope.CONFIG_READ),
    "config.read_secret": Ability(scope=Scope.CONFIG_SECRET),
    "config.read_preview": Ability(EVERYONE, scope=Scope.CONFIG_PREVIEW),
}


def abilities_of(roles: Iterable[Role]) -> frozenset[str]:
    """Every ability that comes with one of these roles."""
    held = frozenset(roles)
    return frozenset(name for name, ability in ABILITIES.items() if ability.roles & held)


def may_grant(roles: Iterable[Role], role: Role) -> bool:
    """Whether people with ``roles`` may give or take ``role``: it brings no ability that they lack themselves."""
    return abilities_of([role]) <= abilities_of(roles)
