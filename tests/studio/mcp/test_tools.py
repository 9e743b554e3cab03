"""What the tools answer, to whom, and how much."""

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator

from studio.mcp.catalogue import TOOLS
from studio.mcp.tool import MOST_BYTES, describe_tool
from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer, TenantOverride
from telemetry.core.enums import PrivacyLevel
from telemetry.models import SpecRecord
from telemetry.services.specs import save_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role, Scope
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.studio.api.calls import Caller, caller_with_role, queries_of
from tests.studio.mcp.asking import ask, call, failure
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_published
from tests.tenants import factories as tenants
from tests.tenants.factories import make_key, make_published_config

pytestmark = pytest.mark.django_db

STEP = "sigil.telemetry.workflow_step"
PERSON = {"workflow": "onboarding", "step": "verify", "userId": "alice@example.com"}


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_installation("acme")


@pytest.fixture
def viewer(installation: Installation) -> Caller:
    return caller_with_role(Role.VIEWER, installation.tenant)


def place_of(installation: Installation) -> str:
    return f"{installation.tenant.slug}/{installation.app.slug}/{installation.environment}"


def test_events_are_found_by_words_and_filters(viewer: Caller) -> None:
    make_published(make_spec(make_event("cart.opened", tags=("shop",), privacy=PrivacyLevel.PII), name="shop.events"))

    assert [each["name"] for each in call(viewer, "search_events")["items"]] == ["cart.opened", STEP]
    assert [each["name"] for each in call(viewer, "search_events", query="workflow")["items"]] == [STEP]
    assert [each["name"] for each in call(viewer, "search_events", tag=["shop"])["items"]] == ["cart.opened"]
    assert [each["name"] for each in call(viewer, "search_events", privacy=["pii"])["items"]] == ["cart.opened"]
    second = call(viewer, "search_events", page=2, pageSize=1)
    assert (second["total"], [each["name"] for each in second["items"]]) == (2, [STEP])


def test_how_much_came_is_that_of_the_callers_tenants(viewer: Caller, installation: Installation) -> None:
    ingest(installation, make_incoming())
    ingest(make_installation("other"), make_incoming(), make_incoming())

    [found] = call(viewer, "search_events")["items"]

    assert found["volume7Days"] == 1


def test_an_event_is_told_as_its_spec_defines_it(viewer: Caller) -> None:
    found = call(viewer, "get_event", name=STEP)

    assert (found["spec"], found["specVersion"], found["state"], found["versions"]) == (
        "sigil.telemetry",
        1,
        "published",
        [1],
    )
    assert found["event"]["semantics"]["what"] == "Workflow step executed"
    assert found["event"]["properties"]["userId"] == {"type": "string", "pii": True, "redact": True}
    assert call(viewer, "get_event", name=STEP, properties=["step"])["otherProperties"] == 3


def test_drafts_are_for_who_may_see_drafts(viewer: Caller) -> None:
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=make_event("not.yet"))
        save_event(actor=SYSTEM, spec_name="sigil.telemetry", event=make_event("not.yet", 2))
    editor = caller_with_role(Role.ANALYST)

    found = call(editor, "get_event", name="not.yet", state="draft")

    assert (found["state"], found["event"]["version"], found["versions"]) == ("draft", 2, [1, 2])
    assert call(editor, "get_event", name="not.yet", state="draft", version=1)["event"]["version"] == 1
    assert failure(editor, "get_event", name="not.yet").startswith("unknown_event")
    assert failure(editor, "get_event", name="not.yet", state="draft", version=3).startswith("unknown_event")
    assert failure(viewer, "get_event", name="not.yet", state="draft").startswith("not_allowed")


def test_an_event_with_many_properties_comes_in_parts(viewer: Caller) -> None:
    many = {f"p{number:03}": make_property() for number in range(150)}
    make_published(make_spec(make_event("wide", properties=many), name="wide.events"))

    found = call(viewer, "get_event", name="wide")

    assert (len(found["event"]["properties"]), found["otherProperties"]) == (100, 50)
    assert list(call(viewer, "get_event", name="wide", properties=["p149"])["event"]["properties"]) == ["p149"]


def test_an_answer_that_is_too_large_says_so_instead(viewer: Caller) -> None:
    wordy = {f"p{number:03}": make_property(description="x" * 1_900) for number in range(100)}
    make_published(make_spec(make_event("wordy", properties=wordy), name="wordy.events"))

    said = failure(viewer, "get_event", name="wordy")

    assert said.startswith("too_large")
    assert len(said) < 200 < MOST_BYTES
    assert len(call(viewer, "get_event", name="wordy", properties=["p001"])["event"]["properties"]) == 1


