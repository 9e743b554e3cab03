"""What providers and alert channels have in common: somebody else's server, and how it goes with it."""

from django.db import models
from django.utils import timezone

__all__ = ["Receiver"]


class Receiver(models.Model):
    """Somewhere outside to which things are handed over.

    While nothing gets through, it rests until ``paused_until``; ``failures`` counts attempts in a row. Whoever hands
    over holds it until ``leased_until``. ``last_error`` is a word of ours, ``last_status`` the HTTP status, and nothing
    that the other side said is kept. ``delivered`` counts what arrived.
    """

    is_enabled = models.BooleanField(default=True)
    created_at = models.DateTimeField(default=timezone.now, editable=False)
    changed_at = models.DateTimeField(default=timezone.now)
    failures = models.PositiveIntegerField(default=0)
    paused_until = models.DateTimeField(null=True)
    leased_until = models.DateTimeField(null=True)
    last_error = models.CharField(max_length=40, blank=True, default="")
    last_status = models.PositiveSmallIntegerField(null=True)
    last_error_at = models.DateTimeField(null=True)
    last_delivered_at = models.DateTimeField(null=True)
    delivered = models.PositiveBigIntegerField(default=0)

    class Meta:
        abstract = True
