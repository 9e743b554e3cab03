"""Asking for a count of what is stored openly, and deciding on it."""

from django.db import IntegrityError, transaction
from django.utils import timezone

from telemetry.core.errors import Conflict
from telemetry.models import RescrubRun, RescrubState
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.services.rescrubbing.positions import Position
from tenants.actors import Actor, require
from tenants.models import Installation
from tenants.services import audit

__all__ = ["ABILITY", "ask_for_count", "cancel_run", "start_run"]

ABILITY = "rescrub.manage"


@transaction.atomic
def ask_for_count(*, actor: Actor, installation: Installation, reason: str = "asked") -> RescrubRun:
    """A job counts, to the event, what the rules of today hide and the store, archives and quarantine still show.

    Nothing is changed. Needs ``rescrub.manage`` in the tenant. Raises ``Conflict`` while another run of the
    installation is open, and when no spec is published for it.
    """
    require(actor, ABILITY, installation.tenant_id)
    config = config_at_ingest(installation)
    if config.compiled is None:
        raise Conflict("no spec is published for the installation: nothing says what is to be hidden")
    try:
        with transaction.atomic():
            run = RescrubRun.objects.create(
                tenant_id=installation.tenant_id,
                installation=installation,
                reason=reason,
                config_revision=config.revision,
                position=Position().as_document(),
                asked_by=actor.label,
            )
    except IntegrityError:
        raise Conflict("the installation has a run already: decide on it first") from None
    _trace(actor, run, "rescrub.counted")
    return run


@transaction.atomic
def start_run(*, actor: Actor, run: RescrubRun) -> RescrubRun:
    """A job hides what was counted, and what came since; there is no way back.

    Needs ``rescrub.manage`` in the tenant. Raises ``Conflict`` unless the run waits for a decision.
    """
    require(actor, ABILITY, run.tenant_id)
    now = timezone.now()
    _move(run, RescrubState.READY, RescrubState.RUNNING, started_at=now, started_by=actor.label, step_due_at=now)
    _trace(actor, run, "rescrub.started")
    return run


@transaction.atomic
def cancel_run(*, actor: Actor, run: RescrubRun) -> RescrubRun:
    """Nothing is hidden; a new count can be asked for. Needs ``rescrub.manage``. ``Conflict`` once it was started."""
    require(actor, ABILITY, run.tenant_id)
    before = RescrubState.COUNTING if run.state == RescrubState.COUNTING else RescrubState.READY
    _move(run, before, RescrubState.CANCELLED, finished_at=timezone.now())
    _trace(actor, run, "rescrub.cancelled")
    return run


def _move(run: RescrubRun, before: RescrubState, after: RescrubState, **fields: object) -> None:
    changed = {"state": after, "position": Position().as_document(), "trouble": "", **fields}
    if not RescrubRun.objects.filter(pk=run.pk, state=before).update(**changed):
        raise Conflict("the run is not in the state for that any more")
    run.refresh_from_db()


def _trace(actor: Actor, run: RescrubRun, action: str) -> None:
    details = {"installation": str(run.installation.public_id), "config_revision": run.config_revision}
    audit.record(actor=actor, action=action, target=run, tenant_id=run.tenant_id, details=details)
