"""The migration that tells what was in force before there were periods: from the audit trail, what services wrote."""

from importlib import import_module
from typing import Any

import pytest
from django.db import connection

from telemetry.core.config import AppBlueprint, EventOverride, PrivacyFloor, SpecPointer, TenantOverride
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import BlueprintVersion, ConfigPeriod, FloorVersion
from tenants.services.apps import save_blueprint
from tenants.services.floors import save_floor
from tests.tenants.clock import as_owner
from tests.tenants.factories import make_app, make_installation, make_published_config

migration = import_module("tenants.migrations.0011_what_was_before")

pytestmark = pytest.mark.django_db

OFF = TenantOverride(enabled=False)
HALF = TenantOverride(events={"step": EventOverride(sampling_rate=0.5)})


def told() -> dict[str, list[tuple[Any, ...]]]:
    """What is known of the past, without the numbers of rows."""
    with tenant_context(ALL):
        return {
            "periods": list(
                ConfigPeriod.objects.order_by("starts_at").values_list(
                    "installation", "tenant", "config__number", "starts_at", "ends_at", "planned_by_label"
                )
            ),
            "blueprints": list(
                BlueprintVersion.objects.order_by("app", "number").values_list(
                    "app", "number", "document", "saved_by_label"
                )
            ),
            "floors": list(FloorVersion.objects.order_by("floor", "number").values_list("floor", "number", "document")),
        }


def test_what_was_in_force_is_told_anew_from_the_audit_trail() -> None:
    app = make_app(blueprint=AppBlueprint(spec=SpecPointer(name="shop")))
    installation = make_installation(app=app)
    for override in (OFF, HALF, TenantOverride()):
        make_published_config(installation, override)
    with tenant_context(ALL):
        app.refresh_from_db()
        save_blueprint(
            actor=SYSTEM, app=app, blueprint=AppBlueprint(enabled=False), expected_revision=app.config_revision
        )
        revision = 0
        for forced in ("login", "logout"):
            floor = PrivacyFloor(forced_on=(forced,))
            revision = save_floor(actor=SYSTEM, app=None, floor=floor, expected_revision=revision).config_revision
    before = told()
    assert [len(rows) for rows in before.values()] == [3, 2, 2]

    with as_owner(), connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")
        cursor.execute(migration.BACKWARDS)
        assert [len(rows) for rows in told().values()] == [0, 0, 0]
        cursor.execute(migration.FORWARDS)

    assert told() == before
