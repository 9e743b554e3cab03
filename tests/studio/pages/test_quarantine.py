"""The quarantine in the browser: what is held and why, what mending would do, and doing it once."""

from typing import Any

import pytest
from pytest_django import Settings

from telemetry.models import StoredEvent
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.studio.visitors import actions, assert_denied, roles_without, text_of, visitor
from tests.telemetry.factories import (
    everything_stored,
    ingest,
    make_incoming,
    make_installation,
    make_provider,
    make_published,
)
from tests.telemetry.services.quarantine.held import STEP, held, make_holding_spec

pytestmark = pytest.mark.django_db

LIST = "/studio/quarantine/"
RENAME = {"property_1": "stp", "deed_1": "rename", "to_1": "step"}


@pytest.fixture
def installation() -> Installation:
    make_published(make_holding_spec())
    found = make_installation()
    ingest(found, *(make_incoming(properties={"stp": "CANARY", "userId": "CANARY"}) for _ in range(3)))
    ingest(found, make_incoming(name="unknown_thing", properties={"a": "CANARY"}))
    return found


def page(number: int = 0) -> str:
    return f"{LIST}{held()[number].pk}/"


def test_what_is_held_is_listed_by_what_was_wrong(installation: Installation) -> None:
    response = visitor(Role.VIEWER).get(LIST)

    text = text_of(response)
    assert f"{STEP} missing step undeclared stp" in text
    assert "unknown_thing unknown event" in text
    assert [row.events for row, _ in response.context["rows"]] == [1, 3]
    assert "CANARY" not in response.content.decode()


def test_an_empty_list_says_how_to_have_events_held() -> None:
    assert "Ask for it in a spec's defaults" in text_of(visitor(Role.VIEWER).get(LIST))


def test_without_a_secret_the_page_says_what_is_missing(settings: Settings) -> None:
    settings.STUDIO_QUARANTINE_KEYS = []

    assert "STUDIO_QUARANTINE_KEYS" in text_of(visitor(Role.VIEWER).get(LIST))


@pytest.mark.parametrize(
    ("query", "found"), [({"q": "UNKNOWN_T"}, 1), ({"q": "missing_required"}, 1), ({"q": "\x00"}, 0)]
)
def test_the_address_narrows_the_list_down(installation: Installation, query: dict[str, str], found: int) -> None:
    assert len(visitor(Role.VIEWER).get(LIST, **query).context["rows"]) == found


def test_a_list_of_any_length_takes_the_same_queries(installation: Installation) -> None:
    asked = visitor(Role.VIEWER)
    few = asked.cost_of(LIST)

    ingest(installation, *(make_incoming(name=f"unknown_{letter}") for letter in "abcdefgh"))

    assert asked.cost_of(LIST) == few


def test_another_tenants_events_are_neither_listed_nor_found(installation: Installation) -> None:
    stranger = visitor(Role.ADMIN, make_installation("globex").tenant)

    assert "Nothing is held" in text_of(stranger.get(LIST))
    assert stranger.get(page()).status_code == 404
    assert stranger.post(page(), verdict="replay").status_code == 404


def test_seeing_what_would_become_of_them_changes_nothing_and_shows_no_value(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)
    before = everything_stored()

    response = asked.fill_in(page(), RENAME, verdict="rehearse")

    text = text_of(response)
    assert "stored 3" in text
    assert "Take in 3" in text
    assert '"userId": "REDACTED"' in text
    assert everything_stored() == before


def test_what_would_still_be_refused_is_told_with_the_reason(installation: Installation) -> None:
    response = visitor(Role.PRIVACY_OFFICER).fill_in(page(), verdict="rehearse")

    text = text_of(response)
    assert "rejected 3" in text
    assert "3 missing step, undeclared stp" in text
    assert "Take in" not in text
    assert "CANARY" not in response.content.decode()


def test_they_are_taken_in_once_however_often_the_button_is_pressed(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)
    address = page()

    first = asked.post(address, {**RENAME, "verdict": "replay"})
    second = asked.post(address, {**RENAME, "verdict": "replay"})

    assert (first.status_code, first["Location"]) == (302, LIST)
    assert second.status_code == 404
    assert "Taken in: 3 stored" in text_of(asked.get(LIST))
    with tenant_context(ALL):
        assert StoredEvent.objects.count() == 3
    assert actions()[-1] == "quarantine.replayed"


def test_whoever_is_owed_what_was_taken_in_is_woken(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    provider, woken = make_provider(installation), list[int]()
    monkeypatch.setattr("studio.arrivals.wake_providers", woken.extend)

    with django_capture_on_commit_callbacks(execute=True):
        visitor(Role.PRIVACY_OFFICER).post(page(), {**RENAME, "verdict": "replay"})

    assert woken == [provider.pk]


def test_an_event_gets_another_name(installation: Installation) -> None:
    entries = {"event": STEP, "version": "1", "property_0": "a", "deed_0": "rename", "to_0": "step"}

    visitor(Role.PRIVACY_OFFICER).post(page(3), {**entries, "verdict": "replay"})

    with tenant_context(ALL):
        assert StoredEvent.objects.get().name == STEP


@pytest.mark.parametrize(
    ("entries", "field"),
    [
        ({"property_2": "stp", "deed_2": "rename"}, "property_2"),
        ({"deed_3": "drop"}, "property_3"),
        ({"event": "9 lives"}, "event"),
        ({"version": "0"}, "version"),
        ({"deed_0": "made up"}, "deed_0"),
    ],
)
def test_a_mending_that_makes_no_sense_is_refused_in_its_row(
    installation: Installation, entries: dict[str, str], field: str
) -> None:
    response = visitor(Role.PRIVACY_OFFICER).post(page(), {**entries, "verdict": "replay"})

    assert list(response.context["form"].errors) == [field]
    assert len(held()) == 4


def test_discarding_asks_first_and_names_how_many(installation: Installation) -> None:
    asked = visitor(Role.PRIVACY_OFFICER)
    address = f"{page()}discard/"

    assert "Discard 3 events" in text_of(asked.get(address))
    response = asked.post(address)

    assert (response.status_code, response["Location"]) == (302, LIST)
    assert [row.event_name for row in held()] == ["unknown_thing"]


@pytest.mark.parametrize("role", roles_without("quarantine.handle"))
@pytest.mark.parametrize("verdict", ["rehearse", "replay"])
def test_who_may_not_handle_them_changes_nothing(installation: Installation, role: Role, verdict: str) -> None:
    asked = visitor(role, installation.tenant)
    address = page()

    assert_denied("quarantine.handle", lambda: asked.post(address, {**RENAME, "verdict": verdict}))
    assert "Privacy officers and admins" in text_of(asked.get(address))


@pytest.mark.parametrize("role", roles_without("quarantine.handle"))
def test_who_may_not_handle_them_discards_nothing(installation: Installation, role: Role) -> None:
    asked, address = visitor(role, installation.tenant), f"{page()}discard/"

    assert_denied("quarantine.handle", lambda: asked.post(address))


def test_events_that_cannot_be_opened_are_told(installation: Installation, settings: Settings) -> None:
    settings.STUDIO_QUARANTINE_KEYS = ["another secret that opens nothing"]
    asked = visitor(Role.PRIVACY_OFFICER)

    rehearsed: Any = asked.fill_in(page(), RENAME, verdict="rehearse")
    replayed = asked.post(page(), {**RENAME, "verdict": "replay"})

    assert "cannot be opened 3" in text_of(rehearsed)
    assert replayed.status_code == 302
    assert "the secret that they were sealed with is gone" in text_of(asked.get(page()))
    assert len(held()) == 4
