"""What changes keys, tenants and configs past the services moves the counter all the same."""

import psycopg
import pytest

from tenants.context import ALL, tenant_context
from tenants.models import ApiKey, ConfigRevisionCounter, Tenant
from tenants.services.config_revision import bump
from tests.tenants.factories import make_installation, make_key
from tests.tenants.leases import held, known, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


def counter() -> int:
    return ConfigRevisionCounter.objects.get().value


@pytest.fixture
def by_hand(owner_connection: psycopg.Connection) -> psycopg.Connection:
    """An administrator at the database's own prompt, who sees all tenants."""
    owner_connection.execute("SET studio.tenant_ids = '*'")
    return owner_connection


@pytest.mark.parametrize(
    ("statement", "steps"),
    [
        ("UPDATE tenants_apikey SET revoked_at = now()", 1),
        ("UPDATE tenants_apikey SET expires_at = now()", 1),
        ("UPDATE tenants_apikey SET scopes = '{ingest}'", 1),
        ("UPDATE tenants_apikey SET name = 'Other', last_used_at = now()", 0),
        ("DELETE FROM tenants_apikey", 1),
        ("UPDATE tenants_tenant SET is_active = false", 1),
        ("UPDATE tenants_tenant SET name = 'Other'", 0),
        ("UPDATE tenants_installation SET config_revision = 40", 1),
        ("UPDATE tenants_app SET config_revision = config_revision + 1", 1),
        ("UPDATE tenants_app SET config_revision = config_revision", 0),
    ],
)
def test_a_change_by_hand_moves_the_counter_once(by_hand: psycopg.Connection, statement: str, steps: int) -> None:
    installation = make_installation()
    make_key(installation)
    make_key(installation)
    before = counter()

    by_hand.execute(statement.encode())

    assert counter() == before + steps


def test_a_change_by_a_service_moves_it_once_too() -> None:
    issued = make_key(make_installation())
    before = counter()

    with tenant_context(ALL):
        bump()
        ApiKey.objects.filter(pk=issued.key.pk).update(scopes=["ingest"])
        Tenant.objects.update(is_active=False)

    assert counter() == before + 1


def test_a_process_that_answers_from_memory_hears_of_it(by_hand: psycopg.Connection) -> None:
    make_key(make_installation())

    with held() as lease:
        before = known(lease).value

        by_hand.execute("UPDATE tenants_apikey SET revoked_at = now()")

        wait_until(lambda: known(lease).value == before + 1)
