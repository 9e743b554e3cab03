"""What was given up is sent again."""

from uuid import UUID

from django.db import transaction
from django.utils import timezone

from telemetry.models import AlertChannel, NotificationState
from tenants.actors import Actor, require
from tenants.services import audit

__all__ = ["resend_notifications"]


@transaction.atomic
def resend_notifications(*, actor: Actor, channel: AlertChannel, notification_id: UUID | None = None) -> int:
    """One notification that was given up, or all of the channel's, wait as if they were new; how many.

    They go out under the same ids. Needs ``alert.operate`` in the tenant.
    """
    require(actor, "alert.operate", channel.tenant_id)
    rows = channel.notifications.filter(state=NotificationState.DEAD)
    if notification_id is not None:
        rows = rows.filter(public_id=notification_id)
    now = timezone.now()
    count = rows.update(
        state=NotificationState.WAITING,
        reason="",
        attempts=0,
        created_at=now,
        due_at=now,
        settled_at=None,
        error="",
        status=None,
    )
    if count:
        AlertChannel.objects.filter(pk=channel.pk).update(failures=0, paused_until=None)
        audit.record(
            actor=actor,
            action="alert_channel.resent",
            target=channel,
            tenant_id=channel.tenant_id,
            details={"notifications": count},
        )
    return count
