"""Events that are to be passed on to a provider, or were."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from telemetry.models.provider_record import ProviderRecord
from tenants.models import Installation, Tenant

__all__ = ["DeliveryRecord", "DeliveryState"]


class DeliveryState(models.TextChoices):
    """``dead``: given up; a person may look at it and send it again."""

    WAITING = "waiting", "Waiting"
    DELIVERED = "delivered", "Delivered"
    DEAD = "dead", "Dead letter"


class DeliveryRecord(models.Model):
    """Events of one batch for one provider: the row that is written with the events, and that nothing is lost without.

    It names stored events and holds nothing of them, so an event that is erased or past its days is not passed on, and
    erasure has nothing to look for in here. ``names`` and ``received_at`` are what the store needs to find them. A row
    in hand is not due again before ``due_at``: whoever took it may have been killed. ``is_alone`` says that it is to be
    sent by itself, because it may be what a provider does not want. ``error`` is a word of ours, ``status`` the HTTP
    status of the last attempt.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    installation = models.ForeignKey(Installation, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The database ties it to the tenant as well. Index: those below begin with it.
    provider = models.ForeignKey(ProviderRecord, on_delete=models.CASCADE, related_name="deliveries", db_index=False)
    received_at = models.DateTimeField()
    names = ArrayField(models.CharField(max_length=200))
    event_ids = ArrayField(models.UUIDField())
    count = models.PositiveIntegerField()
    state = models.CharField(max_length=20, choices=DeliveryState.choices, default=DeliveryState.WAITING)
    is_alone = models.BooleanField(default=False)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=40, blank=True, default="")
    status = models.PositiveSmallIntegerField(null=True)

    class Meta:
        verbose_name = "delivery"
        verbose_name_plural = "deliveries"
        ordering = ["-id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(state__in=DeliveryState.values), name="telemetry_delivery_state_known"
            ),
        ]
        indexes = [
            # What is next for a provider, oldest first; and which providers have something to do.
            models.Index(
                fields=["provider", "id"],
                condition=models.Q(state=DeliveryState.WAITING),
                name="telemetry_delivery_waiting",
            ),
            # A provider's dead letters and last deliveries, newest first.
            models.Index(fields=["provider", "state", "-id"], name="telemetry_delivery_by_state"),
            # What is past its days.
            models.Index(
                fields=["settled_at"],
                condition=models.Q(settled_at__isnull=False),
                name="telemetry_delivery_settled",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.count} events for {self.provider_id}"
