"""One proposal per cause: however often, by however many at once, and after whatever somebody decided."""

from collections.abc import Iterable, Iterator
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from django.db import IntegrityError, transaction

from telemetry.core.proposals import Signal, SignalKind
from telemetry.models import Incident, Proposal, ProposalEvidence, ProposalStatus, RegenerationRequest
from telemetry.services.anomalies.evaluation import evaluate_due
from telemetry.services.proposals.deciding import reject_proposal, snooze_proposal
from telemetry.services.regeneration import running
from telemetry.services.regeneration.adapters.incidents import signals_of_incident
from telemetry.services.regeneration.filing import Filed, FilingKind, file_noticed
from telemetry.services.regeneration.noticed import Noticed, SpecBook
from telemetry.services.regeneration.registry import adapters, register_adapter, withdraw_adapter
from telemetry.services.regeneration.running import regenerate, take_requests
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.telemetry.factories import everything_stored, make_installation, make_published
from tests.telemetry.services.regeneration.worlds import NOON, STEP, WIDTH, accept, judge, run, send, start

pytestmark = pytest.mark.django_db


def noticed(events: float, *, source: str = "test:1", installation: Installation | None = None) -> Noticed:
    """So many events left a property undeclared."""
    found = SpecBook().of_event(STEP, 1)
    assert found is not None
    signal = Signal(
        kind=SignalKind.UNDECLARED_PROPERTY,
        source=source,
        event=STEP,
        event_version=1,
        subject="attempt",
        strength=events,
        facts={"events": events, "share": 0.5, "days": 7, "type": "number"},
    )
    return Noticed(signal, found, installation)


class Speaker:
    """An adapter of somebody else, which says what it is told to."""

    def __init__(self) -> None:
        self.events = 100.0
        self.sources: tuple[str, ...] = ("test:1",)

    def __call__(self, specs: SpecBook, now: datetime) -> Iterable[Noticed]:
        return [noticed(self.events, source=source) for source in self.sources]


@pytest.fixture
def speaker() -> Iterator[Speaker]:
    make_published()
    adapter = Speaker()
    register_adapter("speaker", adapter)
    yield adapter
    withdraw_adapter("speaker")


def proposals() -> list[Proposal]:
    with tenant_context(ALL):
        return list(Proposal.objects.order_by("id"))


def kinds(filed: list[Filed]) -> list[str]:
    return [each.kind.value for each in filed]


def test_the_same_signal_a_hundred_times_is_one_proposal(speaker: Speaker) -> None:
    filed = [each for _ in range(100) for each in run()]

    assert kinds(filed) == ["new", *["evidence"] * 99]
    [proposal] = proposals()
    with tenant_context(ALL):
        [evidence] = ProposalEvidence.objects.all()
    assert (evidence.times, evidence.strength, proposal.strength) == (100, 100.0, 100.0)


def test_another_source_adds_evidence_and_strength(speaker: Speaker) -> None:
    run()
    speaker.sources = ("test:1", "test:2")

    run()

    [proposal] = proposals()
    assert proposal.strength == 200.0
    with tenant_context(ALL):
        assert set(ProposalEvidence.objects.values_list("source", flat=True)) == {"test:1", "test:2"}


def test_the_database_refuses_a_second_open_proposal_of_one_cause(speaker: Speaker) -> None:
    run()
    [proposal] = proposals()
    proposal.pk = None

    with pytest.raises(IntegrityError), tenant_context(ALL), transaction.atomic():
        proposal.save(force_insert=True)


def test_a_rejected_cause_stays_quiet_until_its_evidence_has_doubled(speaker: Speaker) -> None:
    run()
    with tenant_context(ALL):
        reject_proposal(actor=SYSTEM, proposal_id=proposals()[0].pk, reason="Not needed")

    speaker.events = 199.0
    assert kinds(run()) == ["quiet"]
    assert proposals()[0].status == ProposalStatus.REJECTED

    speaker.events = 200.0
    assert kinds(run()) == ["reopened"]
    [proposal] = proposals()
    assert (proposal.status, proposal.reason) == (ProposalStatus.PENDING, "Not needed")
    assert proposal.reopened_at == NOON


def test_a_snoozed_one_gathers_evidence_and_comes_back_in_time(speaker: Speaker) -> None:
    run()
    with tenant_context(ALL):
        snooze_proposal(actor=SYSTEM, proposal_id=proposals()[0].pk, until=NOON)

    run(NOON - timedelta(hours=1))
    assert proposals()[0].status == ProposalStatus.SNOOZED

    run(NOON)
    assert proposals()[0].status == ProposalStatus.PENDING


