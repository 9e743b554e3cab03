"""Carrying runs on: counting, hiding, looking once more, and the receipt at the end."""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, NamedTuple

from django.utils import timezone

from telemetry.core.errors import ArchiveFailed, Conflict
from telemetry.core.pseudonyms import pseudonymiser_for
from telemetry.models import WORKED_ON, ArchiveFile, ArchiveState, ReceiptKind, RescrubRun, RescrubState
from telemetry.services.archiving.rewriting import Rewritten, count_changes, rewrite_file
from telemetry.services.holds import active_holds
from telemetry.services.ingest.configs import config_at_ingest
from telemetry.services.receipts import record_receipt
from telemetry.services.rescrubbing.places import (
    BEGINNING,
    Counts,
    Rules,
    add,
    hide_in_quarantine,
    hide_in_store,
    is_held_file,
)
from telemetry.services.rescrubbing.positions import Position
from telemetry.stores.chosen import EVENT_STORE
from telemetry.stores.removals import Removed, lock_removals
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.pseudonym_key import installation_pseudonym_key
from tenants.services import audit

__all__ = ["carry_on_runs", "due_runs", "work_on"]

logger = logging.getLogger(__name__)

# How long a worker has a run to itself: as long as a task may take.
LEASE: Final = timedelta(seconds=120)
# Seconds of one step: what a kill repeats, and how long a purge may have to wait.
STEP_SECONDS: Final = 2.0
# After a storage failed, or somebody else moved a file under way.
TROUBLE_PAUSE: Final = timedelta(minutes=5)


class _Turn(NamedTuple):
    """A run in hand until ``leased_until``: what it does, by which rules."""

    run: RescrubRun
    rules: Rules
    leased_until: datetime

    @property
    def hides(self) -> bool:
        return self.run.state == RescrubState.RUNNING


def carry_on_runs() -> bool:
    """Each run that can be carried on is, one step; whether there is more to do at once."""
    more = [work_on(run_id) for run_id in due_runs(timezone.now())]
    return any(more)


def due_runs(now: datetime) -> list[int]:
    """The runs that a worker can carry on now, the oldest first; one query."""
    with tenant_context(ALL):
        rows = RescrubRun.objects.filter(state__in=WORKED_ON, step_due_at__lte=now).order_by("pk")
        return list(rows.values_list("pk", flat=True))


def work_on(run_id: int, *, now: datetime | None = None) -> bool:
    """One step of the run is done and committed; whether there is another one to do at once.

    Any number of workers may call it at the same time, and one that was killed is followed by another after two
    minutes: what is hidden is counted in the transaction that hid it, and hiding it again changes nothing. Ingest waits
    for none of it. A storage that fails is tried again later; ``trouble`` says so meanwhile.
    """
    turn = _claim(run_id, now or timezone.now())
    if turn is None:
        return False
    try:
        position = Position.read(turn.run.position)
        if position.place == "store":
            return _in_store(turn, position)
        if position.place == "archive":
            return _in_archive(turn, position)
        if position.place == "quarantine":
            return _in_quarantine(turn, position)
        return _finish(turn)
    except (ArchiveFailed, Conflict) as error:
        logger.warning("rescrub.delayed", extra={"run": turn.run.pk, "error": error.code})
        _save(turn, step_due_at=timezone.now() + TROUBLE_PAUSE, trouble=error.message[:200])
        return False


def _claim(run_id: int, now: datetime) -> _Turn | None:
    until = now + LEASE
    with tenant_context(ALL):
        mine = RescrubRun.objects.filter(pk=run_id, state__in=WORKED_ON, step_due_at__lte=now)
        if not mine.update(step_due_at=until):
            return None
        run = RescrubRun.objects.select_related("installation__tenant", "installation__app").get(pk=run_id)
        config = config_at_ingest(run.installation)
        if config.compiled is None:
            # Its spec is published no more: nothing says what is to be hidden.
            RescrubRun.objects.filter(pk=run_id).update(state=RescrubState.CANCELLED, finished_at=now)
            return None
    key = installation_pseudonym_key(run.installation.tenant)
    return _Turn(run, Rules(config.compiled, pseudonymiser_for(key)), until)


def _in_store(turn: _Turn, position: Position) -> bool:
    """Portion after portion, each in a transaction of its own, until the step is over or the place is."""
    ends_at = monotonic() + STEP_SECONDS
    while position.place == "store":
        with tenant_context((turn.run.tenant_id,)):
            if turn.hides:
                lock_removals()
            position = _store_portion(turn, position)
        if monotonic() > ends_at:
            break
    return _go_on(turn)


def _store_portion(turn: _Turn, position: Position) -> Position:
    installation, counts = turn.run.installation, Counts()
    name, after = position.name, BEGINNING
    if position.received_at is not None and position.last_id is not None:
        after = (position.received_at, position.last_id)
    else:
        names = [each for each in EVENT_STORE.names(installation.pk) if each > position.name]
        if not names:
            return _advance(turn, Position(place="archive"), counts)
        name = names[0]
    last = hide_in_store(installation, turn.rules, name, after, counts, hides=turn.hides)
    if last is None:
        return _advance(turn, Position(name=name), counts)
    return _advance(turn, Position(name=name, received_at=last[0], last_id=last[1]), counts)


