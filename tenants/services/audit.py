"""The trace of every change."""

from collections.abc import Mapping
from typing import Any

from django.db import models

from telemetry.core.errors import NotAllowed
from tenants.actors import Actor
from tenants.context import ALL, tenant_context
from tenants.models import AuditEntry
from tenants.models.audit_entry import LABEL_LENGTH

__all__ = ["record", "record_denial"]


def record(
    *,
    actor: Actor,
    action: str,
    target: models.Model,
    tenant_id: int | None = None,
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """One entry, in the caller's transaction, says that ``actor`` did ``action`` (``noun.past_tense``) to ``target``.

    ``tenant_id`` unset means that it concerns the whole workspace. ``details`` hold ids, numbers, words and documents
    of ours, never a personal value. One query.
    """
    return AuditEntry.objects.create(
        tenant_id=tenant_id,
        actor_kind=actor.kind,
        actor_id=actor.id,
        actor_label=actor.label[:LABEL_LENGTH],
        action=action,
        target_type=target._meta.label_lower,
        target_id=str(target.pk),
        target_label=str(target)[:LABEL_LENGTH],
        details=dict(details or {}),
        request_id=actor.request_id,
    )


def record_denial(*, actor: Actor, error: NotAllowed) -> AuditEntry:
    """One entry ``access.denied`` says which ability was missing, in a context and a transaction of its own.

    The denied call's transaction is rolled back, so whoever answers for the request calls this after it.
    """
    with tenant_context(ALL):
        return AuditEntry.objects.create(
            tenant_id=actor.tenant_id,
            actor_kind=actor.kind,
            actor_id=actor.id,
            actor_label=actor.label[:LABEL_LENGTH],
            action="access.denied",
            target_type="ability",
            target_id=error.ability,
            target_label=error.ability,
            request_id=actor.request_id,
        )
