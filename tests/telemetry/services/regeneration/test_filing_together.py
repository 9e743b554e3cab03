"""Several runs of the Regenerator at the same time."""

from functools import partial

import pytest

from telemetry.models import Proposal, ProposalEvidence, RegenerationRequest
from telemetry.services.regeneration.filing import file_noticed
from telemetry.services.regeneration.running import take_requests
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.regeneration.test_filing import SLOW, noticed
from tests.telemetry.services.regeneration.worlds import NOON, judge, start
from tests.tenants.together import run_together

pytestmark = pytest.mark.django_db(transaction=True)


def file(source: str) -> None:
    with tenant_context(ALL):
        file_noticed(noticed(100.0, source=source), now=NOON)


@pytest.mark.parametrize("attempt", range(3))
def test_eight_that_notice_the_same_at_once_file_one_proposal(attempt: int) -> None:
    make_published()

    run_together(*(partial(file, f"test:{number % 4}") for number in range(8)))

    with tenant_context(ALL):
        [proposal] = Proposal.objects.all()
        times = ProposalEvidence.objects.filter(proposal=proposal).order_by("source").values_list("times", flat=True)
        assert list(times) == [2, 2, 2, 2]
    assert proposal.strength == 400.0


def test_a_request_is_taken_up_by_one_of_two_workers() -> None:
    make_published()
    installation = make_installation()
    start(installation)
    now = judge(installation, NOON, [SLOW] * 4)

    taken = run_together(*(partial(take_requests, now=now) for _ in range(2)))

    assert sorted(each for each in taken if isinstance(each, int)) == [0, 1]
    with tenant_context(ALL):
        assert RegenerationRequest.objects.filter(taken_at=now).count() == 1
        assert ProposalEvidence.objects.get().times == 1
