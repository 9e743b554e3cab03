"""Jobs and the command of the Regenerator: each may run twice."""

from io import StringIO

import pytest
from django.core.management import call_command

from telemetry.models import Proposal, RegenerationRequest
from telemetry.tasks import measure_promises, regenerate_proposals, take_regeneration_requests
from tenants.context import ALL, tenant_context
from tests.telemetry.factories import everything_stored, ingest, make_incoming, make_installation, make_published

pytestmark = pytest.mark.django_db


def send_undeclared() -> None:
    make_published()
    events = [make_incoming(properties={"workflow": "w", "step": "s", "attempt": number}) for number in range(30)]
    ingest(make_installation(), *events)


def test_the_scheduled_job_files_one_proposal_however_often_it_runs() -> None:
    send_undeclared()

    for _ in range(2):
        regenerate_proposals()

    with tenant_context(ALL):
        assert Proposal.objects.get().rule == "undeclared_property_steady"
        assert Proposal.objects.get().evidence.get().times == 2


def test_without_requests_and_published_proposals_the_jobs_change_nothing() -> None:
    send_undeclared()
    before = everything_stored()

    take_regeneration_requests()
    measure_promises()

    assert everything_stored() == before
    with tenant_context(ALL):
        assert RegenerationRequest.objects.count() == 0


def test_the_command_says_what_it_would_file_and_then_files_it() -> None:
    send_undeclared()
    dry, real = StringIO(), StringIO()
    before = everything_stored()

    call_command("regenerate", "--dry-run", stdout=dry)
    unchanged = everything_stored()
    call_command("regenerate", stdout=real)

    line = "new       sigil.telemetry (the spec): Declare attempt as number [undeclared_property_steady]\n"
    assert dry.getvalue() == f"{line}1 new. Nothing was stored.\n"
    assert real.getvalue() == f"{line}1 new.\n"
    assert unchanged == before
    with tenant_context(ALL):
        assert Proposal.objects.count() == 1


def test_with_nothing_to_propose_the_command_says_so() -> None:
    out = StringIO()

    call_command("regenerate", stdout=out)

    assert out.getvalue() == "nothing to propose.\n"
