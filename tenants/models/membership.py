"""A person's role."""

from django.conf import settings
from django.db import models
from django.utils import timezone

from tenants.models.tenant import Tenant
from tenants.roles import Role

__all__ = ["Membership"]


class Membership(models.Model):
    """One person's role in one tenant, or in the whole workspace (``tenant`` null), where it holds for every tenant."""

    # No index of its own: the unique constraint below begins with the user.
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="memberships", db_index=False
    )
    # Index: "the people of this tenant".
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="memberships")
    role = models.CharField(max_length=20, choices=Role.choices)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["user", models.F("tenant").asc(nulls_first=True)]
        constraints = [
            # Also the index for "what this person may do".
            models.UniqueConstraint(fields=["user", "tenant"], nulls_distinct=False, name="tenants_membership_once"),
            models.CheckConstraint(condition=models.Q(role__in=Role.values), name="tenants_membership_role_known"),
        ]

    def __str__(self) -> str:
        return f"{self.user} is {Role(self.role).label.lower()} of {self.tenant or 'the whole workspace'}"
