"""Reading: scoped, ordered, and in a number of queries that does not grow with the rows."""

from collections.abc import Callable, Iterable
from uuid import uuid4

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.core.errors import NotFound
from tenants import selectors
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Scope
from tests.tenants.factories import (
    make_installation,
    make_key,
    make_published_config,
    make_tenant,
)

pytestmark = pytest.mark.django_db

LISTS: dict[str, Callable[[Installation], Iterable[object]]] = {
    "installations in context": lambda _: selectors.installations_in_context(),
    "apps": lambda _: selectors.apps(),
    "tenants": lambda _: selectors.tenants_in_context(),
    "keys": selectors.keys_of,
    "versions": selectors.config_versions,
}


def fill(installation: Installation) -> None:
    """At least three rows more for every list."""
    for _ in range(3):
        make_tenant()
        make_installation(installation.tenant)
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
    live = make_installation()
    first, second = make_key(live), make_key(live)
    old, new = make_published_config(live), make_published_config(live)

    with tenant_context((live.tenant_id,)):
        assert list(selectors.keys_of(live)) == [second.key, first.key]
        assert list(selectors.config_versions(live)) == [new, old]


def test_another_tenants_installation_does_not_exist() -> None:
    acme, there = make_tenant("acme"), make_installation(make_tenant("globex"))

    with tenant_context((acme.pk,)):
        assert list(selectors.installations_in_context()) == []
        with pytest.raises(NotFound):
            selectors.installation_by_public_id(there.public_id)


def test_one_row_is_found_by_its_name() -> None:
    acme = make_tenant("acme")
    installation = make_installation(acme)
    config = make_published_config(installation)

    with tenant_context((acme.pk,)):
        assert selectors.tenant_by_slug("acme") == acme
        assert selectors.installation_by_public_id(installation.public_id) == installation
        assert selectors.config_by_number(installation, 1) == config


def test_a_name_that_nobody_has_is_not_found() -> None:
    installation = make_installation()
    missing: list[Callable[[], object]] = [
        lambda: selectors.tenant_by_slug("globex"),
        lambda: selectors.installation_by_public_id(uuid4()),
        lambda: selectors.config_by_number(installation, 1),
    ]

    with tenant_context(ALL):
        for find in missing:
            with pytest.raises(NotFound, match="there is no such"):
                find()
