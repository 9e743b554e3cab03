"""Proposals over HTTP."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from telemetry.models import Proposal, ReviewRecord
from tenants.context import ALL, tenant_context
from tenants.roles import Role
from tests.studio.api.calls import Caller, caller_with_role, code_of
from tests.telemetry.factories import (
    everything_stored,
    ingest,
    make_incoming,
    make_installation,
    make_proposal,
    make_published,
)
from tests.telemetry.services.proposals.test_deciding import own_proposal

pytestmark = pytest.mark.django_db

LIST = "/api/v1/proposals"


@pytest.fixture
def proposal() -> Proposal:
    make_published()
    return make_proposal()


@pytest.fixture
def analyst() -> Caller:
    return caller_with_role(Role.ANALYST)


def test_what_waits_is_listed_with_its_patch_and_promise(proposal: Proposal, analyst: Caller) -> None:
    page = analyst.get(LIST).json()

    assert page["total"] == 1
    [item] = page["items"]
    assert item["rule"] == "undeclared_property_steady"
    assert item["patch"][-1]["path"] == "/events/0/properties/attempt"
    assert item["promise"] == {
        "measure": "violation_share",
        "before": 0.5,
        "least": None,
        "most": 0.01,
        "sample": 20,
    }
    assert (item["installation"], item["state"], item["outcome"]) == (None, "pending", "")


@pytest.mark.parametrize(
    ("query", "total"),
    [
        ({"state": "rejected"}, 0),
        ({"state": "pending", "search": "attempt"}, 1),
        ({"rule": "volume_high"}, 0),
        ({"spec": "sigil.telemetry"}, 1),
        ({"installation": "7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b11"}, 0),
    ],
)
def test_the_list_is_narrowed_down(proposal: Proposal, analyst: Caller, query: dict[str, Any], total: int) -> None:
    assert analyst.get(LIST, query).json()["total"] == total


def test_one_comes_with_its_evidence(proposal: Proposal, analyst: Caller) -> None:
    found = analyst.get(f"{LIST}/{proposal.pk}").json()

    assert found["proposal"]["id"] == proposal.pk
    [evidence] = found["evidence"]
    assert (evidence["source"], evidence["times"], evidence["facts"]["type"]) == ("made:attempt", 1, "number")


def test_it_is_accepted_with_another_patch_into_review(proposal: Proposal, analyst: Caller) -> None:
    patch = [dict(each) for each in proposal.patch]
    patch[-1]["value"] = {"type": "string"}

    answer = analyst.post(f"{LIST}/{proposal.pk}/accept", {"patch": patch, "comment": "As text"})

    assert answer.status_code == 200
    assert (answer.json()["state"], answer.json()["isEdited"]) == ("accepted", True)
    with tenant_context(ALL):
        assert "As text" in ReviewRecord.objects.get().summary


def test_a_patch_that_does_not_fit_is_refused_with_its_place(proposal: Proposal, analyst: Caller) -> None:
    before = everything_stored()

    answer = analyst.post(
        f"{LIST}/{proposal.pk}/accept", {"patch": [{"op": "replace", "path": "/nothing", "value": 1}]}
    )

    assert answer.status_code == 400
    assert answer.json()["errors"][0]["path"] == "patch[0].path"
    after = everything_stored()
    assert after["telemetry.Proposal"] == before["telemetry.Proposal"]


def test_a_publisher_publishes_and_takes_back(proposal: Proposal) -> None:
    publisher = caller_with_role(Role.PUBLISHER)

    applied = publisher.post(f"{LIST}/{proposal.pk}/accept", {"publish": True}).json()
    taken = publisher.post(f"{LIST}/{proposal.pk}/take-back", {"reason": "No", "publish": True}).json()

    assert (applied["state"], applied["appliedVersion"], applied["outcome"]) == ("applied", 2, "waiting")
    assert taken["takenBackAt"] is not None


def test_what_it_would_have_done_is_told_by_installation(analyst: Caller) -> None:
    make_published()
    installation = make_installation()
    ingest(installation, *(make_incoming(properties={"workflow": "w", "step": "s", "attempt": 1}) for _ in range(10)))

    answer = analyst.get(f"{LIST}/{make_proposal().pk}/what-if")

    [item] = answer.json()["installations"]
    assert (item["tenant"], item["events"][0]["received"]) == ("acme", 10)


def test_what_a_change_that_does_not_fit_would_have_done_nobody_can_tell(proposal: Proposal, analyst: Caller) -> None:
    with tenant_context(ALL):
        Proposal.objects.update(patch=[{"op": "replace", "path": "/nothing", "value": 1}])

    answer = analyst.get(f"{LIST}/{proposal.pk}/what-if")

    assert (answer.status_code, code_of(answer)) == (409, "conflict")


def test_it_is_snoozed_rejected_and_opened_again(proposal: Proposal, analyst: Caller) -> None:
    place = f"{LIST}/{proposal.pk}"
    until = (datetime.now(UTC) + timedelta(days=1)).isoformat()

    assert analyst.post(f"{place}/snooze", {"until": until}).json()["state"] == "snoozed"
    assert analyst.post(f"{place}/reject", {"reason": "No"}).json()["state"] == "rejected"
    refused = analyst.post(f"{place}/accept", {})
    assert (refused.status_code, code_of(refused)) == (409, "conflict")
    assert analyst.post(f"{place}/reopen", {}).json()["state"] == "pending"


@pytest.mark.parametrize("deed", ["accept", "reject", "snooze", "reopen", "take-back"])
def test_a_viewer_changes_nothing(proposal: Proposal, deed: str) -> None:
    viewer = caller_with_role(Role.VIEWER)

    answer = viewer.post(f"{LIST}/{proposal.pk}/{deed}", {})

    assert (answer.status_code, code_of(answer)) == (403, "not_allowed")
    with tenant_context(ALL):
        assert Proposal.objects.get().status == "pending"


def test_a_tenant_sees_its_own_alone() -> None:
    proposal = own_proposal()
    assert proposal.installation is not None
    make_proposal()
    mine = caller_with_role(Role.ANALYST, proposal.installation.tenant)
    stranger = caller_with_role(Role.ADMIN, make_installation("initech").tenant)

    assert [item["id"] for item in mine.get(LIST).json()["items"]] == [proposal.pk]
    assert stranger.get(LIST).json()["total"] == 0
    assert stranger.get(f"{LIST}/{proposal.pk}").status_code == 404
    assert stranger.post(f"{LIST}/{proposal.pk}/accept", {}).status_code == 404


def test_the_list_takes_as_many_queries_for_many_as_for_one(proposal: Proposal, analyst: Caller) -> None:
    analyst.get(LIST)
    with CaptureQueriesContext(connection) as few:
        analyst.get(LIST)
    for number in range(20):
        make_proposal(f"extra{number}")

    with CaptureQueriesContext(connection) as many:
        assert analyst.get(LIST).json()["total"] == 21

    assert len(many) == len(few)
