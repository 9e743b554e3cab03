"""Running the Regenerator: at the request of anomaly rules, on a schedule, or only to see what it would file."""

import logging
from collections.abc import Iterable
from datetime import datetime

from django.db import transaction
from django.utils import timezone

from telemetry.models import Proposal, ProposalStatus, RegenerationRequest
from telemetry.services.proposals.publication import note_live_overrides
from telemetry.services.regeneration.adapters.incidents import signals_of_incident
from telemetry.services.regeneration.filing import Filed, file_noticed
from telemetry.services.regeneration.noticed import Adapter, SpecBook
from telemetry.services.regeneration.registry import adapters
from tenants.context import ALL, tenant_context

__all__ = ["regenerate", "take_requests"]

logger = logging.getLogger(__name__)


def regenerate(*, now: datetime | None = None, dry_run: bool = False) -> list[Filed]:
    """Every adapter was asked, and what the rules make of its signals is filed; what came of each suggestion.

    With ``dry_run`` nothing is stored. Running it twice, or at the same time, adds evidence and no second proposal. An
    adapter that fails holds no other up; the first such error is raised in the end.
    """
    instant = now or timezone.now()
    if dry_run:
        with tenant_context(ALL):
            filed = _run(instant)
            transaction.set_rollback(True)
        return filed
    return _run(instant)


def _run(now: datetime) -> list[Filed]:
    filed: list[Filed] = []
    first_error: Exception | None = None
    with tenant_context(ALL):
        _wake_snoozed(now)
        note_live_overrides(now)
    for name, adapter in adapters().items():
        try:
            filed += _ask(adapter, now)
        except Exception as error:
            logger.exception("regeneration.adapter_failed", extra={"adapter": name})
            first_error = first_error or error
    if first_error is not None:
        raise first_error
    return filed


def _ask(adapter: Adapter, now: datetime) -> list[Filed]:
    # All signals first: what an adapter reads must not depend on what was filed meanwhile.
    with tenant_context(ALL):
        noticed = list(adapter(SpecBook(), now))
    filed: list[Filed] = []
    for each in noticed:
        # One transaction each, so that nobody waits for a cause longer than filing it takes.
        with tenant_context(ALL):
            filed += file_noticed(each, now=now)
    return filed


def _wake_snoozed(now: datetime) -> None:
    """What was snoozed until now waits for somebody again."""
    due = Proposal.objects.filter(status=ProposalStatus.SNOOZED, snoozed_until__lte=now)
    due.update(status=ProposalStatus.PENDING, snoozed_until=None)


def take_requests(*, now: datetime | None = None, most: int = 100) -> int:
    """Up to ``most`` requests of anomaly rules are taken up, the oldest first, each exactly once; how many there were.

    Each in a transaction of its own: one that somebody else holds is passed over, one that fails waits for the next
    run. However long nobody ran this, an incident asks once. The first error is raised in the end.
    """
    instant = now or timezone.now()
    done, failed, first_error = 0, set[int](), None
    while done + len(failed) < most:
        try:
            request_id = _take_one(instant, failed)
        except _RequestFailed as failure:
            failed.add(failure.request_id)
            first_error = first_error or failure
            continue
        if request_id is None:
            break
        done += 1
    if first_error is not None:
        raise first_error
    return done


class _RequestFailed(Exception):
    """A request could not be taken up; the cause says why."""

    def __init__(self, request_id: int) -> None:
        super().__init__(f"the regeneration request {request_id} could not be taken up")
        self.request_id = request_id


def _take_one(now: datetime, but_not: Iterable[int]) -> int | None:
    with tenant_context(ALL):
        waiting = RegenerationRequest.objects.select_for_update(skip_locked=True, of=("self",))
        waiting = waiting.filter(taken_at=None).exclude(pk__in=list(but_not))
        request = waiting.select_related("incident__installation__tenant", "incident__installation__app").order_by(
            "requested_at", "id"
        )[:1]
        found = next(iter(request), None)
        if found is None:
            return None
        try:
            with transaction.atomic():
                for noticed in list(signals_of_incident(SpecBook(), found.incident, now)):
                    file_noticed(noticed, now=now)
                found.taken_at = now
                found.save(update_fields=["taken_at"])
        except Exception as error:
            raise _RequestFailed(found.pk) from error
        return found.pk
