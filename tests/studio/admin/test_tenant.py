"""Tenants: added, seen by their own people only, switched off and on, their pseudonym keys renewed."""

import pytest

from tenants.context import ALL, tenant_context
from tenants.models import Tenant
from tenants.roles import Role
from tests.studio.visitors import Visitor, actions, assert_denied, assert_refused, roles_without, text_of, visitor
from tests.tenants.factories import make_installation, make_tenant

pytestmark = pytest.mark.django_db

ADD = "/studio/tenants/add/"


def page(tenant: Tenant, name: str = "change") -> str:
    return f"/studio/tenants/{tenant.pk}/{name}/"


def the(slug: str) -> Tenant:
    with tenant_context(ALL):
        return Tenant.objects.get(slug=slug)


def test_a_new_tenant_is_added() -> None:
    response = visitor(Role.ADMIN).fill_in(ADD, slug="acme", name="Acme Corporation")

    assert (response.status_code, response["Location"]) == (302, page(the("acme")))
    assert the("acme").name == "Acme Corporation"
    assert actions() == ["tenant.created"]


@pytest.mark.parametrize("role", roles_without("tenant.manage"))
def test_who_may_not_manage_tenants_adds_none(role: Role) -> None:
    asked = visitor(role)

    assert asked.get(ADD).status_code == 403
    assert_denied("tenant.manage", lambda: asked.post(ADD, slug="acme", name="Acme"))


def test_the_admin_of_one_tenant_adds_no_other() -> None:
    asked = visitor(Role.ADMIN, make_tenant())

    assert asked.get(ADD).status_code == 403
    assert asked.post(ADD, slug="acme", name="Acme").status_code == 403
    with tenant_context(ALL):
        assert not Tenant.objects.filter(slug="acme").exists()


@pytest.mark.parametrize(
    ("slug", "name", "field"),
    [
        ("", "Acme", "slug"),
        ("Acme", "Acme", "slug"),
        ("a/b", "Acme", "slug"),
        ("a" * 129, "Acme", "slug"),
        ("acme", "", "name"),
        ("acme", "x" * 201, "name"),
        ("acme", "two\nlines", "name"),
    ],
)
def test_what_breaks_a_rule_is_said_beside_its_field(slug: str, name: str, field: str) -> None:
    asked = visitor(Role.ADMIN)

    assert list(assert_refused(lambda: asked.fill_in(ADD, slug=slug, name=name))) == [field]


def test_a_slug_that_is_taken_is_refused() -> None:
    make_tenant("acme")
    asked = visitor(Role.ADMIN)

    errors = assert_refused(lambda: asked.fill_in(ADD, slug="acme", name="Other"))

    assert errors["__all__"] == ["A tenant with the slug acme exists already"]


# Isolation


def test_no_other_tenant_is_listed_counted_found_or_opened() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    asked = visitor(Role.ANALYST, acme)

    listed = text_of(asked.get("/studio/tenants/"))

    assert "acme" in listed
    assert "globex" not in listed
    assert "1 tenant" in listed
    assert "globex" not in text_of(asked.get("/studio/tenants/", q="globex")).lower().split("filters")[-1]
    assert asked.get(page(acme)).status_code == 200
    for name in ("change", "switch", "pseudonym-key"):
        assert asked.get(page(globex, name)).status_code == 404
        assert asked.post(page(globex, name)).status_code in (403, 404)


def test_filters_offer_no_other_tenant() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    make_installation(globex)
    asked = visitor(Role.ADMIN, acme)

    for name in ("installations", "configs", "api-keys", "roles", "audit"):
        assert "Globex" not in asked.get(f"/studio/{name}/").content.decode()


def test_what_keys_and_samples_are_made_of_is_never_shown() -> None:
    tenant = make_tenant()

    shown = visitor(is_superuser=True).get(page(tenant)).content.decode()

    assert tenant.sampling_salt not in shown
    assert tenant.pseudonym_salt not in shown


# What can be done


def test_a_tenant_is_switched_off_after_a_question_and_on_again() -> None:
    tenant = make_tenant("acme")
    asked = visitor(Role.ADMIN)

    question = text_of(asked.get(page(tenant, "switch")))
    response = asked.post(page(tenant, "switch"))

    assert "Every key of Acme is refused from the next call on" in question
    assert (response.status_code, response["Location"]) == (302, page(tenant))
    assert not the("acme").is_active
    asked.post(page(tenant, "switch"))
    assert the("acme").is_active
    assert actions()[-2:] == ["tenant.deactivated", "tenant.activated"]


def test_a_pseudonym_key_is_renewed_after_a_question() -> None:
    tenant = make_tenant("acme")
    asked = visitor(Role.PRIVACY_OFFICER, tenant)

    asked.get(page(tenant, "pseudonym-key"))
    assert the("acme").pseudonym_epoch == 1
    asked.post(page(tenant, "pseudonym-key"))

    assert the("acme").pseudonym_epoch == 2


@pytest.mark.parametrize("role", roles_without("tenant.manage"))
def test_who_may_not_manage_tenants_switches_none(role: Role) -> None:
    tenant = make_tenant()
    asked = visitor(role)

    assert_denied("tenant.manage", lambda: asked.post(page(tenant, "switch")))


@pytest.mark.parametrize("role", roles_without("pseudonym_key.renew"))
def test_who_may_not_renew_pseudonym_keys_renews_none(role: Role) -> None:
    tenant = make_tenant()
    asked = visitor(role, tenant)

    assert_denied("pseudonym_key.renew", lambda: asked.post(page(tenant, "pseudonym-key")))


def deeds_for(asked: Visitor, tenant: Tenant) -> list[str]:
    return [deed.title for deed in asked.get(page(tenant)).context["head"].deeds]


def test_only_what_the_person_may_do_is_offered() -> None:
    tenant = make_tenant()

    assert deeds_for(visitor(Role.VIEWER), tenant) == ["Installations"]
    assert deeds_for(visitor(Role.ADMIN, tenant), tenant) == ["Installations", "Renew pseudonym key"]
    assert deeds_for(visitor(Role.ADMIN), tenant) == ["Installations", "Renew pseudonym key", "Deactivate"]
