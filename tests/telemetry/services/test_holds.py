"""Placing and lifting legal holds, and what they hold."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection

from telemetry.core.errors import Conflict, InvalidDocument, NotAllowed
from telemetry.core.events import Context
from telemetry.models import LegalHold, Receipt
from telemetry.services.holds import active_holds, is_held, lift_hold, place_hold
from telemetry.stores.removals import HELD
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry, Installation, Tenant
from tenants.roles import Role
from tenants.services.tenants import renew_pseudonym_key
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.tenants.factories import make_actor

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("workspace")]

STEP = "sigil.telemetry.workflow_step"
NOW = datetime.now(UTC)


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def tenant(installation: Installation) -> Tenant:
    return installation.tenant


def hold(tenant: Tenant, **fields: Any) -> LegalHold:
    return place_hold(actor=SYSTEM, tenant=tenant, **{"reason": "Case 12", **fields})


def held_rows() -> int:
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) FROM telemetry_storedevent event WHERE {HELD}")  # noqa: S608 - a constant
        (count,) = cursor.fetchone()
    return int(count)


def send(installation: Installation, user_id: str = "ann") -> None:
    ingest(installation, make_incoming(context=Context(user_id=user_id)))


def test_a_hold_on_a_tenant_holds_all_its_events(installation: Installation, tenant: Tenant) -> None:
    send(installation)
    send(make_installation("umbra"))

    hold(tenant)

    assert held_rows() == 1


def test_a_hold_on_a_person_finds_them_by_pseudonym_and_keeps_no_id(installation: Installation, tenant: Tenant) -> None:
    send(installation, "ann")
    send(installation, "bob")

    placed = hold(tenant, subject="ann")

    assert held_rows() == 1
    assert placed.subjects[0].startswith("p1_")
    assert "ann" not in str(LegalHold.objects.filter(pk=placed.pk).values().get())


def test_a_hold_on_a_person_outlives_the_renewal_of_the_key(installation: Installation, tenant: Tenant) -> None:
    hold(tenant, subject="ann")
    renew_pseudonym_key(actor=SYSTEM, tenant=tenant)
    with tenant_context(ALL):
        later = Installation.objects.select_related("tenant", "app").get(pk=installation.pk)

    send(later, "ann")

    assert later.tenant.pseudonym_epoch == 2
    assert held_rows() == 1


@pytest.mark.parametrize(
    ("fields", "count"),
    [
        ({"event_name": STEP}, 1),
        ({"event_name": "sigil.telemetry.other"}, 0),
        ({"starts_at": NOW - timedelta(hours=1), "ends_at": NOW + timedelta(hours=1)}, 1),
        ({"ends_at": NOW - timedelta(hours=1)}, 0),
        ({"starts_at": NOW + timedelta(hours=1)}, 0),
    ],
)
def test_a_hold_is_as_narrow_as_it_says(
    installation: Installation, tenant: Tenant, fields: dict[str, Any], count: int
) -> None:
    send(installation)

    placed = hold(tenant, **fields)

    assert held_rows() == count
    event: dict[str, Any] = {
        "name": STEP,
        "subjects": ["p1_x"],
        "received_at": datetime.now(UTC),
        "occurred_at": datetime.now(UTC),
    }
    assert is_held([placed], installation_id=installation.pk, **event) is bool(count)


def test_what_happened_in_the_span_and_came_later_is_held_too(installation: Installation, tenant: Tenant) -> None:
    ingest(installation, make_incoming(occurred_at=NOW - timedelta(days=2)))

    hold(tenant, ends_at=NOW - timedelta(days=1))

    assert held_rows() == 1


def test_placing_and_lifting_leave_audit_entries_and_receipts(tenant: Tenant) -> None:
    placed = hold(tenant, subject="ann", event_name=STEP)

    lift_hold(actor=SYSTEM, hold=placed, because="The case is closed")

    entries = AuditEntry.objects.filter(target_type="telemetry.legalhold").order_by("pk")
    assert [entry.action for entry in entries] == ["hold.placed", "hold.lifted"]
    assert list(Receipt.objects.order_by("sequence").values_list("kind", flat=True)) == ["hold_placed", "hold_lifted"]
    assert "ann" not in str(list(entries.values()) + list(Receipt.objects.values()))
    assert active_holds(tenant.pk) == []


def test_a_lifted_hold_holds_nothing(installation: Installation, tenant: Tenant) -> None:
    send(installation)
    placed = hold(tenant)

    lift_hold(actor=SYSTEM, hold=placed, because="The case is closed")

    assert held_rows() == 0
    with pytest.raises(Conflict):
        lift_hold(actor=SYSTEM, hold=placed, because="Again")


@pytest.mark.parametrize("subject", ["%", "*", "  ", "?", "x" * 513])
def test_a_wildcard_is_nobody(tenant: Tenant, subject: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        hold(tenant, subject=subject)

    assert [error.path for error in refused.value.errors] == ["subject"]
    assert not LegalHold.objects.exists()


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"reason": " "}, "reason"),
        ({"reason": "x" * 401}, "reason"),
        ({"starts_at": NOW, "ends_at": NOW}, "endsAt"),
    ],
)
def test_what_makes_no_sense_is_refused_by_name(tenant: Tenant, fields: dict[str, Any], path: str) -> None:
    with pytest.raises(InvalidDocument) as refused:
        hold(tenant, **fields)

    assert [error.path for error in refused.value.errors] == [path]


def test_another_tenants_installation_is_refused(tenant: Tenant) -> None:
    with pytest.raises(InvalidDocument):
        hold(tenant, installation=make_installation("umbra"))


def test_who_may_not_hold_changes_nothing(tenant: Tenant) -> None:
    analyst = make_actor(Role.ANALYST, tenant)

    with pytest.raises(NotAllowed):
        place_hold(actor=analyst, tenant=tenant, reason="Case 12")

    assert not LegalHold.objects.exists()
