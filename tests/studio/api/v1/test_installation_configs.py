"""The override of an installation: draft, publication, rollback, versions."""

from typing import Any

import msgspec
import pytest

from telemetry.core.config import AppBlueprint, EventOverride, PrivacyFloor, TenantOverride
from telemetry.core.enums import PrivacyLevel
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tenants.services.floors import save_floor
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_draft_config, make_key, make_published_config

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
HALF: dict[str, Any] = {"events": {STEP: {"samplingRate": 0.5}}}
OFF: dict[str, Any] = {"events": {STEP: {"enabled": False}}}


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation()


@pytest.fixture
def config(installation: Installation) -> str:
    return f"/api/v1/installations/{installation.public_id}/config"


@pytest.fixture
def publisher(installation: Installation) -> Caller:
    return caller_with_role(Role.PUBLISHER, installation.tenant)


def publish(caller: Caller, config: str, override: dict[str, Any], summary: str = "A change") -> Any:
    state = caller.get(config)
    draft = caller.put(config, override, If_Match=state["ETag"]).json()
    live = state.json()["published"]
    body = {
        "number": draft["number"],
        "expectedChecksum": draft["checksum"],
        "expectedPublishedNumber": live and live["number"],
        "changeSummary": summary,
    }
    return caller.post(f"{config}/publish", body)


# Reading


def test_without_an_override_the_blueprint_holds(publisher: Caller, config: str) -> None:
    answer = publisher.get(config)

    assert answer.status_code == 200
    assert answer["ETag"] == '"none-0"'
    body = answer.json()
    assert (body["published"], body["draft"], body["problem"]) == (None, None, "")
    assert body["effective"]["spec"]["name"] == "sigil.telemetry"
    assert (body["effective"]["eventCount"], body["effective"]["enabledEventCount"]) == (1, 1)


def test_live_override_draft_and_what_follows_are_shown_together(
    installation: Installation, publisher: Caller, config: str
) -> None:
    make_published_config(installation, msgspec.convert(OFF, TenantOverride))
    make_draft_config(installation, msgspec.convert(HALF, TenantOverride))

    body = publisher.get(config).json()

    assert (body["published"]["number"], body["published"]["status"]) == (1, "published")
    assert body["published"]["override"] == OFF
    assert (body["draft"]["number"], body["draft"]["status"], body["draft"]["basedOn"]) == (2, "draft", 1)
    assert body["draft"]["override"] == HALF
    assert (body["effective"]["enabled"], body["effective"]["enabledEventCount"]) == (True, 0)


def test_a_missing_spec_is_a_problem_and_no_error(publisher: Caller) -> None:
    unbound = make_installation("unbound", blueprint=AppBlueprint())

    body = caller_with_role(Role.VIEWER).get(f"/api/v1/installations/{unbound.public_id}/config").json()

    assert body["effective"] is None
    assert body["problem"] == "no spec is bound: point the app's blueprint or the tenant's override at one"


def test_the_state_costs_a_constant_number_of_queries(
    installation: Installation, publisher: Caller, config: str
) -> None:
    assert cost_of(publisher, config) == 4

    for enabled in (True, False, True):
        override = TenantOverride(events={STEP: EventOverride(enabled=enabled)})
        make_published_config(installation, override)
    make_draft_config(installation)

    # What each of the two is based on is looked up besides.
    assert cost_of(publisher, config) == 6


# Saving the draft


def test_a_draft_changes_nothing_for_apps(installation: Installation, publisher: Caller, config: str) -> None:
    app = Caller(key=make_key(installation).text)
    tag = app.get("/api/v1/config")["ETag"]

    answer = publisher.put(config, HALF)

    assert answer.status_code == 200
    body = answer.json()
    assert (body["number"], body["status"], body["override"]) == (1, "draft", HALF)
    assert answer["ETag"] == f'"{body["checksum"]}-0"' == publisher.get(config)["ETag"]
    assert app.get("/api/v1/config", If_None_Match=tag).status_code == 304


def test_a_draft_may_be_yaml(publisher: Caller, config: str) -> None:
    body = f"events:\n  {STEP}:\n    samplingRate: 0.5\n".encode()

    answer = publisher.send("PUT", config, body, "application/yaml")

    assert answer.status_code == 200
    assert answer.json()["override"] == HALF


def test_a_draft_is_replaced_by_who_has_read_it(publisher: Caller, config: str) -> None:
    first = publisher.put(config, HALF)

    blind = publisher.put(config, OFF)
    second = publisher.put(config, OFF, If_Match=first["ETag"])
    late = publisher.put(config, HALF, If_Match=first["ETag"])

    assert (blind.status_code, code_of(blind)) == (428, "precondition_required")
    assert (second.status_code, second.json()["override"]) == (200, OFF)
    assert (late.status_code, code_of(late)) == (412, "precondition_failed")
    assert publisher.get(config).json()["draft"]["override"] == OFF


