"""The web hook hears of every acceptance at least once, signed, and under one id."""

import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from telemetry.models import NoticeState, Proposal, ProposalNotice
from telemetry.services.proposals.deciding import reject_proposal
from telemetry.services.proposals.notices import forget_old_notices, send_notices
from telemetry.tasks import send_proposal_notices
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tests.sdk.servers import Reply, ScriptedServer, scripted_server
from tests.telemetry.factories import everything_stored, make_proposal, make_published
from tests.telemetry.services.proposals.test_deciding import own_proposal
from tests.telemetry.services.regeneration.worlds import accept

pytestmark = pytest.mark.django_db

SECRET = "a secret of at least thirty-two characters"


@pytest.fixture
def hook(settings: Any) -> Iterator[ScriptedServer]:
    with scripted_server() as server:
        settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
        settings.STUDIO_PROPOSAL_HOOK_URL = f"{server.url}/hook"
        settings.STUDIO_PROPOSAL_HOOK_SECRET = SECRET
        server.answer = lambda _: Reply(200)
        yield server


def notice() -> ProposalNotice:
    with tenant_context(ALL):
        return ProposalNotice.objects.get()


def accepted() -> Proposal:
    make_published()
    return accept(make_proposal(), publish=False, comment="We need it")


def test_an_acceptance_is_told_with_its_patch_and_signed(hook: ScriptedServer) -> None:
    proposal = accepted()

    assert send_notices() == 1

    [asked] = hook.asked
    said = json.loads(asked.body)
    assert (said["kind"], said["proposal"], said["patch"]) == ("proposal.accepted", proposal.pk, proposal.patch)
    assert (said["spec"], said["baseVersion"], said["tenant"]) == ("sigil.telemetry", 1, None)
    assert (said["comment"], said["published"]) == ("We need it", False)
    stamp, signature = (part.split("=")[1] for part in asked.headers["telemetry-signature"].split(","))
    expected = hmac.new(SECRET.encode(), f"{stamp}.".encode() + asked.body, hashlib.sha256).hexdigest()
    assert signature == expected
    assert asked.headers["telemetry-delivery"] == str(notice().public_id)
    assert notice().state == NoticeState.DELIVERED
    assert send_notices() == 0


def test_a_change_of_one_tenant_names_whose_it_is_and_is_hidden_from_others(hook: ScriptedServer) -> None:
    proposal = own_proposal()
    accept(proposal)

    send_notices()

    assert json.loads(hook.asked[0].body)["tenant"] == "acme"
    assert json.loads(hook.asked[0].body)["published"] is True
    with tenant_context(()):
        assert ProposalNotice.objects.count() == 0


def test_what_fails_is_sent_again_under_the_same_id(hook: ScriptedServer) -> None:
    replies = [Reply(500), Reply(200)]
    hook.answer = lambda _: replies.pop(0)
    accepted()

    send_notices()
    failed = notice()
    assert (failed.state, failed.error, failed.status, failed.attempts) == (NoticeState.WAITING, "answered", 500, 1)
    assert failed.due_at > timezone.now()
    assert send_notices() == 0
    with tenant_context(ALL):
        ProposalNotice.objects.update(due_at=timezone.now())
    send_notices()

    assert notice().state == NoticeState.DELIVERED
    assert len({asked.headers["telemetry-delivery"] for asked in hook.asked}) == 1


def test_after_a_day_it_is_given_up(hook: ScriptedServer) -> None:
    hook.answer = lambda _: Reply(500)
    accepted()
    with tenant_context(ALL):
        ProposalNotice.objects.update(created_at=timezone.now() - timedelta(hours=24))

    send_notices()

    assert notice().state == NoticeState.DEAD


def test_an_internal_address_is_not_called(hook: ScriptedServer, settings: Any) -> None:
    settings.STUDIO_OUTGOING_ALLOW = []
    accepted()

    send_notices()

    assert (notice().state, notice().error) == (NoticeState.WAITING, "blocked_address")
    assert hook.asked == []


def test_a_worker_that_was_killed_leaves_it_to_the_next_one(hook: ScriptedServer) -> None:
    accepted()
    with tenant_context(ALL):
        ProposalNotice.objects.update(attempts=1, due_at=timezone.now() + timedelta(minutes=2))

    assert send_notices() == 0
    with tenant_context(ALL):
        ProposalNotice.objects.update(due_at=timezone.now())

    assert send_notices() == 1


def test_without_an_address_and_for_rejections_nobody_is_told(settings: Any) -> None:
    settings.STUDIO_PROPOSAL_HOOK_URL = ""
    make_published()
    accept(make_proposal(), publish=False)
    with tenant_context(ALL):
        reject_proposal(actor=SYSTEM, proposal_id=make_proposal("other").pk, reason="No")

    send_proposal_notices()

    with tenant_context(ALL):
        assert ProposalNotice.objects.count() == 0


def test_the_job_runs_twice_and_sends_once(hook: ScriptedServer) -> None:
    accepted()

    send_proposal_notices()
    after = everything_stored()
    send_proposal_notices()

    assert everything_stored() == after
    assert len(hook.asked) == 1


def test_what_was_told_long_ago_is_forgotten(hook: ScriptedServer, settings: Any) -> None:
    accepted()
    send_notices()
    days = timedelta(days=settings.STUDIO_DEAD_LETTER_DAYS)

    assert forget_old_notices(now=timezone.now() + days - timedelta(hours=1)) == 0
    assert forget_old_notices(now=timezone.now() + days + timedelta(hours=1)) == 1
