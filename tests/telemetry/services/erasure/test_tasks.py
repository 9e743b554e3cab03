"""Jobs of erasures and exports: a sweep finds what waits, and doing anything twice changes nothing more."""

from typing import Any

import pytest

from telemetry import tasks
from telemetry.models import AccessExport, ErasureRequest, ErasureState, ExportState
from telemetry.services.access.requests import request_access
from telemetry.services.erasure.requests import request_erasure
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import everything_stored, ingest, make_provider
from tests.telemetry.services.erasure.person import PERSON, about, confirm, enter, finish, make_shop, prepare

pytestmark = pytest.mark.django_db

NAMES = ("erase", "forward_erasure", "collect_access")


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """What workers are told, instead of a broker."""
    told: list[tuple[str, int]] = []
    for name in NAMES:

        def send(args: tuple[int], countdown: float = 0.0, name: str = name) -> Any:
            told.append((name, *args))

        monkeypatch.setattr(getattr(tasks, name), "apply_async", send)
    return told


def test_a_sweep_tells_workers_of_all_that_waits(sent: list[tuple[str, int]]) -> None:
    prepare()
    shop = make_shop("acme")
    with tenant_context(ALL):
        [request] = request_erasure(actor=SYSTEM, subjects=[PERSON], tenants=[shop.tenant])
        [export] = request_access(actor=SYSTEM, subjects=[PERSON], tenants=[shop.tenant])

    tasks.sweep_erasures()
    once = list(sent)
    tasks.sweep_erasures()

    assert once == [("erase", request.pk), ("collect_access", export.pk)]
    assert sent == once * 2


def test_a_step_that_is_done_twice_is_done_once(sent: list[tuple[str, int]]) -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    with tenant_context(ALL):
        [request] = request_erasure(actor=SYSTEM, subjects=[PERSON], tenants=[shop.tenant])

    tasks.erase(request.pk)
    before = everything_stored()
    tasks.erase(request.pk)

    assert everything_stored() == before
    with tenant_context(ALL):
        assert ErasureRequest.objects.get().state == ErasureState.READY


def test_an_export_that_is_collected_twice_holds_everything_once(sent: list[tuple[str, int]]) -> None:
    prepare()
    shop = make_shop("acme")
    ingest(shop, about())
    with tenant_context(ALL):
        [export] = request_access(actor=SYSTEM, subjects=[PERSON], tenants=[shop.tenant])

    tasks.collect_access(export.pk)
    tasks.collect_access(export.pk)

    with tenant_context(ALL):
        found = AccessExport.objects.get()
        assert (found.state, found.events, found.parts.count()) == (ExportState.READY, 1, 1)


def test_workers_hear_of_providers_that_are_to_be_told(sent: list[tuple[str, int]]) -> None:
    prepare()
    shop = make_shop("acme")
    make_provider(shop)
    [request] = enter(shop.tenant)
    confirm(request)
    finish(request)
    with tenant_context(ALL):
        ErasureRequest.objects.update(step_due_at=request.created_at)
        request.forwards.update(due_at=request.created_at)
        [row] = request.forwards.all()

    tasks.erase(request.pk)

    assert ("forward_erasure", row.pk) in sent
