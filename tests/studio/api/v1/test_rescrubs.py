"""The archive and re-scrub over HTTP."""

from pathlib import Path

import pytest

from telemetry.services.rescrubbing.working import carry_on_runs
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of
from tests.telemetry.archives import NOW, STEP, archive_all, archive_in, store_events
from tests.telemetry.factories import make_installation, make_published

pytestmark = pytest.mark.django_db


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def officer(installation: Installation) -> Caller:
    return caller_with_role(Role.PRIVACY_OFFICER, installation.tenant)


def test_archived_files_are_listed_with_what_was_measured(
    officer: Caller, installation: Installation, tmp_path: Path
) -> None:
    with archive_in(tmp_path / "archive"):
        store_events(installation, 3)
        (file,) = archive_all(installation)

    answer = officer.get("/api/v1/archive-files").json()

    (item,) = answer["items"]
    assert answer["total"] == 1
    assert (item["id"], item["installation"]) == (str(file.public_id), str(installation.public_id))
    assert (item["rows"], item["rowDigest"], item["sha256"]) == (3, file.row_digest, file.sha256)
    assert (item["state"], item["startsOn"]) == ("kept", str(NOW.date()))
    assert item["events"] == [{"event": f"{STEP}@1", "rows": 3}]
    assert officer.get("/api/v1/archive-files?event=unknown").json()["total"] == 0
    assert officer.get("/api/v1/archive-files?state=lost").status_code == 400
    stranger = make_installation("globex")
    assert caller_with_role(Role.ADMIN, stranger.tenant).get("/api/v1/archive-files").json()["total"] == 0


def test_what_is_open_is_counted_and_hidden_on_a_persons_word(officer: Caller, installation: Installation) -> None:
    store_events(installation, 2, properties=b'{"userId":"ada"}')
    asked = officer.post(f"/api/v1/installations/{installation.public_id}/rescrub", {})
    place = f"/api/v1/rescrubs/{asked.json()['id']}"
    while carry_on_runs():
        pass

    ready = officer.get(place).json()
    started = officer.post(f"{place}/start", {}).json()
    while carry_on_runs():
        pass
    done = officer.get(place).json()

    assert (asked.status_code, asked.json()["state"]) == (201, "counting")
    assert ready["state"] == "ready"
    assert ready["counts"] == [{"place": "store", "event": f"{STEP}@1", "found": 2, "changed": 0}]
    assert started["state"] == "running"
    assert (done["state"], done["counts"][0]["changed"]) == ("done", 2)
    assert officer.get("/api/v1/rescrubs").json()["total"] == 1
    assert code_of(officer.post(f"{place}/cancel", {})) == "conflict"


def test_a_second_run_has_to_wait_and_a_count_can_be_called_off(officer: Caller, installation: Installation) -> None:
    address = f"/api/v1/installations/{installation.public_id}/rescrub"
    run = officer.post(address, {}).json()

    assert code_of(officer.post(address, {})) == "conflict"
    assert officer.post(f"/api/v1/rescrubs/{run['id']}/cancel", {}).json()["state"] == "cancelled"
    assert officer.post(address, {}).status_code == 201


@pytest.mark.parametrize("role", [Role.VIEWER, Role.ANALYST, Role.PUBLISHER])
def test_others_may_look_and_not_decide(officer: Caller, installation: Installation, role: Role) -> None:
    run = officer.post(f"/api/v1/installations/{installation.public_id}/rescrub", {}).json()
    caller = caller_with_role(role, installation.tenant)

    assert caller.get(f"/api/v1/rescrubs/{run['id']}").status_code == 200
    for address in (f"installations/{installation.public_id}/rescrub", f"rescrubs/{run['id']}/cancel"):
        assert code_of(caller.post(f"/api/v1/{address}", {})) == "not_allowed"
    stranger = caller_with_role(Role.ADMIN, make_installation("globex").tenant)
    assert stranger.get(f"/api/v1/rescrubs/{run['id']}").status_code == 404
