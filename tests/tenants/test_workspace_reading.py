"""Lists over several tenants, and abilities that count wherever they are held."""

import pytest

from telemetry.core.enums import Environment
from telemetry.core.errors import NotAllowed
from tenants.actors import actor_of_user, require_somewhere
from tenants.context import tenant_context
from tenants.roles import Role
from tenants.selectors import apps, installations_in_context
from tests.tenants.factories import make_actor, make_app, make_installation, make_tenant, make_user

pytestmark = pytest.mark.django_db


def test_installations_are_those_of_the_context_in_the_order_of_their_page() -> None:
    acme, zeta, other = make_tenant("acme"), make_tenant("zeta"), make_tenant("other")
    shop = make_app("shop")
    expected = [
        make_installation(acme, shop, Environment.PRODUCTION),
        make_installation(acme, shop, Environment.STAGING),
        make_installation(zeta, shop),
    ]
    make_installation(other, shop)

    with tenant_context([acme.pk, zeta.pk]):
        assert list(installations_in_context()) == expected


def test_apps_are_the_same_for_everybody() -> None:
    make_app("b"), make_app("a")

    with tenant_context([]):
        assert [app.slug for app in apps()] == ["a", "b"]


def test_an_ability_in_one_tenant_is_an_ability_somewhere() -> None:
    viewer = make_actor(Role.VIEWER, make_tenant())

    require_somewhere(viewer, "view")
    with pytest.raises(NotAllowed) as refused:
        require_somewhere(viewer, "spec.edit")

    assert refused.value.ability == "spec.edit"


def test_nobody_without_a_role_has_an_ability_anywhere() -> None:
    with pytest.raises(NotAllowed):
        require_somewhere(actor_of_user(make_user()), "view")