def test_a_first_draft_that_was_based_on_another_state_is_refused(publisher: Caller, config: str) -> None:
    before = everything_stored()

    answer = publisher.put(config, HALF, If_Match='"none-1"')

    assert answer.status_code == 412
    assert everything_stored() == before


@pytest.mark.parametrize(
    ("override", "path", "code"),
    [
        ({"events": {STEP: {"samplingRate": 7.5}}}, f'events["{STEP}"].samplingRate', "out_of_range"),
        ({"events": {STEP: {"samplingRate": -1}}}, f'events["{STEP}"].samplingRate', "out_of_range"),
        ({"events": {STEP: {"retentionDays": 0}}}, f'events["{STEP}"].retentionDays', "out_of_range"),
        ({"events": {STEP: {"privacy": "open"}}}, f'events["{STEP}"].privacy', "unknown_word"),
        ({"events": {"unknown": {"enabled": False}}}, "events.unknown", "unknown_event"),
        ({"spec": {"name": "unknown"}}, "spec.name", "unknown_spec"),
        ({"enabld": False}, "enabld", "unknown_key"),
        ({"events": {STEP: {"privacy": "public"}}}, f'events["{STEP}"].privacy', "loosens"),
    ],
)
def test_an_override_that_does_not_fit_is_named_and_not_saved(
    publisher: Caller, config: str, override: dict[str, Any], path: str, code: str
) -> None:
    before = everything_stored()

    answer = publisher.put(config, override)

    assert answer.status_code == 400
    assert [(error["path"].replace("'", '"'), error["code"]) for error in answer.json()["errors"]] == [(path, code)]
    assert everything_stored() == before


# Publishing


def test_what_is_published_shows_in_the_very_next_request(
    installation: Installation, publisher: Caller, config: str
) -> None:
    app = Caller(key=make_key(installation).text)
    before = app.get("/api/v1/config")

    answer = publish(publisher, config, OFF, "Turn it off")

    assert answer.status_code == 200
    body = answer.json()
    assert (body["number"], body["status"], body["changeSummary"]) == (1, "published", "Turn it off")
    assert body["publishedAt"].endswith("Z")
    after = app.get("/api/v1/config", If_None_Match=before["ETag"])
    assert after.status_code == 200
    assert after.json()["events"][0]["enabled"] is False


def test_of_two_publications_of_one_draft_the_first_counts(publisher: Caller, config: str) -> None:
    draft = publisher.put(config, OFF).json()
    body = {
        "number": 1,
        "expectedChecksum": draft["checksum"],
        "expectedPublishedNumber": None,
        "changeSummary": "Turn it off",
    }

    first = publisher.post(f"{config}/publish", body)
    before = everything_stored()
    second = publisher.post(f"{config}/publish", body)

    assert first.status_code == 200
    assert (second.status_code, code_of(second)) == (409, "stale_revision")
    assert "version 1" in second.json()["detail"]
    assert everything_stored() == before


def test_a_draft_that_changed_since_the_review_is_not_published(publisher: Caller, config: str) -> None:
    reviewed = publisher.put(config, OFF)
    publisher.put(config, HALF, If_Match=reviewed["ETag"])
    before = everything_stored()

    answer = publisher.post(
        f"{config}/publish",
        {
            "number": 1,
            "expectedChecksum": reviewed.json()["checksum"],
            "expectedPublishedNumber": None,
            "changeSummary": "Turn it off",
        },
    )

    assert (answer.status_code, code_of(answer)) == (409, "stale_revision")
    assert everything_stored() == before


def test_a_draft_is_checked_against_the_floor_of_the_moment(publisher: Caller, config: str) -> None:
    with tenant_context(ALL):
        save_floor(
            actor=SYSTEM,
            app=None,
            floor=PrivacyFloor(maximum_retention_days={PrivacyLevel.INTERNAL: 90}),
            expected_revision=0,
        )

    answer = publisher.put(config, {"events": {STEP: {"retentionDays": 365}}})

    assert answer.status_code == 400
    [error] = answer.json()["errors"]
    assert "retentionDays" in error["path"]


@pytest.mark.parametrize(
    ("change", "path", "code"),
    [
        ({"number": "1"}, "number", "wrong_type"),
        ({"number": 0}, "number", "out_of_range"),
        ({"number": 2**31}, "number", "out_of_range"),
        ({"expectedChecksum": "abc"}, "expectedChecksum", "bad_format"),
        ({"expectedPublishedNumber": -1}, "expectedPublishedNumber", "out_of_range"),
        ({"changeSummary": ""}, "changeSummary", "bad_length"),
        ({"actor": "system"}, "actor", "unknown_key"),
    ],
)
def test_a_publication_that_breaks_a_rule_is_refused(
    publisher: Caller, config: str, change: dict[str, Any], path: str, code: str
) -> None:
    draft = publisher.put(config, OFF).json()
    body = {
        "number": 1,
        "expectedChecksum": draft["checksum"],
        "expectedPublishedNumber": None,
        "changeSummary": "Turn it off",
    }
    before = everything_stored()

    answer = publisher.post(f"{config}/publish", body | change)

    assert answer.status_code == 400
    assert [(error["path"], error["code"]) for error in answer.json()["errors"]] == [(path, code)]
    assert everything_stored() == before


