"""Lint over HTTP: of a draft, of a document that is not saved, and of what was just saved; always the same findings."""

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from telemetry.core.codec import encode_spec, spec_to_yaml
from telemetry.core.enums import PrivacyLevel
from telemetry.core.lint import OPTIONAL_RULES, RULES, lint_spec
from telemetry.core.spec import EventDefinition, Sampling, Semantics, TelemetrySpec
from telemetry.models import EventRecord
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_spec
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, make_draft, make_published

pytestmark = pytest.mark.django_db

NAME = "sigil.telemetry"
LINT = f"/api/v1/specs/{NAME}/lint"
# An error (a secret), warnings and advice.
POOR = make_spec(
    make_event("sigil.telemetry.signed_in", sampling=Sampling(rate=0.001), properties={"password": make_property()})
)


@pytest.fixture
def analyst() -> Caller:
    return caller_with_role(Role.ANALYST)


def expected(spec: TelemetrySpec) -> list[tuple[str, str, str]]:
    """What the core says."""
    found = lint_spec(spec, today=datetime.now(UTC).date())
    return [(each.rule, each.severity.value, each.path) for each in found]


def shown(items: list[dict[str, Any]]) -> list[tuple[str, str, str]]:
    return [(item["rule"], item["severity"], item["path"]) for item in items]


# The same everywhere


@pytest.mark.parametrize("notation", ["json", "yaml"])
def test_a_document_is_linted_and_nothing_is_saved(analyst: Caller, notation: str) -> None:
    analyst.get("/api/v1/schema")
    before = everything_stored()
    body = encode_spec(POOR) if notation == "json" else spec_to_yaml(POOR).encode()

    answer = analyst.send("POST", "/api/v1/lint?pageSize=100", body, f"application/{notation}")

    assert answer.status_code == 200
    assert shown(answer.json()["items"]) == expected(POOR)
    assert everything_stored() == before


def test_saving_and_reading_say_what_linting_said(analyst: Caller) -> None:
    asked = analyst.send("POST", "/api/v1/lint?pageSize=100", encode_spec(POOR)).json()

    created = analyst.send("POST", "/api/v1/specs", encode_spec(POOR)).json()
    again = analyst.send("PUT", f"/api/v1/specs/{NAME}/draft", encode_spec(POOR), If_Match="*").json()
    read = analyst.get(LINT, {"pageSize": 100}).json()

    assert {item["severity"] for item in asked["items"]} == {"error", "warning", "info"}
    assert read == asked
    for saved in (created, again):
        worst_first = sorted(asked["items"], key=lambda item: ("error", "warning", "info").index(item["severity"]))
        numbers = {key: asked[key] for key in ("errors", "warnings", "infos")}
        assert saved["lint"] == {**numbers, "findings": worst_first}
    assert created["name"] == NAME


def test_a_finding_names_its_event_and_what_to_do(analyst: Caller) -> None:
    make_draft(POOR)

    items = analyst.get(LINT, {"rule": "secret_collected"}).json()["items"]

    assert items == [
        {
            "rule": "secret_collected",
            "severity": "error",
            "path": "events[0].properties.password",
            "event": "sigil.telemetry.signed_in@1",
            "message": items[0]["message"],
            "hint": RULES["secret_collected"].hint,
        }
    ]
    assert analyst.get(LINT, {"rule": "spec_description_missing"}).json()["items"][0]["event"] is None


def test_the_document_is_judged_beside_what_its_name_has_published(analyst: Caller) -> None:
    event = make_event("sigil.telemetry.gone")
    make_published(make_spec(event, make_event("sigil.telemetry.kept")))
    shorter = encode_spec(make_spec(make_event("sigil.telemetry.kept"), version=2))

    answer = analyst.send("POST", "/api/v1/lint?rule=removed_without_deprecation", shorter).json()

    assert [item["path"] for item in answer["items"]] == [""]


# Parts of it


