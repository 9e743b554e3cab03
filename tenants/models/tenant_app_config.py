"""The versions of a tenant's changes to one installation."""

from django.db import models
from django.utils import timezone

from tenants.models.installation import Installation
from tenants.models.tenant import Tenant

__all__ = ["ConfigStatus", "TenantAppConfig"]


class ConfigStatus(models.TextChoices):
    """Life of a version; ``tenants.services.configs`` holds the moves that are allowed."""

    DRAFT = "draft"
    PREVIEW = "preview"
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    ARCHIVED = "archived"


class TenantAppConfig(models.Model):
    """One version of what a tenant changes; ``number`` counts 1..n within the installation.

    ``document`` is the canonical document of the core's ``TenantOverride`` and ``checksum`` its SHA-256 in hex; once
    the version has left ``draft``, the database refuses to change either. ``based_on`` is the version that it was
    written from: the one that was live, or the one that a rollback brought back. ``promoted_from`` is the version of
    another installation that it was taken from.

    ``status`` follows the periods of the versions: whoever has to know what is live at this very instant asks
    ``tenants.selectors``, which also knows what has started or ended since a job last looked.
    """

    # Set by selectors: the status at this instant.
    present_status: str

    # No index of its own: versions are found by installation, through the unique constraint below.
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, related_name="configs", db_index=False, editable=False
    )
    # No index of its own: it repeats the installation's tenant for row-level security.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False, editable=False)
    number = models.PositiveIntegerField(editable=False)
    status = models.CharField(max_length=10, choices=ConfigStatus.choices, default=ConfigStatus.DRAFT, editable=False)
    document = models.TextField(help_text="Canonical JSON.", editable=False)
    checksum = models.CharField(max_length=64, editable=False)
    change_summary = models.TextField(blank=True, default="", max_length=4000, editable=False)
    # No index: lineage is followed upwards only.
    based_on = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    # No index, see above.
    promoted_from = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="+", db_index=False, editable=False
    )
    created_by_label = models.CharField("created by", max_length=200, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    published_by_label = models.CharField("published by", max_length=200, blank=True, default="", editable=False)
    published_at = models.DateTimeField(null=True, blank=True, editable=False)

    class Meta:
        verbose_name = "tenant app config"
        ordering = ["installation", "-number"]
        constraints = [
            # Also the index for "the versions of this installation, newest first".
            models.UniqueConstraint(fields=["installation", "number"], name="tenants_config_number_once"),
            # Also the index for "what is live at this installation".
            models.UniqueConstraint(
                fields=["installation"],
                condition=models.Q(status=ConfigStatus.PUBLISHED),
                name="tenants_config_one_published",
            ),
            # Also the index for "the draft of this installation".
            models.UniqueConstraint(
                fields=["installation"], condition=models.Q(status=ConfigStatus.DRAFT), name="tenants_config_one_draft"
            ),
            models.CheckConstraint(condition=models.Q(number__gte=1), name="tenants_config_number_from_one"),
            models.CheckConstraint(
                condition=models.Q(status__in=ConfigStatus.values), name="tenants_config_status_known"
            ),
            models.CheckConstraint(
                condition=~models.Q(status__in=[ConfigStatus.PUBLISHED, ConfigStatus.SUPERSEDED])
                | models.Q(published_at__isnull=False),
                name="tenants_config_published_at_known",
            ),
        ]

    def __str__(self) -> str:
        return f"Version {self.number} ({self.state})"

    @property
    def state(self) -> str:
        """The status at this instant if a selector has told it, else the one that was stored last."""
        return getattr(self, "present_status", self.status)
