"""The table of abilities, as people meet it."""

import pytest

from tenants.permissions import ABILITIES, abilities_of, may_grant
from tenants.roles import Role, Scope

VIEWER = {"view", "config.read", "config.read_preview"}
ANALYST = VIEWER | {
    "spec.edit",
    "review.comment",
    "config.edit",
    "incident.handle",
    "violation.decide",
    "proposal.decide",
}
PUBLISHER = ANALYST | {"review.approve", "spec.publish", "config.publish", "provider.operate", "alert.operate"}
PRIVACY_OFFICER = ANALYST | {
    "audit.view",
    "review.approve",
    "review.approve_personal_data",
    "privacy.loosen",
    "finding.decide",
    "quarantine.handle",
    "purge.approve",
    "hold.manage",
    "erasure.handle",
    "access.handle",
    "archive.restore",
    "rescrub.manage",
    "floor.edit",
    "floor.except",
    "pseudonym_key.renew",
}
ADMIN = (
    PUBLISHER
    | PRIVACY_OFFICER
    | {"app.manage", "tenant.manage", "key.manage", "people.manage", "provider.manage", "alert.manage"}
)


@pytest.mark.parametrize(
    ("role", "abilities"),
    [
        (Role.VIEWER, VIEWER),
        (Role.ANALYST, ANALYST),
        (Role.PUBLISHER, PUBLISHER),
        (Role.PRIVACY_OFFICER, PRIVACY_OFFICER),
        (Role.ADMIN, ADMIN),
    ],
)
def test_a_role_has_exactly_these_abilities(role: Role, abilities: set[str]) -> None:
    assert abilities_of([role]) == abilities


def test_each_scope_of_an_app_key_opens_one_ability() -> None:
    opened = {ability.scope: name for name, ability in ABILITIES.items() if ability.scope}

    assert opened == {
        Scope.INGEST: "event.ingest",
        Scope.CONFIG_READ: "config.read",
        Scope.CONFIG_SECRET: "config.read_secret",
        Scope.CONFIG_PREVIEW: "config.read_preview",
    }


def test_what_would_outlive_a_stolen_personal_key_needs_a_login() -> None:
    needs_login = {name for name, ability in ABILITIES.items() if not ability.by_key}

    assert needs_login == {"alert.manage", "key.manage", "people.manage", "provider.manage", "pseudonym_key.renew"}


@pytest.mark.parametrize("role", Role)
def test_an_admin_may_grant_every_role_and_everybody_their_own(role: Role) -> None:
    assert may_grant([Role.ADMIN], role)
    assert may_grant([role], role)


@pytest.mark.parametrize(
    ("held", "role"),
    [
        (Role.VIEWER, Role.ANALYST),
        (Role.PUBLISHER, Role.ADMIN),
        (Role.PUBLISHER, Role.PRIVACY_OFFICER),
        (Role.PRIVACY_OFFICER, Role.PUBLISHER),
    ],
)
def test_a_role_with_an_ability_that_one_lacks_is_above(held: Role, role: Role) -> None:
    assert not may_grant([held], role)
