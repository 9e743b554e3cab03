"""What waits is counted together, once for each request."""

import pytest
from pytest_django import DjangoAssertNumQueries

from telemetry.models import SpecRecord
from telemetry.selectors.counting import count_together
from tenants.context import ALL, tenant_context
from tenants.models import Tenant
from tests.studio.visitors import visitor
from tests.telemetry.factories import make_draft, make_large_catalog
from tests.tenants.factories import make_tenant

pytestmark = pytest.mark.django_db


def test_counts_of_several_tables_are_one_query(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    make_draft()
    names = {make_tenant().slug for _ in range(3)}
    with tenant_context(ALL), django_assert_num_queries(1):
        found = count_together(
            {
                "specs": SpecRecord.objects.filter(name__contains="%"),
                "tenants": Tenant.objects.filter(slug__in=names).order_by("slug"),
                "distinct": Tenant.objects.values("is_active").distinct(),
            }
        )

    assert found == {"specs": 0, "tenants": 3, "distinct": 1}


def test_nothing_to_count_asks_for_nothing(django_assert_num_queries: DjangoAssertNumQueries) -> None:
    with django_assert_num_queries(0):
        assert count_together({}) == {}


def test_only_the_tenants_of_the_context_are_counted() -> None:
    mine, _ = make_tenant(), make_tenant()

    with tenant_context((mine.pk,)):
        assert count_together({"tenants": Tenant.objects.all()}) == {"tenants": 1}


# Of a page: the session, the person, their roles in a context, the context of the request, and what waits. Besides, the
# marks of two transactions and of one within, which Django's log counts too.
SHELL = 6 + 6


def test_the_shell_of_a_page_takes_six_queries() -> None:
    assert visitor(is_superuser=True).cost_of("/studio/password_change/") <= SHELL


@pytest.mark.parametrize(
    "query", ["", "?q=thing", "?q=thing+12&privacy=pii", "?tag=tag3&order=-last_seen", "?order=volume", "?page=2"]
)
def test_a_search_of_a_large_catalog_takes_five_queries_more_than_the_shell(query: str) -> None:
    make_large_catalog(specs=20, events=50)

    assert visitor(is_superuser=True).cost_of(f"/studio/catalog/{query}") <= SHELL + 5
