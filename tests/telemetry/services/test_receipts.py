"""The chain of receipts of a tenant."""

import base64

import pytest
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from django.db import DatabaseError, transaction
from pytest_django import DjangoAssertNumQueries, Settings

from telemetry.core.receipts import GENESIS
from telemetry.models import Receipt, ReceiptKind
from telemetry.services.receipts import record_receipt, record_receipts
from tenants.actors import SYSTEM
from tenants.models import Tenant
from tests.tenants.factories import make_tenant

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("workspace")]


@pytest.fixture
def tenant() -> Tenant:
    return make_tenant("acme")


def receipt(tenant: Tenant, **facts: object) -> Receipt:
    return record_receipt(tenant=tenant, kind=ReceiptKind.PURGE, facts=facts or {"rows": 1}, actor=SYSTEM)


def is_signed(row: Receipt) -> bool:
    key = Ed25519PublicKey.from_public_bytes(base64.b64decode(row.public_key))
    try:
        key.verify(base64.b64decode(row.signature), bytes.fromhex(row.digest))
    except InvalidSignature:
        return False
    return True


def test_each_receipt_names_the_one_before_it(tenant: Tenant) -> None:
    rows = [receipt(tenant), receipt(tenant), receipt(tenant)]

    assert [row.sequence for row in rows] == [1, 2, 3]
    assert [row.previous for row in rows] == [GENESIS, rows[0].digest, rows[1].digest]
    assert len({row.digest for row in rows}) == 3


def test_each_tenant_has_a_chain_of_its_own(tenant: Tenant) -> None:
    receipt(tenant)

    other = receipt(make_tenant("umbra"))

    assert (other.sequence, other.previous) == (1, GENESIS)


def test_several_tenants_are_recorded_at_once(
    tenant: Tenant, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    first, other = receipt(tenant), make_tenant("umbra")

    with django_assert_num_queries(3):
        rows = record_receipts([(other, {"rows": 2}), (tenant, {"rows": 3})], kind=ReceiptKind.PURGE, actor=SYSTEM)

    found = [(row.tenant_id, row.sequence, row.previous, row.facts["rows"]) for row in rows]
    assert found == [(other.pk, 1, GENESIS, 2), (tenant.pk, 2, first.digest, 3)]
    assert all(is_signed(row) for row in rows)
    assert receipt(tenant).previous == rows[1].digest


def test_a_receipt_is_signed(tenant: Tenant) -> None:
    row = receipt(tenant)

    assert is_signed(row)
    row.digest = "f" * 64
    assert not is_signed(row)


def test_under_a_new_key_older_receipts_still_verify(tenant: Tenant, settings: Settings) -> None:
    older = receipt(tenant)
    settings.STUDIO_RECEIPT_KEYS = ["another secret of the studio, of enough characters"]

    newer = receipt(tenant)

    assert older.public_key != newer.public_key
    assert is_signed(older)
    assert is_signed(newer)


def test_a_fraction_has_no_place_in_a_receipt(tenant: Tenant) -> None:
    with pytest.raises(ValueError, match="float"):
        receipt(tenant, share=0.5)

    assert not Receipt.objects.exists()


def test_the_database_refuses_to_change_or_remove_one(tenant: Tenant) -> None:
    row = receipt(tenant)

    with pytest.raises(DatabaseError), transaction.atomic():
        Receipt.objects.filter(pk=row.pk).update(digest="0" * 64)
    with pytest.raises(DatabaseError), transaction.atomic():
        Receipt.objects.filter(pk=row.pk).delete()
