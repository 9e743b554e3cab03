"""The counter behind config freshness."""

from django.db import models

__all__ = ["ConfigRevisionCounter"]


class ConfigRevisionCounter(models.Model):
    """One row: the last number given out. ``tenants.services.config_revision.bump`` alone writes it."""

    value = models.PositiveBigIntegerField()

    class Meta:
        verbose_name = "config revision counter"
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="tenants_configrevision_one_row"),
        ]

    def __str__(self) -> str:
        return str(self.value)