def _in_archive(turn: _Turn, position: Position) -> bool:
    """One file: written anew outside any transaction, and put in its place with its counts in one."""
    with tenant_context((turn.run.tenant_id,)):
        kept = ArchiveFile.objects.filter(installation=turn.run.installation, state=ArchiveState.KEPT)
        file = kept.filter(pk__gt=position.row).select_related("installation__tenant").order_by("pk").first()
        if file is None:
            _advance(turn, Position(place="quarantine"), {})
            return _go_on(turn)
        is_held = is_held_file(file, active_holds(turn.run.tenant_id))
    following = Position(place="archive", row=file.pk)

    def settle(rewritten: Rewritten) -> None:
        counts = Counts()
        for (name, version), rows in rewritten.changed.items():
            add(counts, "held" if is_held else "archive", name, version, rows)
        _advance(turn, following, counts)

    if turn.hides and not is_held:
        _rewrite(turn, file, settle)
    else:
        found = count_changes(file=file, change=turn.rules.of_archived)
        with tenant_context((turn.run.tenant_id,)):
            settle(found)
    return _go_on(turn)


def _rewrite(turn: _Turn, file: ArchiveFile, settle: Callable[[Rewritten], None]) -> None:
    def swapped(rewritten: Rewritten, _removed: tuple[Removed, ...]) -> None:
        settle(rewritten)

    run = f"rescrub {turn.run.public_id}"
    done = rewrite_file(file=file, change=turn.rules.of_archived, run=run, swapped=swapped)
    if done.is_nothing:
        with tenant_context((turn.run.tenant_id,)):
            settle(done)


def _in_quarantine(turn: _Turn, position: Position) -> bool:
    counts = Counts()
    with tenant_context((turn.run.tenant_id,)):
        last = hide_in_quarantine(turn.run.installation, turn.rules, position.row, counts, hides=turn.hides)
        _advance(turn, Position(place="end" if last is None else "quarantine", row=last or 0), counts)
    return _go_on(turn)


def _finish(turn: _Turn) -> bool:
    """The pass is over: the run waits for a decision, is looked at once more, or is done."""
    run, now = turn.run, timezone.now()
    beginning = Position().as_document()
    with tenant_context((run.tenant_id,)):
        match RescrubState(run.state):
            case RescrubState.COUNTING:
                state = RescrubState.READY if _rows(run.found) else RescrubState.NOTHING
                ended = None if state == RescrubState.READY else now
                _write(turn, state=state, counted_at=now, finished_at=ended, position=beginning, step_due_at=now)
            case RescrubState.RUNNING:
                checking = {"state": RescrubState.CHECKING, "position": beginning, "left": {}}
                _write(turn, **checking, step_due_at=now)
                return True
            case RescrubState.CHECKING if _rows(run.left):
                # What came in under the rules of before, or back from an archive, while the run went on.
                _write(turn, state=RescrubState.RUNNING, position=beginning, step_due_at=now)
                return True
            case _:
                _write(turn, state=RescrubState.DONE, finished_at=now, position=beginning)
                _prove(run)
    return False


def _prove(run: RescrubRun) -> None:
    facts = {
        "run": str(run.public_id),
        "installation": str(run.installation.public_id),
        "config_revision": run.config_revision,
        "changed": run.changed,
        "kept_by_holds": run.left.get("held", {}),
        "left": 0,
        "started_by": run.started_by,
    }
    audit.record(actor=SYSTEM, action="rescrub.done", target=run, tenant_id=run.tenant_id, details=facts)
    record_receipt(tenant=run.installation.tenant, kind=ReceiptKind.RESCRUB, facts=facts, actor=SYSTEM)


def _rows(counts: Counts) -> int:
    """How many rows are to be hidden; those that holds keep are not."""
    return sum(rows for place, events in counts.items() if place != "held" for rows in events.values())


def _advance(turn: _Turn, position: Position, counts: Counts) -> Position:
    """The run knows how far it is, and of these rows, in the transaction that is open."""
    field = {RescrubState.COUNTING: "found", RescrubState.RUNNING: "changed"}.get(RescrubState(turn.run.state), "left")
    known: Counts = getattr(turn.run, field)
    if field == "changed":
        counts.pop("held", None)
    for place, events in counts.items():
        for reference, rows in events.items():
            add(known, place, reference, 0, rows)
    _write(turn, **{field: known, "position": position.as_document()})
    return position


def _go_on(turn: _Turn) -> bool:
    """The run is free again."""
    _save(turn, step_due_at=timezone.now(), trouble="")
    return True


def _save(turn: _Turn, **fields: object) -> None:
    with tenant_context((turn.run.tenant_id,)):
        _write(turn, **fields)


def _write(turn: _Turn, **fields: object) -> None:
    """Written if the run is still this worker's; raises ``Conflict`` else, so that the transaction changes nothing."""
    mine = RescrubRun.objects.filter(pk=turn.run.pk, step_due_at=turn.leased_until)
    if not mine.update(**fields):
        raise Conflict("the run is in other hands by now")
    for name, value in fields.items():
        setattr(turn.run, name, value)
