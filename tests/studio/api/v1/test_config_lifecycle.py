"""Previews, plans, comparisons, bulk edits, undo and promotion of overrides over HTTP."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from telemetry.core.config import AppBlueprint, EventOverride, SpecPointer, TenantOverride
from telemetry.core.enums import Environment
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.permissions import abilities_of
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of
from tests.telemetry.factories import everything_stored, make_published
from tests.telemetry.factories import make_installation as make_bound
from tests.tenants.clock import pass_time
from tests.tenants.factories import make_draft_config, make_installation, make_published_config, make_tenant

pytestmark = pytest.mark.django_db

HOUR = timedelta(hours=1)
STEP = "sigil.telemetry.workflow_step"
HALF = TenantOverride(events={STEP: EventOverride(sampling_rate=0.5)})


@pytest.fixture
def installation() -> Installation:
    make_published()
    return make_bound("acme")


@pytest.fixture
def config(installation: Installation) -> str:
    return f"/api/v1/installations/{installation.public_id}/config"


@pytest.fixture
def publisher(installation: Installation) -> Caller:
    return caller_with_role(Role.PUBLISHER, installation.tenant)


def planned(installation: Installation, **fields: Any) -> dict[str, Any]:
    """The body that plans the installation's draft for an hour from now."""
    draft = make_draft_config(installation, HALF)
    return {
        "number": draft.number,
        "expectedChecksum": draft.checksum,
        "expectedPublishedNumber": None,
        "changeSummary": "For a while",
        "startsAt": (timezone.now() + HOUR).isoformat(),
        "endsAt": (timezone.now() + 2 * HOUR).isoformat(),
        **fields,
    }


def test_a_version_is_planned_seen_and_cancelled(installation: Installation, publisher: Caller, config: str) -> None:
    answer = publisher.post(f"{config}/schedule", planned(installation))

    assert answer.status_code == 201
    period = answer.json()
    assert publisher.get(f"{config}/schedule").json()["items"] == [period]
    ended = publisher.post(f"{config}/schedule/{period['id']}/end")
    assert (ended.status_code, ended.json()["endsAt"]) == (200, ended.json()["startsAt"])
    assert publisher.get(f"{config}/schedule").json()["items"] == []
    assert publisher.post(f"{config}/schedule/{period['id']}/end").status_code == 409


def test_a_planned_version_is_in_the_list_as_what_it_is_at_that_instant(
    installation: Installation, publisher: Caller, config: str
) -> None:
    publisher.post(f"{config}/schedule", planned(installation))
    states = []
    for _ in range(3):
        (item,) = publisher.get(f"{config}/versions").json()["items"]
        states.append(item["status"])
        pass_time(HOUR)

    assert states == ["preview", "published", "superseded"]


@pytest.mark.parametrize(
    ("fields", "path"),
    [
        ({"startsAt": "2001-01-01T00:00:00Z"}, "starts_at"),
        ({"endsAt": "2001-01-01T00:00:00Z"}, "ends_at"),
        ({"startsAt": "tomorrow"}, "startsAt"),
        ({"startsAt": "2030-01-01T00:00:00"}, "startsAt"),
        ({"changeSummary": ""}, "changeSummary"),
    ],
)
def test_a_plan_that_makes_no_sense_is_refused_by_name(
    installation: Installation, publisher: Caller, config: str, fields: dict[str, Any], path: str
) -> None:
    body = planned(installation, **fields)
    before = everything_stored()

    answer = publisher.post(f"{config}/schedule", body)

    assert (answer.status_code, answer.json()["errors"][0]["path"]) == (400, path)
    assert everything_stored() == before


def test_a_version_is_published_for_a_while(installation: Installation, publisher: Caller, config: str) -> None:
    body = planned(installation)
    del body["startsAt"]

    assert publisher.post(f"{config}/publish", body).status_code == 200
    assert publisher.get(config).json()["published"]["number"] == 1
    pass_time(3 * HOUR)
    assert publisher.get(config).json()["published"] is None


def test_a_draft_becomes_a_preview(installation: Installation, publisher: Caller, config: str) -> None:
    draft = make_draft_config(installation, HALF)
    body = {"number": draft.number, "expectedChecksum": draft.checksum}

    assert publisher.post(f"{config}/preview", body).json()["status"] == "preview"
    assert publisher.post(f"{config}/preview", body).status_code == 409
    shown = publisher.get(f"/api/v1/installations/{installation.public_id}/effective-config", {"preview": 1})
    assert shown.json()["events"][0]["sampling"]["rate"] == 0.5
    assert shown["Cache-Control"] == "no-store"


def test_versions_are_read_and_compared(installation: Installation, publisher: Caller, config: str) -> None:
    make_published_config(installation, HALF)
    make_published_config(installation, TenantOverride(events={STEP: EventOverride(enabled=False)}))

    changes = publisher.get(f"{config}/diff", {"from": 1, "to": 2}).json()["changes"]

    assert publisher.get(f"{config}/versions/1").json()["override"] == {"events": {STEP: {"samplingRate": 0.5}}}
    assert [(change["rule"], change["before"], change["after"]) for change in changes] == [
        ("collection_stopped", True, False),
        ("sampling_raised", 0.5, 1),
    ]
    assert [change["askedBefore"] for change in changes] == [None, 0.5]
    assert len(publisher.get(f"{config}/diff", {"to": 2}).json()["changes"]) == 1
    assert publisher.get(f"{config}/diff", {"from": 9}).status_code == 404


