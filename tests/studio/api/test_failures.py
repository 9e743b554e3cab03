"""Failures that nobody foresaw: the one error body, no word of what was sent, nothing saved."""

import pytest
from django.test import Client
from pytest_django import Settings

from tenants.context import ALL, tenant_context
from tenants.models import Membership, Tenant
from tests.studio.api.calls import code_of
from tests.studio.api.failing_addresses import CANARY
from tests.tenants.factories import make_user


@pytest.fixture(autouse=True)
def failing_addresses(settings: Settings) -> None:
    settings.ROOT_URLCONF = "tests.studio.api.failing_addresses"


@pytest.fixture
def client() -> Client:
    """A client to whom errors are answered, not raised."""
    return Client(raise_request_exception=False)


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("debug", [False, True])
def test_a_bug_after_a_write_saves_nothing(client: Client, settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug

    answer = client.post("/api/v1/saves-and-fails")

    assert answer.status_code == 500
    assert code_of(answer) == "internal_error"
    assert CANARY not in answer.content.decode()
    with tenant_context(ALL):
        assert not Tenant.objects.filter(slug="half-saved").exists()


@pytest.mark.django_db(transaction=True)
def test_a_transaction_that_cannot_be_committed_is_no_page_either(client: Client) -> None:
    answer = client.post("/api/v1/fails-to-commit")

    assert answer.status_code == 500
    assert code_of(answer) == "internal_error"
    with tenant_context(ALL):
        assert not Membership.objects.exists()


@pytest.mark.django_db
def test_a_database_that_goes_away_is_a_pause(client: Client) -> None:
    answer = client.get("/api/v1/loses-the-database")

    assert answer.status_code == 503
    assert answer["Retry-After"] == "5"
    assert code_of(answer) == "unavailable"
    assert CANARY not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
def test_under_the_prefix_not_even_foreign_views_answer_with_pages(
    client: Client, settings: Settings, debug: bool
) -> None:
    settings.DEBUG = debug

    answer = client.get("/api/page-with-a-bug")

    assert answer.status_code == 500
    assert code_of(answer) == "internal_error"
    assert CANARY not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("debug", [False, True])
def test_an_unrouted_address_is_no_debug_page(client: Client, settings: Settings, debug: bool) -> None:
    settings.DEBUG = debug
    client.force_login(make_user())

    answer = client.get("/api/unrouted")

    assert answer.status_code == 404
    assert code_of(answer) == "not_found"
