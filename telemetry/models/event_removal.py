"""What became of stored events after they were stored: the other half of the balance."""

from django.db import models

from tenants.models import Installation, Tenant

__all__ = ["EventRemoval"]


class EventRemoval(models.Model):
    """How many of the events that came on one day (UTC) have left the store, and how.

    Counted in the transaction that removes them, so ``stored = live + purged + archived + erased`` at every moment.
    ``archived`` ones were put into an archive first. Kept for good, as ``EventDay`` is.
    """

    # No index of its own: the constraint below begins with the installation.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    day = models.DateField()
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    purged = models.PositiveBigIntegerField(default=0)
    archived = models.PositiveBigIntegerField(default=0)
    erased = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-day"]
        constraints = [
            models.UniqueConstraint(fields=["installation", "day", "name", "version"], name="telemetry_removal_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version} {self.day}"