def test_an_installation_is_named_by_its_id_or_by_its_place(viewer: Caller, installation: Installation) -> None:
    [listed] = call(viewer, "list_installations")["items"]

    by_id = call(viewer, "get_effective_config", installation=listed["id"])
    by_place = call(viewer, "get_effective_config", installation=place_of(installation))

    assert by_id == by_place
    assert [(each["name"], each["enabled"], each["retentionDays"]) for each in by_id["events"]] == [(STEP, True, 30)]
    assert failure(viewer, "get_effective_config", installation="nonsense").startswith("invalid_document")
    assert failure(viewer, "get_effective_config", installation="a/b/c").startswith("invalid_document")
    assert failure(viewer, "get_effective_config", installation="a/b/production").startswith("not_found")


def test_what_holds_for_one_event_can_be_explained(viewer: Caller, installation: Installation) -> None:
    make_published_config(installation, TenantOverride(events={STEP: EventOverride(sampling_rate=0.5)}))
    asked = {"installation": place_of(installation), "event": STEP}

    plain = call(viewer, "get_effective_config", **asked)
    told = call(viewer, "get_effective_config", **asked, explain=True)

    assert plain["details"] == told["details"]
    assert (plain["events"], plain["details"][0]["sampling"]["rate"], plain["provenance"]) == ([], 0.5, None)
    assert told["provenance"][f"events[{STEP}@1].sampling.rate"]["layer"] == "tenant"
    assert failure(viewer, "get_effective_config", **{**asked, "event": "unknown"}).startswith("unknown_event")


def test_a_config_without_a_published_spec_is_a_clear_error(viewer: Caller, installation: Installation) -> None:
    with tenant_context(ALL):
        SpecRecord.objects.get(name="sigil.telemetry").versions.update(status="archived")

    said = failure(viewer, "get_effective_config", installation=place_of(installation), at="2020-01-01T00:00:00Z")

    assert said.startswith("conflict")


def test_violations_are_told_without_values(viewer: Caller, installation: Installation) -> None:
    ingest(
        installation, make_incoming(properties={**PERSON, "stray": "alice@example.com"}), make_incoming(name="made_up")
    )

    listed = call(viewer, "list_violations", installation=place_of(installation))
    [stray] = call(viewer, "list_violations", code="undeclared_property")["items"]
    detail = call(viewer, "get_violation", id=stray["id"])

    assert listed["total"] == 2
    assert (stray["event"], stray["path"], stray["count"]) == (STEP, "properties.stray", 1)
    assert {"place": "properties", "name": "stray", "type": "string", "size": 17, "isDeclared": False} in detail[
        "outline"
    ]
    assert "alice" not in json.dumps([listed, detail])
    assert call(viewer, "list_violations", event="another")["items"] == []
    assert call(viewer, "list_violations", state=["muted"])["items"] == []


def test_a_sample_is_judged_and_shown_as_it_would_be_stored(viewer: Caller, installation: Installation) -> None:
    place = place_of(installation)

    valid = call(viewer, "validate_sample", installation=place, name=STEP, properties={**PERSON, "stray": 1})
    wrong = call(viewer, "validate_sample", installation=place, name=STEP, properties={"workflow": 7})
    unknown = call(viewer, "validate_sample", installation=place, name="made_up")

    assert (valid["verdict"], valid["version"], valid["enabled"], valid["samplingRate"]) == ("valid", 1, True, 1.0)
    assert valid["stored"]["properties"] == {"workflow": "onboarding", "step": "verify", "userId": "REDACTED"}
    assert valid["hidden"] == ["properties.stray", "properties.userId"]
    assert "alice" not in json.dumps(valid)
    assert [(each["code"], each["path"]) for each in wrong["problems"]] == [
        ("wrong_type", "properties.workflow"),
        ("missing_required", "properties.step"),
    ]
    assert (wrong["verdict"], wrong["stored"]) == ("rejected", None)
    assert (unknown["verdict"], unknown["version"], unknown["problems"][0]["code"]) == (
        "rejected",
        None,
        "unknown_event",
    )


