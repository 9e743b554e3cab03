"""The trace: written with the deed, or not at all; refusals are traced too."""

import pytest
from django.db import transaction

from telemetry.core.errors import NotAllowed
from tenants.actors import SYSTEM, require
from tenants.context import ALL, tenant_context
from tenants.models import ActorKind, AuditEntry
from tenants.roles import Role
from tenants.services import audit
from tests.tenants.factories import make_actor, make_tenant


@pytest.mark.django_db
def test_an_entry_says_who_did_what_to_what_and_where() -> None:
    tenant = make_tenant("acme", name="Acme")
    actor = make_actor(Role.ADMIN, tenant)

    with tenant_context((tenant.pk,)):
        entry = audit.record(
            actor=actor, action="tenant.renamed", target=tenant, tenant_id=tenant.pk, details={"name": "Acme"}
        )

        assert AuditEntry.objects.first() == entry
    assert (entry.actor_kind, entry.actor_id, entry.actor_label) == (ActorKind.USER, actor.id, actor.label)
    assert (entry.target_type, entry.target_id, entry.target_label) == ("tenants.tenant", str(tenant.pk), "Acme")
    assert (entry.tenant_id, entry.details, entry.request_id) == (tenant.pk, {"name": "Acme"}, "")


@pytest.mark.django_db
def test_a_label_that_is_too_long_is_cut_and_does_not_stop_the_change() -> None:
    tenant = make_tenant("acme")
    tenant.name = "x" * 500

    with tenant_context(ALL):
        entry = audit.record(actor=SYSTEM, action="tenant.renamed", target=tenant, tenant_id=tenant.pk)

    assert entry.target_label == "x" * 200


@pytest.mark.django_db(transaction=True)
def test_a_deed_that_is_rolled_back_leaves_no_trace() -> None:
    tenant = make_tenant("acme")

    with tenant_context(ALL):
        audit.record(actor=SYSTEM, action="tenant.renamed", target=tenant, tenant_id=tenant.pk)
        transaction.set_rollback(True)

    with tenant_context(ALL):
        assert [entry.action for entry in AuditEntry.objects.all()] == ["tenant.created"]


@pytest.mark.django_db(transaction=True)
def test_a_refusal_is_traced_after_its_transaction_was_rolled_back() -> None:
    # Attack 81.
    tenant = make_tenant("acme")
    analyst = make_actor(Role.ANALYST, tenant)

    with pytest.raises(NotAllowed) as refusal, tenant_context(analyst.tenant_ids):
        require(analyst, "config.publish", tenant.pk)
    audit.record_denial(actor=analyst, error=refusal.value)

    with tenant_context(ALL):
        entry = AuditEntry.objects.get(action="access.denied")
    assert (entry.actor_label, entry.target_type, entry.target_label) == (analyst.label, "ability", "config.publish")
