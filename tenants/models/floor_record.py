"""The limits that nobody may loosen."""

from django.db import models
from django.utils import timezone

from tenants.models.app import App

__all__ = ["FloorRecord"]


class FloorRecord(models.Model):
    """The privacy floor of the organisation (``app`` null) or of one app; both hold at once.

    ``document`` is the canonical document of the core's ``PrivacyFloor``. A floor is emptied, never removed: the
    greatest ``config_revision`` behind an effective config must not fall.
    """

    # No index of its own: the unique constraint below has it.
    app = models.ForeignKey(
        App, on_delete=models.PROTECT, null=True, blank=True, related_name="floors", db_index=False, editable=False
    )
    document = models.TextField(help_text="Canonical JSON.", editable=False)
    config_revision = models.PositiveBigIntegerField(editable=False)
    updated_at = models.DateTimeField(default=timezone.now, editable=False)
    updated_by_label = models.CharField("updated by", max_length=200, editable=False)

    class Meta:
        verbose_name = "privacy floor"
        ordering = [models.F("app").asc(nulls_first=True)]
        constraints = [
            # Nulls count as equal, so the organisation has at most one. Also the index for "the floors of this app".
            models.UniqueConstraint(fields=["app"], nulls_distinct=False, name="tenants_floor_one_each"),
        ]

    def __str__(self) -> str:
        return f"Floor of {self.app}" if self.app else "Floor of the organisation"
