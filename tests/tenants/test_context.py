"""The context lives exactly as long as its transaction, and nests."""

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError
from pytest_django import DjangoAssertNumQueries

from tenants.context import ALL, rows_in_context, set_tenant_context, tenant_context
from tenants.models import Tenant
from tenants.roles import Role
from tenants.selectors import tenants_in_context
from tests.tenants.factories import make_membership, make_tenant, make_user


def visible() -> set[str]:
    return {tenant.slug for tenant in tenants_in_context()}


def fail_after_creating(slug: str) -> None:
    with tenant_context(ALL):
        Tenant.objects.create(slug=slug, name=slug)
        raise ZeroDivisionError


@pytest.mark.django_db
def test_without_a_context_no_tenant_is_visible() -> None:
    make_tenant("acme")

    assert visible() == set()


@pytest.mark.django_db
def test_a_context_shows_its_tenants_and_no_others() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    make_tenant("initech")

    with tenant_context((acme.pk,)):
        assert visible() == {"acme"}
    with tenant_context({globex.pk, acme.pk}):
        assert visible() == {"acme", "globex"}
    with tenant_context(()):
        assert visible() == set()
    with tenant_context(ALL):
        assert visible() == {"acme", "globex", "initech"}


@pytest.mark.django_db
def test_the_outer_context_holds_again_after_a_nested_one() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")

    with tenant_context((acme.pk,)):
        with tenant_context((globex.pk,)):
            assert visible() == {"globex"}

        assert visible() == {"acme"}
    assert visible() == set()


@pytest.mark.django_db
def test_the_outer_context_holds_again_after_a_nested_one_that_failed() -> None:
    acme = make_tenant("acme")

    with tenant_context((acme.pk,)):
        with pytest.raises(ZeroDivisionError):
            fail_after_creating("ghost")

        assert visible() == {"acme"}
    with tenant_context(ALL):
        assert visible() == {"acme"}


OWN = "SELECT user_id, role FROM tenants_membership ORDER BY user_id"


@pytest.mark.django_db
def test_a_statement_in_a_context_of_its_own_finds_that_persons_rows_and_no_others() -> None:
    acme = make_tenant("acme")
    person, other = make_user(), make_user()
    for each in (person, other):
        make_membership(each, Role.VIEWER, acme)

    with tenant_context((acme.pk,)):
        found = rows_in_context(OWN, [], user_id=person.pk)

        assert visible() == {"acme"}
    assert found == [(person.pk, "viewer")]
    assert rows_in_context(OWN, [], user_id=other.pk) == [(other.pk, "viewer")]


@pytest.mark.django_db(transaction=True)
def test_a_statement_in_a_context_of_its_own_is_one_query_and_leaves_no_context_behind(
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    acme = make_tenant("acme")
    person = make_user()
    make_membership(person, Role.VIEWER, acme)

    # Its own, BEGIN and COMMIT.
    with django_assert_num_queries(3):
        found = rows_in_context(f"{OWN} OFFSET %s", [0], user_id=person.pk)

    assert found == [(person.pk, "viewer")]
    with connection.cursor() as cursor:
        cursor.execute(OWN)
        assert cursor.fetchall() == []


@pytest.mark.django_db(transaction=True)
def test_the_context_does_not_survive_its_transaction_on_the_same_connection() -> None:
    acme = make_tenant("acme")
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        session = cursor.fetchone()

    with tenant_context((acme.pk,), user_id=7):
        assert visible() == {"acme"}

    assert visible() == set()
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        assert cursor.fetchone() == session
        cursor.execute("SELECT current_setting('studio.tenant_ids'), current_setting('studio.user_id')")
        assert cursor.fetchone() == ("", "")


@pytest.mark.django_db(transaction=True)
def test_the_context_does_not_survive_a_transaction_that_failed() -> None:
    acme = make_tenant("acme")

    with pytest.raises(ZeroDivisionError), tenant_context((acme.pk,)):
        raise ZeroDivisionError

    assert visible() == set()


@pytest.mark.django_db(transaction=True)
def test_a_context_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError):
        set_tenant_context(ALL)

    with transaction.atomic():
        set_tenant_context(ALL)


@pytest.mark.django_db
def test_what_is_no_number_never_reaches_the_setting() -> None:
    with pytest.raises(ValueError, match="invalid literal"), tenant_context(["1,2"]):  # type: ignore[list-item]
        pass
