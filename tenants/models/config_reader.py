"""Processes that answer configs from memory."""

from django.db import models
from django.utils import timezone

__all__ = ["ConfigReader"]


class ConfigReader(models.Model):
    """One process that holds a ``tenants.config_lease.ConfigLease``; what it and publishers agree on.

    ``seen`` is the last number of the revision counter that the process acts on, ``renewals`` counts its signs of life.
    No clock is compared with another: publishers watch whether ``renewals`` moves, by their own clock.
    """

    seen = models.PositiveBigIntegerField(default=0)
    renewals = models.PositiveBigIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "config reader"

    def __str__(self) -> str:
        return f"reader {self.pk}, at {self.seen}"