def test_many_events_are_changed_at_once_and_that_is_undone(publisher: Caller, config: str) -> None:
    changed = publisher.post(f"{config}/bulk", {"filter": {"privacy": "internal"}, "change": {"samplingRate": 0.5}})

    assert (changed.status_code, changed.json()["changed"], changed.json()["leftOut"]) == (200, 1, [])
    assert publisher.post(f"{config}/undo").status_code == 428
    assert publisher.post(f"{config}/undo", If_Match='"other"').status_code == 412
    undone = publisher.post(f"{config}/undo", If_Match=changed["ETag"])
    assert (undone.json()["undone"], undone.json()["draft"]["override"]) == ("Changed 1 event at once", {})
    assert publisher.post(f"{config}/undo", If_Match=undone["ETag"]).status_code == 409


def test_what_may_not_be_changed_at_once_is_told(publisher: Caller, config: str) -> None:
    answer = publisher.post(f"{config}/bulk", {"change": {"samplingRate": 0.5, "retentionDays": 400}})

    assert [(error["code"], error["path"]) for error in answer.json()["leftOut"]] == [
        ("loosens", f'events["{STEP}"].retentionDays')
    ]
    wrong = publisher.post(f"{config}/bulk", {"change": {"samplingRate": 7.5}}, If_Match=answer["ETag"])
    assert (wrong.status_code, wrong.json()["errors"][0]["path"]) == (400, "change.samplingRate")


def test_what_staging_has_is_promoted_after_a_look(installation: Installation, publisher: Caller, config: str) -> None:
    staging = make_installation(installation.tenant, installation.app, Environment.STAGING)
    pinned = TenantOverride(spec=SpecPointer(name="sigil.telemetry", version=7), events=HALF.events)
    make_published_config(staging, pinned)

    plan = publisher.get(f"{config}/promote", {"from": str(staging.public_id)}).json()
    taken = publisher.post(f"{config}/promote", {"from": str(staging.public_id)})

    assert (plan["number"], plan["override"]) == (1, {"events": {STEP: {"samplingRate": 0.5}}})
    assert [error["path"] for error in plan["leftOut"]] == ["spec.version"]
    assert [change["rule"] for change in plan["changes"]] == ["sampling_lowered"]
    assert (taken.status_code, taken.json()["draft"]["override"]) == (200, plan["override"])
    assert publisher.post(f"{config}/promote", {"from": str(staging.public_id)}).status_code == 428
    assert code_of(publisher.get(f"{config}/promote", {"from": str(installation.public_id)})) == "conflict"


def test_another_tenant_s_override_can_not_be_promoted(publisher: Caller, config: str) -> None:
    other = make_bound("globex", override=HALF)

    assert publisher.get(f"{config}/promote", {"from": str(other.public_id)}).status_code == 404
    assert publisher.post(f"{config}/promote", {"from": str(other.public_id)}).status_code == 404


WRITES = [
    ("schedule", "config.publish"),
    ("preview", "config.edit"),
    ("bulk", "config.edit"),
    ("undo", "config.edit"),
    ("promote", "config.edit"),
]


@pytest.mark.parametrize(
    ("deed", "role"), [(deed, role) for deed, ability in WRITES for role in Role if ability not in abilities_of([role])]
)
def test_who_may_not_changes_nothing(installation: Installation, config: str, deed: str, role: Role) -> None:
    make_draft_config(installation, HALF)
    caller = caller_with_role(role, installation.tenant)
    before = {**everything_stored(), "tenants.AuditEntry": None}

    answer = caller.post(f"{config}/{deed}", {})

    assert answer.status_code == 403
    after = {**everything_stored(), "tenants.AuditEntry": None}
    assert {**after, "tenants.ApiKey": None} == {**before, "tenants.ApiKey": None}


@pytest.mark.parametrize("deed", ["schedule", "diff", "promote", "versions/1"])
def test_people_of_another_tenant_see_and_change_nothing(installation: Installation, config: str, deed: str) -> None:
    make_published_config(installation, HALF)
    stranger = caller_with_role(Role.ADMIN, make_tenant())

    assert stranger.get(f"{config}/{deed}").status_code in (400, 404)
    for write, _ in WRITES:
        assert stranger.post(f"{config}/{write}", {}).status_code == 404
    with tenant_context(ALL):
        assert Installation.objects.get(pk=installation.pk).configs.count() == 1


def test_the_state_is_explained_when_that_is_asked(installation: Installation, publisher: Caller, config: str) -> None:
    make_published_config(installation, HALF)

    plain, explained = publisher.get(config).json(), publisher.get(config, {"explain": 1}).json()

    rate = explained["explanation"][f"events[{STEP}@1].sampling.rate"]
    assert plain["explanation"] is None
    assert (rate["layer"], rate["version"], rate["without"]) == ("tenant", 1, 1)
    unbound = make_bound("globex", blueprint=AppBlueprint())
    caller = caller_with_role(Role.VIEWER, unbound.tenant)
    answer = caller.get(f"/api/v1/installations/{unbound.public_id}/config", {"explain": 1})
    assert (answer.status_code, answer.json()["explanation"]) == (200, None)
