"""Reading: scoped, ordered, and in a number of queries that does not grow with the rows."""

from collections.abc import Callable, Iterable
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.enums import Environment
from telemetry.core.errors import NotFound
from tenants import selectors
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role, Scope
from tests.tenants.factories import (
    make_app,
    make_installation,
    make_key,
    make_membership,
    make_published_config,
    make_tenant,
    make_user,
)

pytestmark = pytest.mark.django_db

LISTS: dict[str, Callable[[Installation], Iterable[object]]] = {
    "tenants": lambda _: selectors.tenants_in_context(),
    "members": lambda installation: selectors.members_of(installation.tenant),
    "workspace members": lambda _: selectors.workspace_members(),
    "installations": lambda installation: selectors.installations_of(installation.tenant),
    "keys": selectors.keys_of,
    "versions": selectors.config_versions,
    "audit": lambda installation: selectors.audit_entries(installation.tenant),
    "workspace audit": lambda _: selectors.workspace_audit_entries(),
}


def fill(installation: Installation) -> None:
    """At least three rows more for every list."""
    for _ in range(3):
        make_tenant()
        make_installation(installation.tenant)
        make_membership(make_user(), Role.VIEWER, installation.tenant)
        make_membership(make_user(), Role.VIEWER)
        make_key(installation, Scope.INGEST)
        make_published_config(installation)


@pytest.mark.parametrize("name", LISTS)
def test_a_list_and_the_labels_of_its_rows_take_one_query(
    name: str, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    installation = make_installation()
    fill(installation)

    with tenant_context(ALL), django_assert_num_queries(1):
        labels = [str(row) for row in LISTS[name](installation)]

    assert len(labels) >= 3


def test_lists_are_in_the_order_of_their_page() -> None:
    acme = make_tenant("acme")
    shop, desk = make_app("shop"), make_app("desk")
    live = make_installation(acme, shop, Environment.PRODUCTION)
    test = make_installation(acme, shop, Environment.DEVELOPMENT)
    help_desk = make_installation(acme, desk, Environment.PRODUCTION)
    first, second = make_key(live), make_key(live)
    old, new = make_published_config(live), make_published_config(live)

    with tenant_context((acme.pk,)):
        assert list(selectors.installations_of(acme)) == [help_desk, test, live]
        assert list(selectors.keys_of(live)) == [second.key, first.key]
        assert list(selectors.config_versions(live)) == [new, old]
        assert [entry.action for entry in selectors.audit_entries(acme)][-1] == "tenant.created"


def test_a_list_of_one_tenant_holds_nothing_of_another() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    here, there = make_installation(acme), make_installation(globex)
    make_membership(make_user("ada"), Role.VIEWER, acme)
    make_membership(make_user("bob"), Role.VIEWER, globex)

    with tenant_context(ALL):
        assert list(selectors.installations_of(acme)) == [here]
        assert [membership.user.username for membership in selectors.members_of(globex)] == ["bob"]
        assert {entry.tenant_id for entry in selectors.audit_entries(globex)} == {globex.pk}
    with tenant_context((acme.pk,)):
        assert list(selectors.installations_of(globex)) == []
        with pytest.raises(NotFound):
            selectors.installation_by_public_id(there.public_id)


def test_one_row_is_found_by_its_name() -> None:
    acme, shop = make_tenant("acme"), make_app("shop")
    installation = make_installation(acme, shop, Environment.STAGING)
    config = make_published_config(installation)

    with tenant_context((acme.pk,)):
        assert selectors.tenant_by_slug("acme") == acme
        assert selectors.app_by_slug("shop") == shop
        assert selectors.installation_at(acme, shop, Environment.STAGING) == installation
        assert selectors.installation_by_public_id(installation.public_id) == installation
        assert selectors.config_by_number(installation, 1) == config


def test_a_name_that_nobody_has_is_not_found() -> None:
    acme, shop = make_tenant("acme"), make_app("shop")
    installation = make_installation(acme, shop, Environment.STAGING)
    missing: list[Callable[[], object]] = [
        lambda: selectors.tenant_by_slug("globex"),
        lambda: selectors.app_by_slug("desk"),
        lambda: selectors.installation_at(acme, shop, Environment.PRODUCTION),
        lambda: selectors.installation_by_public_id(uuid4()),
        lambda: selectors.config_by_number(installation, 1),
    ]

    with tenant_context(ALL):
        for find in missing:
            with pytest.raises(NotFound, match="there is no such"):
                find()


def test_the_own_revision_takes_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    installation = make_installation()

    with tenant_context((installation.tenant_id,)), django_assert_num_queries(1):
        assert selectors.own_revision(installation) == installation.app.config_revision


def test_an_installation_outside_the_context_has_no_revision() -> None:
    with pytest.raises(NotFound):
        selectors.own_revision(make_installation())
