"""What is stored, counted as it is written: what retention plans by, without reading the events."""

from django.db import models

from tenants.models import Installation, Tenant

__all__ = ["RetentionState", "SealedPartition", "StoredDay", "StoredDelta", "UncountedPartition"]


class SealedPartition(models.Model):
    """A partition of events whose days are over and whose rows are counted in ``StoredDay``, exactly.

    Whoever removes rows lowers the counts in the same transaction. A row that comes late all the same (a stopped clock,
    one that was put back) takes the seal away, by a trigger, and the next run seals anew.
    """

    name = models.CharField(max_length=63, primary_key=True)
    sealed_at = models.DateTimeField()

    def __str__(self) -> str:
        return self.name


class UncountedPartition(models.Model):
    """A partition of events that has rows which nobody counted when they were written: it is read once, to be sealed.

    Those that were there when counting began.
    """

    name = models.CharField(max_length=63, primary_key=True)

    def __str__(self) -> str:
        return self.name


class StoredDelta(models.Model):
    """What one statement changed about the stored events of one name, day (UTC) and class, in its transaction.

    Appended by all that writes, changes or removes events, and moved into ``StoredDay`` by the purge: the two together
    are what is stored, at every moment. The instants bound those of rows that were added. Each ``slot`` is a partition:
    ingest takes one by its day, so that those of other days can be emptied as a whole; the rest is in the last.
    """

    id = models.BigAutoField(primary_key=True)
    slot = models.IntegerField(default=14)
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False)
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, related_name="+", db_constraint=False, db_index=False
    )
    retention_class = models.IntegerField()
    day = models.DateField()
    name = models.CharField(max_length=200)
    version = models.IntegerField()
    rows = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    first_received_at = models.DateTimeField(null=True)
    last_received_at = models.DateTimeField(null=True)
    first_expires_at = models.DateTimeField(null=True)
    last_expires_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}@{self.version} {self.day}"


class StoredDay(models.Model):
    """The events of one name that came on one day (UTC) and are in one partition; true while that is sealed.

    Until then some of it may still be in ``StoredDelta``.

    ``size_bytes`` is that of the rows, without indexes. The four instants bound those of the rows; some of the rows may
    be gone that had them.
    """

    # No index of its own: the constraint below begins with the partition.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    partition = models.CharField(max_length=63)
    retention_class = models.PositiveIntegerField()
    day = models.DateField()
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    # Not bound to be positive: where they are not, something was not counted, and the partition is read.
    rows = models.BigIntegerField()
    size_bytes = models.BigIntegerField()
    first_received_at = models.DateTimeField()
    last_received_at = models.DateTimeField()
    first_expires_at = models.DateTimeField()
    last_expires_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["partition", "installation", "day", "name", "version"], name="telemetry_storedday_once"
            ),
        ]
        indexes = [
            # What an installation has stored: the page of policies.
            models.Index(fields=["installation", "name"], name="telemetry_storedday_by_name"),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version} {self.day}"


class RetentionState(models.Model):
    """Which retention has been applied to an installation's stored events: that of the config of this revision.

    ``days`` has, by ``name@version``, how long events are kept; of events that the config has no more, how long they
    were. ``archived`` lists those whose events are archived at their end.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.OneToOneField(Installation, on_delete=models.CASCADE, related_name="+")
    revision = models.PositiveBigIntegerField()
    days = models.JSONField(default=dict)
    archived = models.JSONField(default=list)

    def __str__(self) -> str:
        return f"revision {self.revision}"
