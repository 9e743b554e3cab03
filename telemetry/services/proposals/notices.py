"""Telling the web hook of accepted proposals, so that a repository can open a change of its own copy of the spec.

What must be told is a row, written in the transaction of the acceptance; a job sends it, again and again for as long
as ``STUDIO_DELIVERY_RETRY_HOURS``, through the door that calls nothing internal.
"""

import random
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import msgspec
from django.conf import settings
from django.utils import timezone

from telemetry.models import NoticeState, Proposal, ProposalNotice
from telemetry.providers.outgoing.session import Answered, GuardedSession, Unreachable
from telemetry.providers.outgoing.targets import BlockedAddress
from telemetry.providers.webhook import signed_headers
from telemetry.services.deliveries.sending import Sending, Trouble, answered
from telemetry.services.deliveries.settling import pause_after
from tenants.context import ALL, tenant_context

__all__ = ["forget_old_notices", "note_accepted", "send_notices"]

# Longer than the longest call may take.
LEASE: Final = timedelta(minutes=2)
# Each may take ten seconds, and a task has ninety.
MOST_CALLS: Final = 5
SLICE: Final = 5_000


def note_accepted(proposal: Proposal, *, published: bool) -> None:
    """The web hook will be told of the acceptance, if there is one; called in its transaction. One query at most."""
    if settings.STUDIO_PROPOSAL_HOOK_URL:
        ProposalNotice.objects.create(
            tenant_id=proposal.tenant_id, proposal=proposal, body=_body(proposal, published=published)
        )


def _body(proposal: Proposal, *, published: bool) -> dict[str, Any]:
    installation = proposal.installation
    return {
        "kind": "proposal.accepted",
        "proposal": proposal.pk,
        "rule": proposal.rule,
        "spec": proposal.spec_name,
        "event": proposal.event_name,
        "eventVersion": proposal.event_version,
        "tenant": None if installation is None else installation.tenant.slug,
        "app": None if installation is None else installation.app.slug,
        "environment": None if installation is None else installation.environment,
        "title": proposal.title,
        "summary": proposal.summary,
        "rationale": proposal.rationale,
        "confidence": proposal.confidence,
        "comment": proposal.reason,
        "baseVersion": proposal.base_version,
        "patch": proposal.patch,
        "published": published,
    }


class _Claimed(NamedTuple):
    pk: int
    public_id: UUID
    body: dict[str, Any]
    attempts: int
    created_at: datetime
    ends_at: datetime


def send_notices(*, most: int = MOST_CALLS) -> int:
    """Up to ``most`` notices that are due were sent, the oldest first; how many were tried.

    Any number of workers may call it at once, and any of them may be killed: each notice gets there at least once, and
    under the same id.
    """
    if not settings.STUDIO_PROPOSAL_HOOK_URL:
        return 0
    tried = 0
    while tried < most:
        claimed = _claim(timezone.now())
        if claimed is None:
            break
        _settle(claimed, _send(claimed), timezone.now())
        tried += 1
    return tried


def _claim(now: datetime) -> _Claimed | None:
    with tenant_context(ALL):
        waiting = ProposalNotice.objects.select_for_update(skip_locked=True).filter(
            state=NoticeState.WAITING, due_at__lte=now
        )
        row = waiting.order_by("due_at", "id").first()
        if row is None:
            return None
        row.attempts, row.due_at = row.attempts + 1, now + LEASE
        row.save(update_fields=["attempts", "due_at"])
        return _Claimed(row.pk, row.public_id, row.body, row.attempts, row.created_at, row.due_at)


def _send(claimed: _Claimed) -> Sending:
    body = msgspec.json.encode(claimed.body)
    headers = signed_headers(body, settings.STUDIO_PROPOSAL_HOOK_SECRET, delivery=claimed.public_id)
    try:
        with GuardedSession() as session:
            session.post(settings.STUDIO_PROPOSAL_HOOK_URL, data=body, headers=headers)
    except Unreachable as error:
        return Sending(trouble=Trouble.PASSING, error=f"unreachable_{error.reason}")
    except Answered as error:
        return answered(error)
    except BlockedAddress:
        return Sending(trouble=Trouble.SETTINGS, error="blocked_address")
    return Sending(sent=1)


def _settle(claimed: _Claimed, sending: Sending, now: datetime) -> None:
    """The row says how it went, unless its time ran out meanwhile and somebody else has it."""
    with tenant_context(ALL):
        held = ProposalNotice.objects.filter(pk=claimed.pk, due_at=claimed.ends_at, state=NoticeState.WAITING)
        held.update(**_changes(claimed, sending, now))


def _changes(claimed: _Claimed, sending: Sending, now: datetime) -> dict[str, Any]:
    if sending.trouble is None:
        return {"state": NoticeState.DELIVERED, "settled_at": now, "error": "", "status": None}
    said: dict[str, Any] = {"error": sending.error, "status": sending.status}
    is_over = now >= claimed.created_at + timedelta(hours=settings.STUDIO_DELIVERY_RETRY_HOURS)
    if is_over or sending.trouble is Trouble.CONTENT:
        return {**said, "state": NoticeState.DEAD, "settled_at": now}
    jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
    pause = pause_after(sending.trouble, claimed.attempts, sending.retry_after, jitter)
    return {**said, "due_at": now + timedelta(seconds=pause)}


def forget_old_notices(*, now: datetime) -> int:
    """A slice of what was settled and is past ``STUDIO_DEAD_LETTER_DAYS`` is gone; how many."""
    oldest = now - timedelta(days=settings.STUDIO_DEAD_LETTER_DAYS)
    with tenant_context(ALL):
        old = ProposalNotice.objects.filter(settled_at__lt=oldest).order_by("id").values("pk")[:SLICE]
        return ProposalNotice.objects.filter(pk__in=old).delete()[0]
