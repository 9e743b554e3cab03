"""What changed between two states of a spec, over HTTP."""

import msgspec
import pytest

from telemetry.core.diff import RULES
from telemetry.core.spec import EventDefinition
from telemetry.models import SpecRecord
from telemetry.services.publishing import archive_version, publish_version
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.core.builders import make_event, make_property, make_spec
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, make_draft, make_installation, make_published
from tests.tenants.factories import make_key, make_tenant

pytestmark = pytest.mark.django_db

NAME = "sigil.telemetry"
DIFF = f"/api/v1/specs/{NAME}/diff"
STEP = make_event(properties={"step": make_property(required=True)})


def save(event: EventDefinition) -> None:
    """The event is in the draft as it is here."""
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=NAME, event=event)


def publish() -> None:
    """The draft is published as it is now."""
    with tenant_context(ALL):
        revision = SpecRecord.objects.get().draft_revision
        publish_version(actor=SYSTEM, name=NAME, expected_revision=revision, change_summary="A good reason")


@pytest.fixture
def viewer() -> Caller:
    return caller_with_role(Role.VIEWER)


@pytest.fixture
def changed() -> None:
    """Version 1 has a step; version 2 adds an optional number; in the draft the step is a number, and tagged."""
    make_published(make_spec(STEP))
    more = msgspec.structs.replace(STEP, properties={**STEP.properties, "durationMs": make_property("number")})
    save(more)
    publish()
    properties = {**more.properties, "step": make_property("number", required=True)}
    save(msgspec.structs.replace(more, properties=properties, tags=("beta",)))


def rules_of(answer: dict[str, list[dict[str, str]]]) -> list[str]:
    return [item["rule"] for item in answer["items"]]


# What is compared


def test_the_published_version_is_compared_with_the_draft(viewer: Caller, changed: None) -> None:
    before = everything_stored()

    answer = viewer.get(DIFF)

    assert answer.status_code == 200
    shown = answer.json()
    assert (shown["from"], shown["to"]) == (2, "draft")
    assert (shown["worst"], shown["breaking"], shown["risky"], shown["safe"]) == ("breaking", 1, 0, 1)
    assert (shown["page"], shown["pageSize"], shown["total"]) == (1, 25, 2)
    assert shown["items"][0] == {
        "path": 'events["step@1"].properties.step.type',
        "rule": "type_changed",
        "severity": "breaking",
        "reason": RULES["type_changed"].reason,
        "message": "string became number",
        "event": "step@1",
        "before": "string",
        "after": "number",
    }
    assert rules_of(shown) == ["type_changed", "labels_changed"]
    assert everything_stored()["telemetry.SpecRecord"] == before["telemetry.SpecRecord"]


def test_any_two_versions_are_compared(viewer: Caller, changed: None) -> None:
    forth = viewer.get(DIFF, {"from": 1, "to": 2}).json()
    back = viewer.get(DIFF, {"from": 2, "to": 1}).json()

    assert (forth["from"], forth["to"], rules_of(forth)) == (1, 2, ["optional_property_added"])
    assert (forth["items"][0]["before"], forth["items"][0]["after"]) == (None, {"type": "number"})
    assert (back["from"], back["to"], rules_of(back)) == (2, 1, ["optional_property_removed"])


def test_one_version_may_be_compared_with_the_draft(viewer: Caller, changed: None) -> None:
    answer = viewer.get(DIFF, {"from": 1, "to": "draft"}).json()

    assert rules_of(answer) == ["type_changed", "optional_property_added", "labels_changed"]


def test_a_version_does_not_differ_from_itself(viewer: Caller, changed: None) -> None:
    answer = viewer.get(DIFF, {"from": 1, "to": 1}).json()

    assert (answer["total"], answer["items"], answer["worst"]) == (0, [], None)


def test_changes_of_one_class_can_be_asked_for(viewer: Caller, changed: None) -> None:
    answer = viewer.get(DIFF, {"severity": "safe"}).json()

    # The numbers are those of all changes.
    assert (rules_of(answer), answer["total"], answer["breaking"]) == (["labels_changed"], 1, 1)


