"""Telling providers to erase a person: planned with the erasure, tried until it works or has to be given up."""

import random
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec
from django.conf import settings
from django.db.models import F
from django.utils import timezone

from telemetry.models import ErasureAccess, ErasureForward, ErasureRequest, ForwardState, ProviderRecord
from telemetry.providers.erasing import MOST_SUBJECTS, Access, Call, Erasure, ErasureClient, eraser_of
from telemetry.providers.outgoing.session import GuardedSession
from telemetry.services.credentials import open_credential
from telemetry.services.deliveries.claiming import LEASE
from telemetry.services.deliveries.sending import Sending, Trouble, connection_to, told_by
from telemetry.services.deliveries.settling import pause_after
from tenants.context import ALL, tenant_context

__all__ = ["due_forwards", "forward", "plan_forwards"]


def plan_forwards(request: ErasureRequest, *, now: datetime) -> None:
    """Every provider of the tenant is to be told, or a person has to. In the caller's transaction; again adds none.

    Not before any worker has ended that took events of the person in hand before they were erased.
    """
    providers = ProviderRecord.objects.filter(tenant_id=request.tenant_id).select_related("installation__app")
    accesses = set(ErasureAccess.objects.filter(tenant_id=request.tenant_id).values_list("provider_id", flat=True))
    ErasureForward.objects.bulk_create(
        [
            ErasureForward(
                tenant_id=request.tenant_id,
                request=request,
                provider=provider,
                name=provider.name,
                kind=provider.kind,
                place=str(provider.installation),
                state=_first_state(provider, has_access=provider.pk in accesses),
                created_at=now,
                due_at=now if provider.leased_until is None else now + LEASE,
            )
            for provider in providers.order_by("pk")
        ],
        ignore_conflicts=True,
    )


class _Told(NamedTuple):
    """A forward in this worker's hands, with all that is needed to go on without the database."""

    row: ErasureForward
    provider: ProviderRecord
    client: ErasureClient
    access: ErasureAccess | None
    erasure: Erasure


def forward(forward_id: int, *, now: datetime | None = None) -> float | None:
    """The provider is told, or it is noted why not; in how many seconds to come again, ``None`` for not at all.

    Any number of workers may call it at once; one that is killed is followed by another. Raises nothing.
    """
    told = _claim(forward_id, now or timezone.now())
    if told is None:
        return None
    return _settle(told, _tell(told), now or timezone.now())


def due_forwards(now: datetime, request_id: int | None = None) -> list[int]:
    """The forwards that are to be tried now, of all requests or of one; one query."""
    with tenant_context(ALL):
        rows = ErasureForward.objects.filter(state=ForwardState.WAITING, due_at__lte=now).order_by("pk")
        if request_id is not None:
            rows = rows.filter(request_id=request_id)
        return list(rows.values_list("pk", flat=True))


def _first_state(provider: ProviderRecord, *, has_access: bool) -> ForwardState:
    client = eraser_of(provider.kind)
    can_be_told = client is not None and (client.access_type is None or has_access)
    return ForwardState.WAITING if can_be_told else ForwardState.UNSUPPORTED


def _claim(forward_id: int, now: datetime) -> _Told | None:
    with tenant_context(ALL):
        rows = ErasureForward.objects.filter(pk=forward_id, state=ForwardState.WAITING, due_at__lte=now)
        if not rows.update(due_at=now + LEASE, attempts=F("attempts") + 1):
            return None
        row = ErasureForward.objects.select_related("request__tenant").get(pk=forward_id)
        providers = ProviderRecord.objects.select_related("installation__tenant", "installation__app")
        provider = None if row.provider_id is None else providers.filter(pk=row.provider_id).first()
        client = eraser_of(row.kind)
        if provider is None or client is None:
            gone = ErasureForward.objects.filter(pk=forward_id)
            gone.update(state=ForwardState.UNSUPPORTED, settled_at=now, error="provider_removed")
            return None
        access = ErasureAccess.objects.filter(provider=provider).first()
        return _Told(row, provider, client, access, _erasure(row))


def _erasure(row: ErasureForward) -> Erasure:
    """The person by what the provider may know: pseudonyms under keys that the tenant has had."""
    newest = row.request.tenant.pseudonym_epoch
    subjects = [each for each in row.request.pseudonyms if int(each[1 : each.index("_")]) <= newest]
    return Erasure(row.request.public_id, subjects)


def _tell(told: _Told) -> Sending:
    client = told.client

    def call(session: GuardedSession) -> None:
        access = None
        if client.access_type is not None and told.access is not None:
            given = msgspec.convert(told.access.settings, client.access_type)
            access = Access(settings=given, credential=open_credential(told.access))
        connection = connection_to(told.provider)
        subjects = told.erasure.subjects
        for start in range(0, len(subjects), MOST_SUBJECTS):
            part = told.erasure._replace(subjects=subjects[start : start + MOST_SUBJECTS])
            client.erase(Call(connection, access, part), session)

    if client.access_type is not None and told.access is None:
        return Sending(trouble=Trouble.SETTINGS, error="no_access")
    return told_by(told.provider, call)


def _settle(told: _Told, sending: Sending, now: datetime) -> float | None:
    with tenant_context((told.row.tenant_id,)):
        rows = ErasureForward.objects.filter(pk=told.row.pk, state=ForwardState.WAITING)
        said = {"error": sending.error, "status": sending.status}
        if sending.trouble is None:
            rows.update(state=ForwardState.DONE, settled_at=now, **said)
            return None
        oldest = now - timedelta(hours=settings.STUDIO_DELIVERY_RETRY_HOURS)
        if told.row.created_at < oldest:
            rows.update(state=ForwardState.FAILED, settled_at=now, **said)
            return None
        trouble = Trouble.SETTINGS if sending.trouble is Trouble.CONTENT else sending.trouble
        jitter = random.uniform(0.5, 1.0)  # noqa: S311 - spreads load, hides nothing
        pause = pause_after(trouble, told.row.attempts, sending.retry_after, jitter)
        rows.update(due_at=now + timedelta(seconds=pause), **said)
        return pause
