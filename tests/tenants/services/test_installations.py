"""Apps at tenants."""

import pytest

from telemetry.core.enums import Environment
from telemetry.core.errors import Conflict, NotAllowed
from tenants.context import tenant_context
from tenants.models import AuditEntry, Installation
from tenants.roles import Role
from tenants.services.installations import create_installation
from tests.tenants.factories import make_actor, make_app, make_tenant

pytestmark = pytest.mark.django_db


def test_an_app_is_installed_once_per_tenant_and_environment() -> None:
    acme, shop = make_tenant("acme"), make_app("shop")
    admin = make_actor(Role.ADMIN, acme)

    with tenant_context(admin.tenant_ids):
        live = create_installation(actor=admin, tenant=acme, app=shop, environment=Environment.PRODUCTION)
        test = create_installation(actor=admin, tenant=acme, app=shop, environment=Environment.STAGING)
        with pytest.raises(Conflict, match="shop is installed at acme in staging already"):
            create_installation(actor=admin, tenant=acme, app=shop, environment=Environment.STAGING)

        entries = AuditEntry.objects.filter(action="installation.created")
        assert [entry.target_id for entry in entries] == [str(test.pk), str(live.pk)]
    assert live.public_id != test.public_id
    assert (live.config_revision, live.public_id.version) == (0, 4)


def test_an_admin_of_another_tenant_installs_nothing() -> None:
    acme, globex, shop = make_tenant("acme"), make_tenant("globex"), make_app("shop")
    admin = make_actor(Role.ADMIN, globex)

    with tenant_context((acme.pk, globex.pk)):
        with pytest.raises(NotAllowed):
            create_installation(actor=admin, tenant=acme, app=shop, environment=Environment.PRODUCTION)

        assert Installation.objects.count() == 0