def test_changes_come_in_pages(viewer: Caller, changed: None) -> None:
    answer = viewer.get(DIFF, {"page": 2, "pageSize": 1}).json()

    assert (rules_of(answer), answer["page"], answer["total"]) == (["labels_changed"], 2, 2)
    assert viewer.get(DIFF, {"page": 9}).json()["items"] == []


def test_an_archived_version_can_be_compared_when_it_is_named(viewer: Caller) -> None:
    make_published(make_spec(STEP))
    with tenant_context(ALL):
        archive_version(actor=SYSTEM, name=NAME, version=1)

    assert viewer.get(DIFF, {"from": 1}).status_code == 200
    refused = viewer.get(DIFF)
    assert (refused.status_code, code_of(refused)) == (404, "unknown_spec")


def test_it_costs_three_queries_with_the_draft_and_without_however_many_events(viewer: Caller) -> None:
    make_published(make_spec(*(make_event(f"event_{number}") for number in range(30))))

    assert cost_of(viewer, DIFF) == 3
    assert cost_of(viewer, f"{DIFF}?from=1&to=1") == 3


# Who may


def test_the_draft_is_for_the_workspace_and_versions_for_everybody_with_a_role(changed: None) -> None:
    local = caller_with_role(Role.VIEWER, make_tenant())

    assert local.get(DIFF, {"from": 1, "to": 2}).status_code == 200
    for query in ({}, {"from": 1}, {"to": "draft"}):
        answer = local.get(DIFF, query)
        assert (answer.status_code, code_of(answer)) == (403, "not_allowed")


def test_nobody_else_sees_it(changed: None) -> None:
    app = Caller(key=make_key(make_installation()).text)

    for query in ({}, {"from": 1, "to": 2}):
        assert Caller().get(DIFF, query).status_code == 401
        assert caller_with_role(None).get(DIFF, query).status_code == 403
        assert app.get(DIFF, query).status_code == 403


# What is refused


def test_what_was_never_published_has_nothing_to_compare_with(viewer: Caller) -> None:
    make_draft()

    answer = viewer.get(DIFF)

    assert (answer.status_code, code_of(answer)) == (404, "unknown_spec")
    assert answer.json()["detail"] == "the spec sigil.telemetry has no published version to compare with"


@pytest.mark.parametrize("query", [{"from": 3}, {"to": 3}, {"from": 1, "to": 999999999}])
def test_an_unknown_version_is_not_found(viewer: Caller, changed: None, query: dict[str, int]) -> None:
    answer = viewer.get(DIFF, query)

    assert (answer.status_code, code_of(answer)) == (404, "unknown_spec")


def test_an_unknown_spec_is_not_found(viewer: Caller) -> None:
    answer = viewer.get("/api/v1/specs/nothing/diff")

    assert (answer.status_code, code_of(answer)) == (404, "unknown_spec")


@pytest.mark.parametrize(
    ("query", "path", "code"),
    [
        ("from=draft", "from", "wrong_type"),
        ("from=0", "from", "out_of_range"),
        ("from=-1", "from", "out_of_range"),
        ("from=1.0", "from", "wrong_type"),
        ("from=", "from", "wrong_type"),
        ("from=2147483648", "from", "out_of_range"),
        ("from=1&from=2", "from", "repeated_parameter"),
        ("to=0", "to", "bad_format"),
        ("to=-1", "to", "bad_format"),
        ("to=published", "to", "bad_format"),
        ("to=Draft", "to", "bad_format"),
        ("to=draft%0A", "to", "bad_format"),
        ("to=%D9%A1", "to", "bad_format"),
        ("to=9999999999", "to", "bad_format"),
        ("to=", "to", "bad_format"),
        ("to=%00", "to", "bad_character"),
        ("severity=terrible", "severity", "unknown_word"),
        ("before=1", "before", "unknown_parameter"),
        ("pageSize=101", "pageSize", "out_of_range"),
    ],
)
def test_a_query_that_breaks_a_rule_is_refused_by_name(
    viewer: Caller, changed: None, query: str, path: str, code: str
) -> None:
    answer = viewer.get(f"{DIFF}?{query}")

    assert answer.status_code == 400
    assert [(error["path"], error["code"]) for error in answer.json()["errors"]] == [(path, code)]


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_it_can_only_be_read(viewer: Caller, changed: None, method: str) -> None:
    assert viewer.send(method, DIFF).status_code == 405
