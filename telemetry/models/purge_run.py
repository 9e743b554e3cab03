"""One run of retention at one tenant, and what it removed of each event."""

from django.db import models
from django.utils import timezone

from tenants.models import Installation, Tenant

__all__ = ["OPEN_STATES", "PurgeClock", "PurgeItem", "PurgeRun", "PurgeState"]


class PurgeState(models.TextChoices):
    """Where a run stands.

    ``waiting``: larger than the operators allow without a person's word. ``running``: may be carried on by any worker,
    at any time. ``replaced``: a newer plan has taken the place of one that nobody approved.
    """

    WAITING = "waiting", "Waits for approval"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    REPLACED = "replaced", "Replaced by a newer plan"


class PurgeClock(models.Model):
    """One row: until when the studio's clock is known to have been right, as far as retention goes."""

    trusted_at = models.DateTimeField()

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="telemetry_purgeclock_one_row"),
        ]

    def __str__(self) -> str:
        return self.trusted_at.isoformat()


OPEN_STATES = (PurgeState.WAITING, PurgeState.RUNNING)


class PurgeRun(models.Model):
    """What one tenant's retention asks to be removed, planned with a fixed cut-off, and how far that is done.

    Removed is what ended before ``cutoff``, the beginning of a day in UTC. ``terms`` are the shortened retentions that
    the run applies to stored events, ``applies`` what is known of installations once it has: both are written by
    ``telemetry.services.purging.terms``. ``shortened_rows`` counts the events that stay, and end sooner than before.
    ``why_waiting`` is a word of ours: ``large``, or ``clock``.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=10, choices=PurgeState.choices)
    cutoff = models.DateTimeField()
    terms = models.JSONField(default=list)
    applies = models.JSONField(default=list)
    planned_rows = models.PositiveBigIntegerField()
    planned_bytes = models.PositiveBigIntegerField()
    planned_at = models.DateTimeField(default=timezone.now)
    why_waiting = models.CharField(max_length=40, blank=True, default="")
    approved_at = models.DateTimeField(null=True, blank=True)
    approved_by = models.CharField(max_length=200, blank=True, default="")
    finished_at = models.DateTimeField(null=True, blank=True)
    shortened_rows = models.PositiveBigIntegerField(default=0)
    partitions = models.PositiveIntegerField(default=0)

    class Meta:
        ordering = ["-id"]
        indexes = [
            # The runs of a tenant, newest first.
            models.Index(fields=["tenant", "-id"], name="telemetry_purge_by_tenant"),
        ]
        constraints = [
            # Two planners at once: the second finds that there is a plan. Also the index for what is to be done.
            models.UniqueConstraint(
                fields=["tenant"],
                condition=models.Q(state__in=[PurgeState.WAITING, PurgeState.RUNNING]),
                name="telemetry_purge_one_open",
            ),
            models.UniqueConstraint(fields=["id", "tenant"], name="telemetry_purge_of_tenant"),
            models.CheckConstraint(condition=models.Q(state__in=PurgeState.values), name="telemetry_purge_state_known"),
        ]

    def __str__(self) -> str:
        return f"purge {self.pk}"


class PurgeItem(models.Model):
    """What a run does to one event of one installation: as planned, and as done, counted with the deletion itself.

    ``rows`` have been deleted, ``archived_rows`` deleted after they were archived. ``held_rows`` were due when this was
    planned and stay because of a legal hold. ``is_archived``: its events are archived at their end. ``size_bytes`` is
    that of the rows, without indexes; of archived ones as they were in the store.
    """

    # No index of their own: the constraint below begins with the run.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    run = models.ForeignKey(PurgeRun, on_delete=models.CASCADE, related_name="items", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    planned_rows = models.PositiveBigIntegerField(default=0)
    planned_bytes = models.PositiveBigIntegerField(default=0)
    held_rows = models.PositiveBigIntegerField(default=0)
    is_archived = models.BooleanField(default=False)
    oldest_on = models.DateField(null=True)
    newest_on = models.DateField(null=True)
    rows = models.PositiveBigIntegerField(default=0)
    size_bytes = models.PositiveBigIntegerField(default=0)
    archived_rows = models.PositiveBigIntegerField(default=0)
    archived_bytes = models.PositiveBigIntegerField(default=0)

    class Meta:
        ordering = ["-planned_rows", "name", "version"]
        constraints = [
            models.UniqueConstraint(
                fields=["run", "installation", "name", "version"], name="telemetry_purge_item_once"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"
