"""The order in which configs changed."""

from django.db import models

from tenants.models.tenant import Tenant

__all__ = ["ChangeScope", "ConfigChange"]


class ChangeScope(models.TextChoices):
    """What kind of row a change stamped with its number."""

    INSTALLATION = "installation"
    APP = "app"
    FLOOR = "floor"
    SPEC = "spec"


class ConfigChange(models.Model):
    """One row got a new config revision: ``subject_id`` is its id, among the rows of its ``scope``.

    ``changed_at`` grows with ``revision``, so that the number of a past instant can be told. ``tenant`` is that of an
    installation, and null for what concerns the whole workspace. Rows are only ever added.
    """

    # No index of its own: changes are found by their subject.
    tenant = models.ForeignKey(
        Tenant, on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False
    )
    scope = models.CharField(max_length=12, choices=ChangeScope.choices)
    subject_id = models.PositiveBigIntegerField()
    revision = models.PositiveBigIntegerField()
    changed_at = models.DateTimeField()

    class Meta:
        verbose_name = "config change"
        ordering = ["-revision", "-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scope__in=ChangeScope.values), name="tenants_configchange_scope_known"
            ),
            models.CheckConstraint(
                condition=models.Q(scope=ChangeScope.INSTALLATION, tenant__isnull=False)
                | (~models.Q(scope=ChangeScope.INSTALLATION) & models.Q(tenant__isnull=True)),
                name="tenants_configchange_tenant_of_installation",
            ),
        ]
        # The number of a subject at an instant.
        indexes = [models.Index(fields=["scope", "subject_id", "-changed_at"], name="tenants_configchange_by_time")]

    def __str__(self) -> str:
        return f"{self.scope} {self.subject_id} at revision {self.revision}"