def test_a_sample_of_what_is_switched_off_or_sampled_is_judged_all_the_same(
    viewer: Caller, installation: Installation
) -> None:
    off = EventOverride(enabled=False, sampling_rate=0.0)
    make_published_config(installation, TenantOverride(events={STEP: off}))

    found = call(viewer, "validate_sample", installation=place_of(installation), name=STEP, properties=PERSON)

    assert (found["verdict"], found["enabled"], found["samplingRate"]) == ("valid", False, 0.0)
    assert found["stored"]["properties"]["step"] == "verify"


def test_a_pseudonym_is_never_made_of_a_sample() -> None:
    hashed = {"mail": make_property(pii=True, redaction=make_redaction("hash"))}
    make_published(make_spec(make_event("hashed", properties=hashed), name="hashed.events"))
    installation = make_installation("hashing", blueprint=AppBlueprint(spec=SpecPointer(name="hashed.events")))
    caller = caller_with_role(Role.VIEWER, installation.tenant)

    found = call(
        caller,
        "validate_sample",
        installation=place_of(installation),
        name="hashed",
        properties={"mail": "a@b.example"},
    )

    assert found["stored"]["properties"] == {"mail": "REDACTED"}


def test_answers_are_what_the_schemas_promise(viewer: Caller, installation: Installation) -> None:
    ingest(installation, make_incoming(properties={}))
    [violation] = call(viewer, "list_violations", search="workflow", pageSize=1)["items"]
    place = place_of(installation)
    asked: dict[str, dict[str, Any]] = {
        "search_events": {},
        "get_event": {"name": STEP},
        "list_installations": {},
        "get_effective_config": {"installation": place, "event": STEP, "explain": True},
        "list_violations": {},
        "get_violation": {"id": violation["id"]},
        "validate_sample": {"installation": place, "name": STEP, "properties": PERSON},
    }

    assert set(asked) == set(TOOLS)
    for name, arguments in asked.items():
        described = describe_tool(TOOLS[name])
        Draft202012Validator(described["inputSchema"]).validate(arguments)
        Draft202012Validator(described["outputSchema"]).validate(call(viewer, name, **arguments))


def test_anothers_things_do_not_exist(viewer: Caller) -> None:
    theirs = make_installation("other")
    ingest(theirs, make_incoming(properties={}))
    [violation] = call(caller_with_role(Role.VIEWER), "list_violations", search="workflow", pageSize=1)["items"]

    assert [each["tenant"] for each in call(viewer, "list_installations")["items"]] == ["acme"]
    assert call(viewer, "list_violations")["total"] == 0
    assert failure(viewer, "get_violation", id=violation["id"]).startswith("not_found")
    for place in (place_of(theirs), str(theirs.public_id)):
        assert failure(viewer, "get_effective_config", installation=place).startswith("not_found")
        assert failure(viewer, "list_violations", installation=place).startswith("not_found")
        assert failure(viewer, "validate_sample", installation=place, name=STEP).startswith("not_found")


def test_the_key_of_an_app_opens_its_own_installation_and_nothing_else(installation: Installation) -> None:
    sibling = tenants.make_installation(installation.tenant)
    app = Caller(key=make_key(installation, Scope.CONFIG_READ).text)
    sender = Caller(key=make_key(installation, Scope.INGEST).text)

    assert call(app, "get_effective_config", installation=str(installation.public_id))["total"] == 1
    assert call(app, "validate_sample", installation=place_of(installation), name=STEP)["verdict"] == "rejected"
    assert failure(app, "get_effective_config", installation=str(sibling.public_id)).startswith("not_found")
    for tool in ("search_events", "list_installations", "list_violations"):
        assert failure(app, tool).startswith("not_allowed")
    assert failure(app, "get_event", name=STEP).startswith("not_allowed")
    assert failure(sender, "get_effective_config", installation=str(installation.public_id)).startswith("not_allowed")


@pytest.mark.parametrize("tool", ["search_events", "list_installations", "list_violations"])
def test_a_list_takes_as_many_queries_for_many_rows_as_for_one(
    viewer: Caller, installation: Installation, tool: str
) -> None:
    ingest(installation, make_incoming(properties={}))
    body = {"name": tool, "arguments": {}}
    ask(viewer, "tools/call", body)
    few = queries_of(lambda: ask(viewer, "tools/call", body))
    make_published(make_spec(*[make_event(f"event_{number}") for number in range(20)], name="many.events"))
    ingest(installation, *[make_incoming(properties={f"stray{number}": 1}) for number in range(20)])

    assert len(queries_of(lambda: ask(viewer, "tools/call", body))) <= len(few)