def test_what_a_publication_must_say_is_asked_for(publisher: Caller, config: str) -> None:
    answer = publisher.post(f"{config}/publish", {})

    assert {error["path"] for error in answer.json()["errors"]} == {
        "number",
        "expectedChecksum",
        "expectedPublishedNumber",
        "changeSummary",
    }


def test_a_version_that_does_not_exist_cannot_be_published(publisher: Caller, config: str) -> None:
    body = {"number": 7, "expectedChecksum": "0" * 64, "expectedPublishedNumber": None, "changeSummary": "?"}

    assert publisher.post(f"{config}/publish", body).status_code == 404


# Rolling back


def test_a_rollback_makes_a_new_version_of_an_old_override(
    installation: Installation, publisher: Caller, config: str
) -> None:
    app = Caller(key=make_key(installation).text)
    publish(publisher, config, OFF)
    publish(publisher, config, HALF)
    assert app.get("/api/v1/config").json()["events"][0]["enabled"] is True

    body = {"number": 1, "expectedPublishedNumber": 2, "changeSummary": "Back"}
    answer = publisher.post(f"{config}/rollback", body)

    assert answer.status_code == 200
    restored = answer.json()
    assert (restored["number"], restored["status"], restored["basedOn"]) == (3, "published", 1)
    assert app.get("/api/v1/config").json()["events"][0]["enabled"] is False


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"number": 2}, 409),
        ({"number": 9}, 404),
        ({"expectedPublishedNumber": 1}, 409),
        ({"expectedPublishedNumber": None}, 400),
        ({"changeSummary": " "}, 400),
        ({"number": True}, 400),
    ],
)
def test_a_rollback_that_cannot_be_changes_nothing(
    publisher: Caller, config: str, change: dict[str, Any], status: int
) -> None:
    publish(publisher, config, OFF)
    publish(publisher, config, HALF)
    before = everything_stored()

    body = {"number": 1, "expectedPublishedNumber": 2, "changeSummary": "Back"} | change
    answer = publisher.post(f"{config}/rollback", body)

    assert answer.status_code == status
    assert everything_stored() == before


# Versions


def test_versions_come_newest_first_with_their_lineage(publisher: Caller, config: str) -> None:
    publish(publisher, config, OFF, "Off")
    publish(publisher, config, HALF, "Half")

    answer = publisher.get(f"{config}/versions")

    assert answer.json()["total"] == 2
    second, first = answer.json()["items"]
    assert (second["number"], second["status"], second["basedOn"], second["changeSummary"]) == (
        2,
        "published",
        1,
        "Half",
    )
    assert (first["number"], first["status"], first["basedOn"]) == (1, "superseded", None)
    assert cost_of(publisher, f"{config}/versions") == 3


def test_versions_come_in_pages(publisher: Caller, config: str) -> None:
    publish(publisher, config, OFF)
    publish(publisher, config, HALF)

    answer = publisher.get(f"{config}/versions", {"page": 2, "pageSize": 1})

    assert [item["number"] for item in answer.json()["items"]] == [1]
    assert publisher.get(f"{config}/versions?status=published").status_code == 400


# Who may


@pytest.mark.parametrize(
    ("role", "reads", "writes", "publishes"),
    [
        (Role.VIEWER, 200, 403, 403),
        (Role.ANALYST, 200, 200, 403),
        (Role.PRIVACY_OFFICER, 200, 200, 403),
        (Role.PUBLISHER, 200, 200, 404),
        (Role.ADMIN, 200, 200, 404),
    ],
)
def test_each_role_may_what_its_abilities_say(
    installation: Installation, config: str, role: Role, reads: int, writes: int, publishes: int
) -> None:
    caller = caller_with_role(role, installation.tenant)
    publication = {"number": 9, "expectedChecksum": "0" * 64, "expectedPublishedNumber": None, "changeSummary": "?"}
    rollback = {"number": 9, "expectedPublishedNumber": 1, "changeSummary": "?"}

    assert caller.get(config).status_code == caller.get(f"{config}/versions").status_code == reads
    assert caller.put(config, HALF).status_code == writes
    assert caller.post(f"{config}/publish", publication).status_code == publishes
    assert caller.post(f"{config}/rollback", rollback).status_code == publishes


def test_a_denied_write_leaves_only_a_trace(installation: Installation, config: str) -> None:
    viewer = caller_with_role(Role.VIEWER, installation.tenant)
    before = everything_stored()

    assert viewer.put(config, OFF).status_code == 403

    after = everything_stored()
    [entry] = [row for row in after["tenants.AuditEntry"] if row not in before["tenants.AuditEntry"]]
    assert (entry["action"], entry["target_label"]) == ("access.denied", "config.edit")
    assert {**after, "tenants.AuditEntry": []} == {**before, "tenants.AuditEntry": []}
