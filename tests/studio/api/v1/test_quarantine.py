"""The quarantine over HTTP: what is held, what mending would do, and doing it once."""

from typing import Any

import pytest

from telemetry.models import StoredEvent
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import (
    everything_stored,
    ingest,
    make_incoming,
    make_installation,
    make_provider,
    make_published,
)
from tests.telemetry.services.quarantine.held import STEP, held, make_holding_spec
from tests.tenants.factories import make_key

pytestmark = pytest.mark.django_db

QUARANTINE = "/api/v1/quarantine"
RENAME = {"steps": [{"step": "rename", "property": "stp", "to": "step"}]}


@pytest.fixture
def installation() -> Installation:
    make_published(make_holding_spec())
    found = make_installation()
    ingest(found, *(make_incoming(properties={"stp": "build", "userId": "CANARY"}) for _ in range(3)))
    return found


def address(verb: str) -> str:
    return f"{QUARANTINE}/{held()[0].pk}/{verb}"


def test_a_group_is_listed_with_what_was_wrong(installation: Installation) -> None:
    row = held()[0]

    answer = caller_with_role(Role.VIEWER).get(QUARANTINE)

    assert answer.json()["total"] == 1
    [item] = answer.json()["items"]
    expected = {
        "id": row.pk,
        "tenant": "acme",
        "app": installation.app.slug,
        "environment": "production",
        "installation": str(installation.public_id),
        "event": STEP,
        "reason": "missing_required properties.step; undeclared_property properties.stp",
        "events": 3,
    }
    assert {key: item[key] for key in expected} == expected
    assert "CANARY" not in answer.content.decode()


def test_parameters_narrow_the_list_down(installation: Installation) -> None:
    viewer = caller_with_role(Role.VIEWER)

    assert viewer.get(QUARANTINE, {"search": "STP"}).json()["total"] == 1
    assert viewer.get(QUARANTINE, {"search": "nothing"}).json()["total"] == 0


def test_a_rehearsal_tells_and_changes_nothing(installation: Installation) -> None:
    officer = caller_with_role(Role.PRIVACY_OFFICER)
    before = everything_stored()["telemetry.HeldEvent"]

    plain = officer.post(address("rehearse"), {}).json()
    mended = officer.post(address("rehearse"), RENAME).json()

    reason = "missing_required properties.step; undeclared_property properties.stp"
    assert plain == {
        "outcomes": [{"outcome": "rejected", "events": 3}],
        "refusals": [{"reason": reason, "events": 3}],
        "unreadable": 0,
        "preview": None,
    }
    assert mended["outcomes"] == [{"outcome": "stored", "events": 3}]
    assert mended["preview"]["properties"] == {"step": "build", "userId": "REDACTED"}
    assert everything_stored()["telemetry.HeldEvent"] == before


def test_a_replay_takes_them_in_once(installation: Installation) -> None:
    officer, replay = caller_with_role(Role.PRIVACY_OFFICER), address("replay")

    first, second = officer.post(replay, RENAME), officer.post(replay, RENAME)

    assert first.json() == {"outcomes": [{"outcome": "stored", "events": 3}], "stillHeld": 0, "left": 0}
    assert second.status_code == 404
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 3


def test_whoever_is_owed_what_was_taken_in_is_woken_after_the_commit(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    provider, woken = make_provider(installation), list[int]()
    monkeypatch.setattr("studio.arrivals.wake_providers", woken.extend)
    officer = caller_with_role(Role.PRIVACY_OFFICER)

    with django_capture_on_commit_callbacks() as callbacks:
        officer.post(address("replay"), RENAME)

    assert woken == []
    for callback in callbacks:
        callback()
    assert woken == [provider.pk]


def test_discarding(installation: Installation) -> None:
    answer = caller_with_role(Role.PRIVACY_OFFICER).post(address("discard"), {})

    assert answer.json() == {"discarded": 3}
    assert held() == []


@pytest.mark.parametrize(
    ("body", "path"),
    [
        ({"steps": [{"step": "rename", "property": "a"}]}, "steps[0].to"),
        ({"steps": [{"step": "made_up"}]}, "steps[0].step"),
        ({"version": 0}, "version"),
        ({"unknown": 1}, "unknown"),
        ({"steps": [{"step": "drop_undeclared"}] * 21}, "steps"),
    ],
)
def test_a_mending_that_makes_no_sense_is_refused(installation: Installation, body: Any, path: str) -> None:
    answer = caller_with_role(Role.PRIVACY_OFFICER).post(address("replay"), body)

    assert (answer.status_code, [error["path"] for error in answer.json()["errors"]]) == (400, [path])
    assert len(held()) == 3


@pytest.mark.parametrize("verb", ["rehearse", "replay", "discard"])
def test_who_may_not_handle_them_changes_nothing(installation: Installation, verb: str) -> None:
    analyst = caller_with_role(Role.ANALYST, installation.tenant)

    answer = analyst.post(address(verb), {})

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    assert len(held()) == 3


@pytest.mark.parametrize("verb", ["rehearse", "replay", "discard"])
def test_another_tenants_events_do_not_exist(installation: Installation, verb: str) -> None:
    stranger = caller_with_role(Role.ADMIN, make_installation("globex").tenant)

    assert stranger.post(address(verb), {}).status_code == 404
    assert stranger.get(QUARANTINE).json()["total"] == 0
    assert len(held()) == 3


def test_the_key_of_an_app_reads_nothing_back(installation: Installation) -> None:
    app = Caller(key=make_key(installation).text)

    assert app.get(QUARANTINE).status_code == 403
    assert app.post(address("rehearse"), {}).status_code in (403, 404)


def test_a_list_of_any_length_takes_the_same_statements(installation: Installation) -> None:
    viewer = caller_with_role(Role.VIEWER)
    few = cost_of(viewer, QUARANTINE)

    ingest(installation, *(make_incoming(name=f"unknown_{letter}") for letter in "abcdefgh"))

    assert cost_of(viewer, QUARANTINE) == few == 2
