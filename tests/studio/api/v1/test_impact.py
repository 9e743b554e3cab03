"""What publishing a draft would do, over HTTP."""

import pytest

from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer, TenantOverride
from telemetry.services.specs import delete_event
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Role
from tests.core.builders import make_event, make_spec
from tests.studio.api.calls import Caller, caller_with_role, code_of, cost_of
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.tenants.factories import make_app, make_key, make_published_config, make_tenant
from tests.tenants.factories import make_installation as make_bare_installation

pytestmark = pytest.mark.django_db

IMPACT = "/api/v1/specs/sigil.telemetry/impact"


@pytest.fixture
def acme() -> Installation:
    """The draft has lost the event ``step``, which Acme's override samples."""
    make_published(make_spec(make_event("step"), make_event("other")))
    override = TenantOverride(events={"step": EventOverride(sampling_rate=0.5)})
    installation = make_installation("acme", override=override)
    with tenant_context(ALL):
        delete_event(actor=SYSTEM, spec_name="sigil.telemetry", event_name="step", event_version=1)
    return installation


def test_the_impact_names_installations_and_what_happens_to_them(acme: Installation) -> None:
    before = everything_stored()

    answer = caller_with_role(Role.VIEWER).get(IMPACT)

    assert answer.status_code == 200
    shown = answer.json()
    assert shown["summary"] == {
        "installations": 1,
        "pinned": 0,
        "unbound": 0,
        "unaffected": 0,
        "affected": 1,
        "orphaned": 1,
        "contradictory": 0,
        "belowFloor": 0,
        "changed": 1,
        "unexamined": 0,
    }
    assert (shown["page"], shown["pageSize"], shown["total"], shown["distinct"]) == (1, 25, 1, 1)
    [item] = shown["items"]
    assert item == {
        "installation": str(acme.public_id),
        "tenant": "acme",
        "app": acme.app.slug,
        "environment": "production",
        "alike": 1,
        "impact": {
            "orphaned": [
                {
                    "code": "unknown_event",
                    "path": "tenant.events.step",
                    "message": "the spec sigil.telemetry has no such event",
                }
            ],
            "contradictory": [],
            "belowFloor": [],
            "events": [{"name": "step", "version": 1, "change": "removed", "values": []}],
            "config": [],
        },
    }
    assert everything_stored()["telemetry.SpecRecord"] == before["telemetry.SpecRecord"]


def test_the_list_is_cut_and_narrowed_down(acme: Installation) -> None:
    for _ in range(2):
        make_bare_installation(make_tenant(), acme.app)
    viewer = caller_with_role(Role.VIEWER)

    orphaned = viewer.get(IMPACT, {"kind": "orphaned"}).json()
    second = viewer.get(IMPACT, {"page": 2, "pageSize": 1}).json()

    assert ([item["tenant"] for item in orphaned["items"]], orphaned["total"]) == (["acme"], 1)
    assert (second["total"], second["distinct"], second["items"][0]["alike"]) == (3, 2, 2)


@pytest.mark.parametrize(
    ("query", "path"), [({"kind": "everything"}, "kind"), ({"pageSize": 101}, "pageSize"), ({"tenant": "a"}, "tenant")]
)
def test_a_bad_query_is_refused(acme: Installation, query: dict[str, str], path: str) -> None:
    answer = caller_with_role(Role.VIEWER).get(IMPACT, query)

    assert (answer.status_code, code_of(answer)) == (400, "invalid_query")
    assert [error["path"] for error in answer.json()["errors"]] == [path]


def test_only_members_of_the_workspace_may_ask(acme: Installation) -> None:
    members_of_a_tenant = caller_with_role(Role.ADMIN, acme.tenant)
    app = Caller(key=make_key(acme).text)

    assert [caller.get(IMPACT).status_code for caller in (members_of_a_tenant, app)] == [403, 403]


def test_an_unknown_spec_has_no_impact() -> None:
    assert caller_with_role(Role.VIEWER).get("/api/v1/specs/nothing/impact").status_code == 404


def test_more_installations_cost_no_more_queries() -> None:
    make_published(make_spec(make_event("step"), make_event("other")))
    app = make_app(blueprint=AppBlueprint(spec=SpecPointer(name="sigil.telemetry")))
    make_bare_installation(make_tenant(), app)
    with tenant_context(ALL):
        delete_event(actor=SYSTEM, spec_name="sigil.telemetry", event_name="step", event_version=1)
    viewer = caller_with_role(Role.VIEWER)
    before = cost_of(viewer, IMPACT)

    for number in range(1, 6):
        override = TenantOverride(events={"step": EventOverride(retention_days=number)})
        make_published_config(make_bare_installation(make_tenant(), app), override)

    assert before == cost_of(viewer, IMPACT) == 5
