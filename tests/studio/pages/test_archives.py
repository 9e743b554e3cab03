"""The pages of the archive and of re-scrub."""

from pathlib import Path

import pytest

from telemetry.models import RescrubRun
from telemetry.services.rescrubbing.runs import ask_for_count
from telemetry.services.rescrubbing.working import carry_on_runs
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import text_of, visitor
from tests.telemetry.archives import STEP, archive_all, archive_in, store_events
from tests.telemetry.factories import make_installation, make_published

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def ready(installation: Installation) -> RescrubRun:
    """Two stored events show what their config hides."""
    store_events(installation, 2, properties=b'{"userId":"ada"}')
    with tenant_context(ALL):
        ask_for_count(actor=SYSTEM, installation=installation)
    while carry_on_runs():
        pass
    return latest()


def latest() -> RescrubRun:
    with tenant_context(ALL):
        return RescrubRun.objects.latest("id")


def test_files_are_listed_with_what_is_in_them(installation: Installation, tmp_path: Path) -> None:
    with archive_in(tmp_path / "archive"):
        store_events(installation, 3)
        archive_all(installation)

    text = text_of(visitor(Role.VIEWER).get("/studio/archive/"))

    assert "3 events in 1 kept file" in text
    assert f"{STEP}@1" in text
    assert "Acme" in text
    assert "Nothing matches" in text_of(visitor(Role.VIEWER).get("/studio/archive/", event="unknown"))


def test_more_files_cost_no_more_queries(installation: Installation, tmp_path: Path) -> None:
    person = visitor(Role.VIEWER)
    with archive_in(tmp_path / "archive"):
        store_events(installation, 1)
        archive_all(installation)
        one = person.cost_of("/studio/archive/")
        for _ in range(3):
            store_events(installation, 1)
            archive_all(installation)

    assert person.cost_of("/studio/archive/") == one


def test_nothing_archived_and_nothing_open_is_said_kindly() -> None:
    assert "Nothing is archived" in text_of(visitor(Role.VIEWER).get("/studio/archive/"))
    assert "Nothing had to be hidden" in text_of(visitor(Role.VIEWER).get("/studio/rescrubs/"))


def test_another_tenants_people_see_neither(ready: RescrubRun, tmp_path: Path) -> None:
    stranger = make_installation("globex")
    person = visitor(Role.ADMIN, stranger.tenant)

    assert "Nothing had to be hidden" in text_of(person.get("/studio/rescrubs/"))
    assert person.get(f"/studio/rescrubs/{ready.public_id}/").status_code == 404


def test_a_count_is_asked_for_on_a_form(installation: Installation) -> None:
    officer = visitor(Role.PRIVACY_OFFICER)

    officer.fill_in("/studio/rescrubs/count/", installation=installation.pk)

    assert latest().state == "counting"
    assert latest().asked_by == officer.username
    again = officer.fill_in("/studio/rescrubs/count/", installation=installation.pk)
    assert "has a run already" in text_of(again)


def test_a_run_shows_what_is_open_and_is_decided_on_by_who_protects_personal_data(ready: RescrubRun) -> None:
    place = f"/studio/rescrubs/{ready.public_id}/"
    officer = visitor(Role.PRIVACY_OFFICER)

    assert "Hide it in 2 events" in text_of(officer.get(place))
    assert "Hide it in" not in text_of(visitor(Role.PUBLISHER).get(place))
    assert visitor(Role.PUBLISHER).post(f"{place}start/").status_code == 403
    assert latest().state == "ready"
    assert "2 events of" in text_of(officer.get(f"{place}start/"))

    officer.post(f"{place}start/")
    while carry_on_runs():
        pass

    assert latest().state == "done"
    assert latest().changed == {"store": {f"{STEP}@1": 2}}
    assert "Done" in text_of(officer.get(place))


def test_a_run_is_called_off(ready: RescrubRun) -> None:
    visitor(Role.PRIVACY_OFFICER).post(f"/studio/rescrubs/{ready.public_id}/cancel/")

    assert latest().state == "cancelled"
    refused = visitor(Role.PRIVACY_OFFICER).client.post(f"/studio/rescrubs/{ready.public_id}/start/", follow=True)
    assert "Nothing was changed" in text_of(refused)


def test_more_runs_cost_no_more_queries(ready: RescrubRun) -> None:
    person = visitor(Role.PRIVACY_OFFICER)
    one = person.cost_of("/studio/rescrubs/")

    for slug in ("globex", "initech"):
        other = make_installation(slug)
        with tenant_context(ALL):
            ask_for_count(actor=SYSTEM, installation=other)

    assert person.cost_of("/studio/rescrubs/") == one
