"""The counter behind config freshness."""

from django.db import models
from django.db.models.functions import Now

__all__ = ["ConfigRevisionCounter"]


class ConfigRevisionCounter(models.Model):
    """One row: the last number given out, and when. ``tenants.services.config_revision`` alone writes it.

    Nothing is planned anywhere before ``next_change_at`` that is not settled; null if nothing is planned at all.
    """

    value = models.PositiveBigIntegerField()
    changed_at = models.DateTimeField(db_default=Now())
    next_change_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        verbose_name = "config revision counter"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="tenants_configrevision_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.value)
