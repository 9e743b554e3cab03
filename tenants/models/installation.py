"""One app at one tenant in one environment."""

import uuid

from django.db import models
from django.db.models.functions import Now
from django.utils import timezone

from telemetry.core.enums import Environment
from tenants.models.app import App
from tenants.models.tenant import Tenant

__all__ = ["Installation"]


class Installation(models.Model):
    """What apps fetch a config for. ``public_id`` stands for it in addresses, so that ids cannot be counted through.

    ``config_revision`` is the number that its last own change (an override published, a pseudonym key renewed) took
    from the workspace's counter; 0 before the first. What is planned to start or end there counts from its instant on,
    whether or not a job has noticed: ``settled_at`` is the instant up to which such changes are in ``config_revision``,
    ``next_change_at`` the first one after it. See ``docs/adr/0005-planned-changes.md``.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    # No index of its own: the unique constraint below begins with the tenant.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="installations", db_index=False)
    # Index: "the installations of this app", when its blueprint changes.
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="installations")
    environment = models.CharField(
        max_length=20, choices=[(environment.value, environment.value.capitalize()) for environment in Environment]
    )
    config_revision = models.PositiveBigIntegerField(default=0, editable=False)
    settled_at = models.DateTimeField(db_default=Now(), editable=False)
    # Index: "where something is due".
    next_change_at = models.DateTimeField(null=True, blank=True, db_index=True, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["tenant", "app", "environment"]
        constraints = [
            # Also the index for "the installations of this tenant" and for one of them by app and environment.
            models.UniqueConstraint(fields=["tenant", "app", "environment"], name="tenants_installation_once"),
            # What composite foreign keys refer to: a row that names both cannot mix two tenants.
            models.UniqueConstraint(fields=["id", "tenant"], name="tenants_installation_of_tenant"),
            models.CheckConstraint(
                condition=models.Q(environment__in=[environment.value for environment in Environment]),
                name="tenants_installation_environment_known",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.app} at {self.tenant} ({self.environment})"
