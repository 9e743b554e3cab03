"""Row-level security as a tenant meets it: the other tenant's rows are not there, and cannot be made."""

import pytest
from django.db import IntegrityError, ProgrammingError, transaction

from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import ApiKey, AuditEntry, ConfigStatus, Installation, Membership, Tenant, TenantAppConfig
from tenants.roles import Role
from tenants.services.keys import issue_personal_key
from tests.tenants.factories import (
    make_app,
    make_draft_config,
    make_installation,
    make_key,
    make_membership,
    make_tenant,
    make_user,
)

pytestmark = pytest.mark.django_db

ISOLATED = [Tenant, Installation, ApiKey, TenantAppConfig, Membership, AuditEntry]


def make_full_tenant(slug: str) -> Tenant:
    """A tenant with at least one row in every isolated table."""
    tenant = make_tenant(slug)
    installation = make_installation(tenant)
    make_key(installation)
    make_draft_config(installation)
    make_membership(make_user(), Role.VIEWER, tenant)
    return tenant


@pytest.mark.parametrize("model", ISOLATED)
def test_rows_are_seen_by_their_tenant_alone(model: type[Tenant]) -> None:
    acme, globex = make_full_tenant("acme"), make_full_tenant("globex")
    column = "pk" if model is Tenant else "tenant_id"

    with tenant_context((acme.pk,)):
        owners = set(model.objects.values_list(column, flat=True))
        stolen = model.objects.filter(**{column: globex.pk}).count()

    assert (owners, stolen) == ({acme.pk}, 0)
    assert model.objects.count() == 0


def test_another_tenants_rows_cannot_be_changed_or_removed() -> None:
    acme, globex = make_full_tenant("acme"), make_full_tenant("globex")

    with tenant_context((acme.pk,)):
        assert Tenant.objects.filter(pk=globex.pk).update(name="Mine") == 0
        assert ApiKey.objects.filter(tenant=globex).update(revoked_at=None) == 0
        assert Membership.objects.filter(tenant=globex).delete()[0] == 0

    with tenant_context(ALL):
        assert Tenant.objects.get(pk=globex.pk).name == "Globex"
        assert Membership.objects.filter(tenant=globex).count() == 1


def test_a_row_cannot_be_made_for_another_tenant() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    app = make_app()

    with tenant_context((acme.pk,)), pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
        Installation.objects.create(tenant=globex, app=app, environment="production")

    with tenant_context(ALL):
        assert Installation.objects.count() == 0


def test_a_row_cannot_be_handed_to_another_tenant() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    installation = make_installation(acme)

    with tenant_context((acme.pk,)):
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Installation.objects.filter(pk=installation.pk).update(tenant=globex)

        assert Installation.objects.get(pk=installation.pk).tenant_id == acme.pk


@pytest.mark.django_db(transaction=True)
def test_a_version_cannot_point_at_another_tenants_installation() -> None:
    acme, globex = make_tenant("acme"), make_tenant("globex")
    foreign = make_installation(globex)

    with pytest.raises(IntegrityError, match="same_tenant"), tenant_context((acme.pk,)):
        TenantAppConfig.objects.create(
            installation=foreign, tenant=acme, number=1, status=ConfigStatus.DRAFT, document="{}", checksum="0" * 64
        )

    with tenant_context(ALL):
        assert TenantAppConfig.objects.count() == 0


def test_rows_of_the_whole_workspace_are_seen_in_the_context_of_all_alone() -> None:
    user, acme = make_user(), make_tenant("acme")
    make_membership(user, Role.ADMIN)
    make_app()

    with tenant_context((acme.pk,)):
        assert not Membership.objects.filter(tenant=None).exists()
        assert not AuditEntry.objects.filter(tenant=None).exists()
    with tenant_context(ALL):
        assert Membership.objects.filter(tenant=None).count() == 1
        assert AuditEntry.objects.get(tenant=None).action == "app.created"


def test_people_see_their_own_memberships_but_cannot_change_them() -> None:
    user, other, acme = make_user(), make_user(), make_tenant("acme")
    mine = make_membership(user, Role.VIEWER, acme)
    make_membership(other, Role.ADMIN, acme)

    with tenant_context((), user_id=user.pk):
        assert list(Membership.objects.all()) == [mine]
        assert Membership.objects.filter(pk=mine.pk).update(role=Role.ADMIN) == 0
        with pytest.raises(ProgrammingError, match="row-level security"), transaction.atomic():
            Membership.objects.create(user=user, tenant=None, role=Role.ADMIN)


def test_people_see_their_own_personal_keys_and_nobody_elses() -> None:
    user, other = make_user(), make_user()
    with tenant_context(ALL):
        mine = issue_personal_key(actor=SYSTEM, user=user, name="Laptop").key
        issue_personal_key(actor=SYSTEM, user=other, name="Desktop")

    with tenant_context((), user_id=user.pk):
        assert list(ApiKey.objects.all()) == [mine]
