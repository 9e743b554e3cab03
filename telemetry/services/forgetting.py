"""Letting go of what was not seen for long: groups of violations, their days, and privacy findings."""

from datetime import datetime, timedelta
from typing import Final

from telemetry.models import FindingState, PrivacyFinding, ViolationDay, ViolationRecord
from tenants.context import ALL, tenant_context

__all__ = ["forget_old_findings", "forget_old_violations"]

# A quarter: what no app has sent in so long is mended, or its app is gone. Room for what is wrong now is bounded.
FORGOTTEN_AFTER: Final = timedelta(days=90)
# What somebody has decided about is remembered for longer: an app that comes back must not ask the same again.
DECIDED_FORGOTTEN_AFTER: Final = timedelta(days=365)
# What one statement deletes in well under a second.
PORTION: Final = 5_000


def forget_old_violations(*, now: datetime) -> int:
    """Groups that were not seen for 90 days are gone, and counts of days before that, 5,000 at most; how many rows."""
    oldest = now - FORGOTTEN_AFTER
    with tenant_context(ALL):
        days = ViolationDay.objects.filter(day__lt=oldest.date()).order_by("id").values("pk")[:PORTION]
        count, _ = ViolationDay.objects.filter(pk__in=days).delete()
        groups = ViolationRecord.objects.filter(last_seen_at__lt=oldest).order_by("id").values("pk")[:PORTION]
        gone, _ = ViolationRecord.objects.filter(pk__in=groups).delete()
    return count + gone


def forget_old_findings(*, now: datetime) -> int:
    """Open findings that were not seen for 90 days are gone, decided ones after a year, 5,000 at most; how many."""
    with tenant_context(ALL):
        old = PrivacyFinding.objects.filter(last_seen_at__lt=now - DECIDED_FORGOTTEN_AFTER)
        old |= PrivacyFinding.objects.filter(state=FindingState.OPEN, last_seen_at__lt=now - FORGOTTEN_AFTER)
        count, _ = PrivacyFinding.objects.filter(pk__in=old.order_by("id").values("pk")[:PORTION]).delete()
    return count
