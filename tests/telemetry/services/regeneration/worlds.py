"""What tests of the Regenerator share: raw events at chosen times, runs, and people who decide."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from telemetry.core.spec import TelemetrySpec
from telemetry.models import EvaluationState, Proposal, SpecRecord
from telemetry.services.anomalies.evaluation import evaluate_due
from telemetry.services.configs import effective_config
from telemetry.services.proposals.deciding import accept_proposal
from telemetry.services.proposals.measuring import measure_proposals
from telemetry.services.regeneration.filing import Filed
from telemetry.services.regeneration.running import regenerate
from tenants.actors import SYSTEM, Actor
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_sigil_spec
from tests.telemetry.factories import ingest, make_incoming
from tests.telemetry.services.test_violations import with_version

__all__ = [
    "LAG",
    "NOON",
    "STEP",
    "WIDTH",
    "accept",
    "draft",
    "judge",
    "measure_after",
    "only_proposal",
    "published_event",
    "run",
    "send",
    "sigil_with",
    "start",
]

STEP = "sigil.telemetry.workflow_step"
# Days ahead, where the tables have their partitions.
NOON = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0) + timedelta(days=4)
WIDTH = timedelta(minutes=5)
LAG = timedelta(minutes=1)


def sigil_with(**fields: Any) -> TelemetrySpec:
    """The seed's spec whose event has these fields."""
    spec = make_sigil_spec()
    return msgspec.structs.replace(spec, events=(msgspec.structs.replace(spec.events[0], **fields),))


def send(installation: Installation, at: datetime, *properties: dict[str, Any], app_version: str | None = None) -> None:
    """Each event happened at ``at`` and came at once; what is ``None`` it does not have."""
    usual: dict[str, Any] = {"workflow": "deploy", "step": "build", "durationMs": 120}
    sent = [{name: value for name, value in {**usual, **each}.items() if value is not None} for each in properties]
    events = [with_version(make_incoming(occurred_at=at, properties=each), app_version) for each in sent]
    ingest(installation, *events, received_at=at)


def start(installation: Installation, at: datetime = NOON) -> None:
    """The anomaly rules are judged from the window on that starts at the instant."""
    evaluate_due(now=at + LAG)
    with tenant_context(ALL):
        EvaluationState.objects.filter(installation=installation).update(due_at=at)


def judge(installation: Installation, first: datetime, batches: Sequence[Sequence[dict[str, Any]]]) -> datetime:
    """One window after the other is sent and judged; when the last one was."""
    at = first
    for batch in batches:
        send(installation, at, *batch)
        at += WIDTH
        evaluate_due(now=at + LAG)
    return at + LAG


def run(now: datetime = NOON) -> list[Filed]:
    """The Regenerator has run."""
    return regenerate(now=now)


def only_proposal(rule: str) -> Proposal:
    """The one proposal of the rule."""
    with tenant_context(ALL):
        return Proposal.objects.get(rule=rule)


def accept(proposal: Proposal, actor: Actor = SYSTEM, *, publish: bool = True, **more: Any) -> Proposal:
    """The proposal is accepted, and published."""
    with tenant_context(ALL):
        return accept_proposal(actor=actor, proposal_id=proposal.pk, publish=publish, **more)


def measure_after(proposal: Proposal, applied_at: datetime, now: datetime) -> Proposal:
    """The proposal as it is measured, had its change gone live at that instant."""
    with tenant_context(ALL):
        Proposal.objects.filter(pk=proposal.pk).update(applied_at=applied_at)
    measure_proposals(now=now)
    with tenant_context(ALL):
        return Proposal.objects.get(pk=proposal.pk)


def published_event(installation: Installation) -> Any:
    """What holds of the event at the installation."""
    with tenant_context(ALL):
        [event] = effective_config(installation).events
    return event


def draft() -> SpecRecord:
    """The spec's draft."""
    with tenant_context(ALL):
        return SpecRecord.objects.get(name="sigil.telemetry")
