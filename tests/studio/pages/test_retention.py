"""The pages of retention, purges, legal holds and receipts."""

import pytest
from pytest_django import Settings

from telemetry.models import LegalHold, PurgeRun, PurgeState
from telemetry.services.purging.service import purge
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import text_of, visitor
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.purging.factories import STEP, store, stored

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    made = make_installation()
    purge()
    return made


@pytest.fixture
def waiting(installation: Installation, settings: Settings) -> PurgeRun:
    settings.STUDIO_PURGE_APPROVAL_ROWS = 2
    store(installation, 3, days_ago=8, days=7)
    purge()
    with tenant_context(ALL):
        return PurgeRun.objects.get()


def test_retention_says_what_is_kept_and_what_goes_next(installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    store(installation, 2, days_ago=2, days=30)

    text = text_of(visitor(Role.VIEWER).get("/studio/retention/"))

    assert "5 events stored" in text
    assert "3 go with the next run" in text
    assert "Acme" in text


def test_an_installation_is_shown_by_event_with_its_warnings(installation: Installation) -> None:
    store(installation, 2, days_ago=2, days=365)

    page = visitor(Role.VIEWER).get("/studio/retention/", installation=str(installation.public_id))

    assert f"{STEP} @1" in text_of(page)
    assert "2 stored events came when it was kept for longer; the next run shortens them." in text_of(page)


def test_nothing_stored_is_said_kindly() -> None:
    assert "No installation yet" in text_of(visitor(Role.VIEWER).get("/studio/retention/"))
    assert "Nothing has gone yet" in text_of(visitor(Role.VIEWER).get("/studio/purges/"))
    assert "No receipts yet" in text_of(visitor(Role.VIEWER).get("/studio/receipts/"))
    assert "Nothing is held" in text_of(visitor(Role.ADMIN).get("/studio/legal-holds/"))


def test_a_run_that_waits_shows_its_numbers_beside_the_button(waiting: PurgeRun) -> None:
    page = visitor(Role.PRIVACY_OFFICER).get(f"/studio/purges/{waiting.pk}/")

    assert "3 planned" in text_of(page)
    assert "Approve: 3 events" in text_of(page)
    assert "wait for approval before they go" in text_of(visitor(Role.VIEWER).get("/studio/retention/"))


def test_approving_lets_it_go_and_nothing_else_does(waiting: PurgeRun) -> None:
    officer, page = visitor(Role.PRIVACY_OFFICER), f"/studio/purges/{waiting.pk}/"

    assert "look at it again" in text_of(officer.get(officer.post(page, expected_rows="4")["Location"]))
    with tenant_context(ALL):
        assert PurgeRun.objects.get().state == PurgeState.WAITING

    officer.post(page, expected_rows="3")
    purge()

    assert stored() == {}
    assert "3 deleted" in text_of(officer.get(page))


def test_who_may_not_approve_sees_no_button_and_changes_nothing(waiting: PurgeRun) -> None:
    analyst, page = visitor(Role.ANALYST), f"/studio/purges/{waiting.pk}/"

    assert "Approve:" not in text_of(analyst.get(page))
    assert analyst.post(page, expected_rows="3").status_code == 403
    with tenant_context(ALL):
        assert PurgeRun.objects.get().state == PurgeState.WAITING


def test_the_side_bar_counts_runs_that_wait(waiting: PurgeRun) -> None:
    navigation = visitor(Role.PRIVACY_OFFICER).get("/studio/").context["sidebar_navigation"]

    badges = {item["title"]: item.get("badge") for group in navigation for item in group["items"]}
    assert badges["Purges"] == 1


def test_a_hold_is_placed_and_lifted_without_a_script(installation: Installation) -> None:
    officer = visitor(Role.PRIVACY_OFFICER)

    officer.post("/studio/legal-holds/place/", tenant=installation.tenant_id, subject="ann", reason="Case 12")

    text = text_of(officer.get("/studio/legal-holds/"))
    assert "Case 12" in text
    assert "one person" in text
    assert "ann" not in text.replace("planned", "")
    with tenant_context(ALL):
        hold = LegalHold.objects.get()

    officer.post(f"/studio/legal-holds/{hold.pk}/lift/", because="The case is closed")

    assert "lifted" in text_of(officer.get("/studio/legal-holds/"))


def test_a_hold_that_makes_no_sense_says_why_beside_the_field(installation: Installation) -> None:
    officer = visitor(Role.PRIVACY_OFFICER)

    page = officer.post("/studio/legal-holds/place/", tenant=installation.tenant_id, subject="*", reason="Case 12")

    assert "no wildcards" in text_of(page)
    with tenant_context(ALL):
        assert not LegalHold.objects.exists()


def test_receipts_are_listed_and_the_chain_is_a_file(installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    purge()
    viewer = visitor(Role.VIEWER)

    assert "studio verify-receipts receipts-acme.json" in text_of(viewer.get("/studio/receipts/", tenant="acme"))
    file = viewer.get("/studio/receipts/acme/file/")
    assert (file.status_code, file.json()["head"]["sequence"]) == (200, 1)
    assert visitor(Role.ADMIN, make_installation("other").tenant).get("/studio/receipts/acme/file/").status_code == 404


def test_more_rows_cost_no_more_queries(installation: Installation) -> None:
    store(installation, 3, days_ago=8, days=7)
    purge()
    viewer = visitor(Role.ADMIN)
    lists = ["/studio/retention/", "/studio/purges/", "/studio/legal-holds/", "/studio/receipts/"]
    for page in lists:
        viewer.get(page)
    few = [viewer.cost_of(page) for page in lists]

    for name in ("umbra", "globex"):
        other = make_installation(name)
        purge()
        store(other, 3, days_ago=8, days=7)
        purge()

    assert [viewer.cost_of(page) for page in lists] == few