def test_findings_come_in_pages_and_by_severity(analyst: Caller) -> None:
    make_draft(POOR)

    everything = analyst.get(LINT, {"pageSize": 100}).json()
    errors = analyst.get(LINT, {"severity": "error"}).json()
    second = analyst.get(LINT, {"page": 2, "pageSize": 1}).json()

    assert everything["total"] == everything["errors"] + everything["warnings"] + everything["infos"]
    assert (errors["total"], errors["warnings"]) == (everything["errors"], everything["warnings"])
    assert {item["severity"] for item in errors["items"]} == {"error"}
    assert second["items"] == everything["items"][1:2]
    assert analyst.get(LINT, {"page": 99}).json()["items"] == []


def test_of_many_findings_a_saved_document_names_the_worst_hundred(analyst: Caller) -> None:
    events = [bare_event(f"sigil.telemetry.happened_{number}") for number in range(120)]
    events.append(make_event("sigil.telemetry.signed_in", properties={"password": make_property()}))

    saved = analyst.send("POST", "/api/v1/specs", encode_spec(make_spec(*events))).json()["lint"]

    assert len(saved["findings"]) == 100
    assert saved["findings"][0]["severity"] == "error"
    assert saved["errors"] + saved["warnings"] + saved["infos"] == len(expected(make_spec(*events))) > 100


def bare_event(name: str) -> EventDefinition:
    return EventDefinition(name=name, version=1, semantics=Semantics(what="It happened"), privacy=PrivacyLevel.INTERNAL)


def test_the_rules_are_listed_with_what_they_ask_for(analyst: Caller) -> None:
    items = analyst.get("/api/v1/lint-rules").json()["items"]

    assert [item["name"] for item in items] == list(RULES)
    assert {item["name"] for item in items if item["isOptional"]} == set(OPTIONAL_RULES)
    assert items[0]["hint"] == RULES[items[0]["name"]].hint


# What is refused


def test_a_document_that_breaks_the_format_is_refused_with_its_places(analyst: Caller) -> None:
    broken = msgspec.to_builtins(POOR)
    broken["events"][0]["sampling"]["rate"] = 7.5

    answer = analyst.post("/api/v1/lint", broken)

    assert (answer.status_code, code_of(answer)) == (400, "invalid_document")
    assert [error["path"] for error in answer.json()["errors"]] == ["events[0].sampling.rate"]


def test_a_draft_that_a_later_studio_refuses_says_why(analyst: Caller) -> None:
    make_draft(POOR)
    EventRecord.objects.update(sampling_conditions=["properties.nothing > 1"])

    answer = analyst.get(LINT)

    assert (answer.status_code, code_of(answer)) == (400, "invalid_document")
    assert [error["path"] for error in answer.json()["errors"]] == ["events[0].sampling.conditions[0]"]


@pytest.mark.parametrize("query", [{"severity": "fatal"}, {"rule": "x" * 65}, {"event": "a"}])
def test_another_query_is_refused(analyst: Caller, query: dict[str, str]) -> None:
    assert code_of(analyst.get(LINT, query)) == "invalid_query"


def test_an_unknown_spec_has_no_findings(analyst: Caller) -> None:
    assert code_of(analyst.get("/api/v1/specs/nothing.here/lint")) == "unknown_spec"


@pytest.mark.parametrize(
    ("role", "status"),
    [(None, 403), (Role.VIEWER, 200), (Role.ANALYST, 200), (Role.PUBLISHER, 200), (Role.ADMIN, 200)],
)
def test_who_sees_the_workspace_may_lint(role: Role | None, status: int) -> None:
    make_draft(POOR)
    caller = caller_with_role(role)

    assert caller.get(LINT).status_code == status
    assert caller.send("POST", "/api/v1/lint", encode_spec(POOR)).status_code == status
    assert caller.get("/api/v1/lint-rules").status_code == status


def test_linting_costs_four_queries_however_many_events(analyst: Caller) -> None:
    make_draft(make_spec(bare_event("sigil.telemetry.a")))
    make_draft(make_spec(*(bare_event(f"other.happened_{number}") for number in range(30)), name="other"))

    assert cost_of(analyst, LINT) == cost_of(analyst, "/api/v1/specs/other/lint") == 4
