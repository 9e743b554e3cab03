"""The trace of a change."""

from django.db import models
from django.utils import timezone

from tenants.models.tenant import Tenant

__all__ = ["LABEL_LENGTH", "ActorKind", "AuditEntry"]

# Labels are cut to this length: a long name must not keep a change from being recorded.
LABEL_LENGTH = 200


class ActorKind(models.TextChoices):
    """What kind of thing did it."""

    USER = "user"
    KEY = "key"
    SYSTEM = "system"


class AuditEntry(models.Model):
    """Who did what to what, when; written in the transaction of the deed and never changed.

    The database refuses every update and removal. ``tenant`` is null for what concerns the whole workspace. Actor and
    target are kept as words, so that the trace outlives them. ``details`` never holds a personal value.
    """

    # No index of its own: the index below begins with the tenant.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    actor_kind = models.CharField(max_length=10, choices=ActorKind.choices)
    actor_id = models.CharField(max_length=64, blank=True)
    actor_label = models.CharField(max_length=LABEL_LENGTH)
    action = models.CharField(max_length=100)
    target_type = models.CharField(max_length=100)
    target_id = models.CharField(max_length=64, blank=True)
    target_label = models.CharField(max_length=LABEL_LENGTH)
    details = models.JSONField(default=dict, blank=True)
    request_id = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        ordering = ["-created_at", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(action__regex=r"^[a-z_]+(\.[a-z_]+)+$"), name="tenants_audit_action_form"
            ),
            models.CheckConstraint(
                condition=models.Q(actor_kind__in=ActorKind.values), name="tenants_audit_actor_kind_known"
            ),
        ]
        indexes = [
            # The audit page of one tenant, newest first.
            models.Index(fields=["tenant", "-created_at", "-id"], name="tenants_audit_by_tenant"),
            # The audit page of the whole workspace, newest first.
            models.Index(fields=["-created_at", "-id"], name="tenants_audit_by_time"),
            # The history on one object's page.
            models.Index(fields=["target_type", "target_id", "-created_at"], name="tenants_audit_by_target"),
        ]

    def __str__(self) -> str:
        return f"{self.action}: {self.target_label}"
