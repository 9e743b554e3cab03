"""What must not change: the database refuses, whoever asks."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction

from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, ConfigStatus, Tenant, TenantAppConfig
from tenants.services.config_drafts import preview_config
from tests.tenants.factories import make_draft_config, make_installation, make_published_config, make_tenant

pytestmark = pytest.mark.django_db

AsOwner = Callable[[], AbstractContextManager[None]]

# Attack 119.
TAMPERING = [
    "UPDATE tenants_auditentry SET action = 'nothing.happened'",
    "DELETE FROM tenants_auditentry",
    "TRUNCATE tenants_auditentry",
]


@pytest.mark.parametrize("statement", TAMPERING)
def test_the_application_role_has_no_right_to_change_the_audit_trail(statement: str) -> None:
    make_tenant("acme")

    with tenant_context(ALL), connection.cursor() as cursor:
        with pytest.raises(ProgrammingError, match="permission denied"), transaction.atomic():
            cursor.execute(statement)

        assert AuditEntry.objects.get().action == "tenant.created"


@pytest.mark.parametrize("statement", TAMPERING[:2])
def test_a_trigger_refuses_even_the_owner_to_change_the_audit_trail(statement: str, as_owner: AsOwner) -> None:
    make_tenant("acme")

    refusal = pytest.raises(IntegrityError, match="rows are only ever added")
    with as_owner(), connection.cursor() as cursor, refusal, transaction.atomic():
        cursor.execute(statement)

    with tenant_context(ALL):
        assert AuditEntry.objects.get().action == "tenant.created"


@pytest.mark.parametrize("column", ["document", "checksum", "number"])
def test_a_version_that_has_left_draft_is_final(column: str) -> None:
    config = make_published_config(make_installation())
    value = 9 if column == "number" else "other"

    with tenant_context(ALL):
        with pytest.raises(IntegrityError, match="this part of the row is final"), transaction.atomic():
            TenantAppConfig.objects.filter(pk=config.pk).update(**{column: value})

        assert getattr(TenantAppConfig.objects.get(pk=config.pk), column) == getattr(config, column)


def test_a_version_that_has_left_draft_is_never_removed() -> None:
    draft = make_draft_config(make_installation())

    with tenant_context(ALL):
        config = preview_config(actor=SYSTEM, config=draft, expected_checksum=draft.checksum)
        with pytest.raises(IntegrityError, match="this part of the row is final"), transaction.atomic():
            TenantAppConfig.objects.filter(pk=config.pk).delete()

        assert TenantAppConfig.objects.filter(pk=config.pk).exists()


def test_the_status_of_a_final_version_still_moves() -> None:
    config = make_published_config(make_installation())

    with tenant_context(ALL):
        moved = TenantAppConfig.objects.filter(pk=config.pk).update(status=ConfigStatus.SUPERSEDED)

    assert moved == 1


def test_a_draft_can_be_changed() -> None:
    config = make_draft_config(make_installation())

    with tenant_context(ALL):
        assert TenantAppConfig.objects.filter(pk=config.pk).update(document='{"enabled":false}') == 1


def test_a_sampling_salt_never_changes() -> None:
    tenant = make_tenant("acme")

    with tenant_context(ALL):
        with pytest.raises(IntegrityError, match="this part of the row is final"), transaction.atomic():
            Tenant.objects.filter(pk=tenant.pk).update(sampling_salt="another")

        assert Tenant.objects.filter(pk=tenant.pk).update(name="Acme Limited") == 1