def test_an_accepted_one_is_not_filed_again_and_keeps_what_was_accepted(speaker: Speaker) -> None:
    run()
    accept(proposals()[0], publish=False)
    before = proposals()[0]
    speaker.events = 900.0

    assert kinds(run()) == ["evidence"]

    [proposal] = proposals()
    assert (proposal.status, proposal.patch, proposal.summary) == ("accepted", before.patch, before.summary)


def test_a_published_change_is_not_asked_for_again(speaker: Speaker) -> None:
    run()
    accept(proposals()[0])

    assert run() == []


def test_a_dry_run_says_what_a_run_would_file_and_stores_nothing(speaker: Speaker) -> None:
    before = everything_stored()

    filed = regenerate(now=NOON, dry_run=True)

    assert [(each.kind, each.spec, each.target, each.rule) for each in filed] == [
        (FilingKind.NEW, "sigil.telemetry", "the spec", "undeclared_property_steady")
    ]
    assert everything_stored() == before


def test_an_adapter_that_fails_holds_no_other_up_and_is_told_in_the_end(speaker: Speaker) -> None:
    def broken(specs: SpecBook, now: datetime) -> Iterable[Noticed]:
        raise RuntimeError("broken on purpose")

    register_adapter("a broken one", broken)
    try:
        with pytest.raises(RuntimeError, match="on purpose"):
            run()
    finally:
        withdraw_adapter("a broken one")

    assert len(proposals()) == 1


def test_no_two_adapters_have_one_name(speaker: Speaker) -> None:
    with pytest.raises(ValueError, match="speaker"):
        register_adapter("speaker", speaker)
    assert list(adapters())[-1] == "speaker"


SLOW: list[dict[str, Any]] = [{"durationMs": 2000}] * 10


def test_a_request_is_taken_up_once_however_long_nobody_came_for_it() -> None:
    # Given an hour in which nobody took requests up, and a breach in each of its windows.
    make_published()
    installation = make_installation()
    start(installation)
    now = judge(installation, NOON, [SLOW] * 12)
    with tenant_context(ALL):
        assert RegenerationRequest.objects.count() == 1

    assert [take_requests(now=now + timedelta(hours=1)) for _ in range(3)] == [1, 0, 0]

    [proposal] = proposals()
    with tenant_context(ALL):
        [evidence] = proposal.evidence.all()
        assert evidence.times == 1
        assert RegenerationRequest.objects.get().taken_at == now + timedelta(hours=1)


def test_a_request_that_fails_waits_and_holds_no_other_up(monkeypatch: pytest.MonkeyPatch) -> None:
    make_published()
    first, second = make_installation(), make_installation("globex")
    for installation in (first, second):
        start(installation)
    for number in range(4):
        at = NOON + number * WIDTH
        for installation in (first, second):
            send(installation, at, *SLOW)
        running_now = at + WIDTH + timedelta(minutes=1)
        evaluate_due(now=running_now)

    def failing(specs: SpecBook, incident: Incident, now: datetime) -> Iterable[Noticed]:
        if incident.installation_id == first.pk:
            raise RuntimeError("broken on purpose")
        return signals_of_incident(specs, incident, now)

    monkeypatch.setattr(running, "signals_of_incident", failing)
    with pytest.raises(Exception, match="could not be taken up"):
        take_requests(now=running_now)
    monkeypatch.undo()
    assert len(proposals()) == 1

    assert take_requests(now=running_now) == 1
    [proposal] = proposals()
    with tenant_context(ALL):
        assert proposal.evidence.count() == 2


def test_evidence_of_a_tenant_is_shown_to_that_tenant_and_proposals_of_specs_to_the_whole_workspace(
    speaker: Speaker,
) -> None:
    installation = make_installation()
    with tenant_context(ALL):
        file_noticed(noticed(100.0, source="mine", installation=installation), now=NOON)

    with tenant_context((installation.tenant_id,)):
        assert Proposal.objects.count() == 0
        assert list(ProposalEvidence.objects.values_list("source", flat=True)) == ["mine"]
    with tenant_context(()):
        assert ProposalEvidence.objects.count() == 0


def test_signals_read_facts_that_are_missing_or_of_another_type_as_nothing() -> None:
    make_published()
    with tenant_context(ALL):
        signal = msgspec.structs.replace(noticed(1.0).signal, facts={"events": "many", "type": 3})

    assert (signal.number("events"), signal.text("type"), signal.number("gone")) == (0.0, "", 0.0)
