"""The audit log: who did what to what, read only."""

import pytest

from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Tenant
from tenants.roles import Role
from tenants.services.tenants import set_tenant_active
from tests.studio.visitors import roles_without, text_of, visitor
from tests.tenants.factories import make_actor, make_installation, make_tenant

pytestmark = pytest.mark.django_db


def entry_of(tenant: Tenant) -> AuditEntry:
    with tenant_context(ALL):
        return AuditEntry.objects.filter(tenant=tenant).order_by("-id")[0]


def page(entry: AuditEntry, name: str = "change") -> str:
    return f"/studio/audit/{entry.pk}/{name}/"


def test_the_log_says_who_did_what_to_what() -> None:
    tenant = make_tenant("acme")
    actor = make_actor(Role.ADMIN)
    with tenant_context(ALL):
        set_tenant_active(actor=actor, tenant=tenant, is_active=False)

    text = text_of(visitor(Role.PRIVACY_OFFICER).get("/studio/audit/"))

    assert f"{actor.label} tenant.deactivated Acme tenant Acme" in text


def test_an_entry_shows_its_details() -> None:
    installation = make_installation()

    text = text_of(visitor(Role.ADMIN).get(page(entry_of(installation.tenant))))

    assert '"environment": "production"' in text


@pytest.mark.parametrize("role", roles_without("audit.view"))
def test_who_may_not_see_the_log_sees_none_of_it(role: Role) -> None:
    entry = entry_of(make_tenant())
    asked = visitor(role)

    assert asked.get("/studio/audit/").status_code == 403
    assert asked.get(page(entry)).status_code == 403


def test_people_of_one_tenant_see_its_entries_alone() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    asked = visitor(Role.PRIVACY_OFFICER, acme)

    text = text_of(asked.get("/studio/audit/"))

    assert "Acme" in text
    assert "Globex" not in text
    assert asked.get(page(entry_of(globex))).status_code == 404


@pytest.mark.parametrize("name", ["change", "delete"])
def test_nobody_changes_an_entry(name: str) -> None:
    tenant = make_tenant()
    entry = entry_of(tenant)
    asked = visitor(is_superuser=True)

    assert asked.post(page(entry, name), action="tenant.removed", post="yes").status_code == 403
    assert entry_of(tenant).action == "tenant.created"


def test_the_history_of_one_object_is_a_link() -> None:
    one, other = make_installation(), make_installation()
    asked = visitor(Role.ADMIN)

    history = f"/studio/audit/?target_type__exact=tenants.installation&target_id__exact={one.pk}"
    shown = asked.get(f"/studio/installations/{one.public_id}/change/").content.decode()

    assert history.replace("&", "&amp;") in shown
    text = text_of(asked.get(history))
    assert str(one) in text
    assert f"{other} installation" not in text
