"""Customers: made, switched off, given new pseudonyms."""

import pytest

from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Tenant
from tenants.roles import Role
from tenants.services.tenants import create_tenant, renew_pseudonym_key, set_tenant_active
from tests.tenants.factories import make_actor, make_installation, make_tenant
from tests.tenants.revisions import own_revision

pytestmark = pytest.mark.django_db


def test_a_new_tenant_has_salts_of_its_own_and_a_trace() -> None:
    admin = make_actor(Role.ADMIN)

    with tenant_context(admin.tenant_ids):
        acme = create_tenant(actor=admin, slug="acme", name="Acme")
        globex = create_tenant(actor=admin, slug="globex", name="Globex")

        entry = AuditEntry.objects.get(tenant=acme)
    assert len({acme.sampling_salt, acme.pseudonym_salt, globex.sampling_salt, globex.pseudonym_salt}) == 4
    assert (acme.pseudonym_epoch, acme.is_active) == (1, True)
    assert (entry.action, entry.actor_label) == ("tenant.created", admin.label)


def test_a_slug_that_is_taken_is_a_conflict_and_changes_nothing() -> None:
    make_tenant("acme", name="Acme")
    admin = make_actor(Role.ADMIN)

    with tenant_context(ALL), pytest.raises(Conflict, match="acme"):
        create_tenant(actor=admin, slug="acme", name="Another")

    with tenant_context(ALL):
        assert [tenant.name for tenant in Tenant.objects.all()] == ["Acme"]
        assert AuditEntry.objects.count() == 1


@pytest.mark.parametrize("slug", ["", "Acme", "acme\n", "-acme", "ac me", "äcme", "a" * 129, "a/b", "a\x00"])
@pytest.mark.parametrize("name", ["", "   ", "two\nlines", "nul\x00", "half\ud800", "x" * 201])
def test_bad_slugs_and_names_are_refused_together(slug: str, name: str) -> None:
    admin = make_actor(Role.ADMIN)

    with tenant_context(ALL):
        with pytest.raises(InvalidDocument) as refusal:
            create_tenant(actor=admin, slug=slug, name=name)

        assert Tenant.objects.count() == 0
    assert [error.path for error in refusal.value.errors] == ["slug", "name"]


def test_an_admin_of_one_tenant_makes_no_other() -> None:
    acme = make_tenant("acme")
    admin = make_actor(Role.ADMIN, acme)

    with tenant_context(admin.tenant_ids), pytest.raises(NotAllowed):
        create_tenant(actor=admin, slug="globex", name="Globex")
    with tenant_context(admin.tenant_ids), pytest.raises(NotAllowed):
        set_tenant_active(actor=admin, tenant=acme, is_active=False)

    with tenant_context(ALL):
        assert [(tenant.slug, tenant.is_active) for tenant in Tenant.objects.all()] == [("acme", True)]


def test_switching_off_is_traced_once_however_often_it_is_asked_for() -> None:
    acme, admin = make_tenant("acme"), make_actor(Role.ADMIN)

    with tenant_context(ALL):
        set_tenant_active(actor=admin, tenant=acme, is_active=False)
        set_tenant_active(actor=admin, tenant=acme, is_active=False)

        traced = AuditEntry.objects.filter(action="tenant.deactivated").count()
    assert (acme.is_active, traced) == (False, 1)


def test_a_new_pseudonym_key_moves_the_revision_of_the_tenants_installations_alone() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    first, second, foreign = make_installation(acme), make_installation(acme), make_installation(globex)
    officer = make_actor(Role.PRIVACY_OFFICER, acme)

    with tenant_context(ALL):
        before = own_revision(foreign)
        renew_pseudonym_key(actor=officer, tenant=acme)

        moved = {own_revision(first), own_revision(second)}
        entry = AuditEntry.objects.get(action="tenant.pseudonym_key.renewed")
        assert own_revision(foreign) == before
    assert acme.pseudonym_epoch == 2
    assert moved == {before + 1}
    assert entry.details == {"epoch": 2, "config_revision": before + 1}


def test_a_publisher_does_not_renew_pseudonym_keys() -> None:
    acme = make_tenant("acme")
    publisher = make_actor(Role.PUBLISHER, acme)

    with tenant_context(publisher.tenant_ids), pytest.raises(NotAllowed):
        renew_pseudonym_key(actor=publisher, tenant=acme)

    with tenant_context(ALL):
        assert Tenant.objects.get().pseudonym_epoch == 1
