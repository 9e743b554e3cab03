"""Requests to erase what is stored about one person, the mark that keeps it away, and who else is asked to."""

import uuid
from typing import Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.utils import timezone

from telemetry.models.provider_record import ProviderKind, ProviderRecord
from telemetry.models.receipt import Receipt
from tenants.models import Tenant

__all__ = ["ACTIVE_STATES", "ErasedSubject", "ErasureForward", "ErasureRequest", "ErasureState", "ForwardState"]

# Longer than "p", the greatest epoch, "_" and 22 characters.
PSEUDONYM_LENGTH: Final = 40


class ErasureState(models.TextChoices):
    """``ready``: counted, waits for a person's word. ``held``: a legal hold forbids it. ``done``: nothing is left."""

    COUNTING = "counting", "Counting"
    READY = "ready", "To be confirmed"
    ERASING = "erasing", "Erasing"
    VERIFYING = "verifying", "Looking again"
    FORWARDING = "forwarding", "Telling providers"
    HELD = "held", "Stopped by a legal hold"
    DONE = "done", "Done"
    CANCELLED = "cancelled", "Cancelled"


# What a worker has something to do for.
ACTIVE_STATES: Final = (
    ErasureState.COUNTING,
    ErasureState.ERASING,
    ErasureState.VERIFYING,
    ErasureState.FORWARDING,
    ErasureState.HELD,
)


class ErasureRequest(models.Model):
    """One person at one tenant; requests that were entered together share ``case_id``.

    Who it is stands here as ``pseudonyms`` alone: under every key that the tenant has had, and ``probe_epoch`` is the
    newest of them. ``digest`` is a salted hash of them for receipts. ``position`` is how far the pass over all places
    has come; ``found``, ``erased`` and ``left`` are rows by place, installation and event, as ``services.erasure``
    writes them. ``fence`` is a transaction that must be over before erasing begins: what ran when the request was
    confirmed may still have been storing. ``ends_at`` unset means that the person's events are kept away for good.
    ``trouble`` says which place does not answer. ``is_confirmed_ahead``: whoever entered it did not
    want to see the count first.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    case_id = models.UUIDField(default=uuid.uuid4, editable=False)
    # The index below begins with it.
    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    state = models.CharField(max_length=20, choices=ErasureState.choices, default=ErasureState.COUNTING)
    reference = models.CharField(max_length=64, blank=True, default="")
    pseudonyms = ArrayField(models.CharField(max_length=PSEUDONYM_LENGTH))
    probe_epoch = models.PositiveIntegerField()
    salt = models.CharField(max_length=64)
    digest = models.CharField(max_length=64)
    position = models.JSONField(default=dict)
    found = models.JSONField(default=list)
    erased = models.JSONField(default=list)
    left = models.JSONField(default=list)
    passes = models.PositiveIntegerField(default=0)
    fence = models.BigIntegerField(null=True)
    held_by = models.CharField(max_length=400, blank=True, default="")
    trouble = models.CharField(max_length=200, blank=True, default="")
    ends_at = models.DateTimeField(null=True)
    receipt = models.ForeignKey(Receipt, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    created_by_label = models.CharField(max_length=200)
    confirmed_by_label = models.CharField(max_length=200, blank=True, default="")
    created_at = models.DateTimeField(default=timezone.now)
    due_on = models.DateField()
    confirmed_at = models.DateTimeField(null=True)
    erased_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    is_confirmed_ahead = models.BooleanField(default=False)
    step_due_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "erasure request"
        ordering = ["-id"]
        constraints = [
            # What marks and forwards refer to, so that none can name another tenant's request.
            models.UniqueConstraint(fields=["id", "tenant"], name="telemetry_erasure_of_tenant"),
            models.CheckConstraint(
                condition=models.Q(state__in=ErasureState.values), name="telemetry_erasure_state_known"
            ),
        ]
        indexes = [
            # A tenant's requests, the newest first.
            models.Index(fields=["tenant", "-id"], name="telemetry_erasure_by_tenant"),
            # What a worker may go on with.
            models.Index(
                fields=["step_due_at"],
                condition=models.Q(state__in=[state.value for state in ACTIVE_STATES]),
                name="telemetry_erasure_active",
            ),
        ]

    def __str__(self) -> str:
        return f"erasure request {str(self.public_id)[:8]}"


class ErasedSubject(models.Model):
    """A pseudonym whose events are not taken in any more, also under keys that the tenant does not have yet."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    # The database ties it to the tenant as well.
    request = models.ForeignKey(ErasureRequest, on_delete=models.PROTECT, related_name="subjects", db_index=False)
    pseudonym = models.CharField(max_length=PSEUDONYM_LENGTH)
    ends_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            # Also the index for "which of these are to be kept away", which ingest asks.
            models.UniqueConstraint(fields=["tenant", "pseudonym", "request"], name="telemetry_erased_once"),
        ]
        indexes = [
            # What is over.
            models.Index(fields=["ends_at"], condition=models.Q(ends_at__isnull=False), name="telemetry_erased_by_end"),
            # The marks of a request.
            models.Index(fields=["request"], name="telemetry_erased_by_request"),
        ]

    def __str__(self) -> str:
        return f"a mark of {self.request_id}"


class ForwardState(models.TextChoices):
    """``unsupported``: that place cannot be told, a person has to. ``failed``: given up, a person may try again."""

    WAITING = "waiting", "Waiting"
    DONE = "done", "Told"
    UNSUPPORTED = "unsupported", "Has to be done by hand"
    FAILED = "failed", "Given up"


class ErasureForward(models.Model):
    """A provider that is told to erase the person too. Name and kind are kept, should the provider be removed."""

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, related_name="+", db_index=False)
    request = models.ForeignKey(ErasureRequest, on_delete=models.PROTECT, related_name="forwards", db_index=False)
    provider = models.ForeignKey(ProviderRecord, on_delete=models.SET_NULL, null=True, related_name="+")
    name = models.CharField(max_length=64)
    kind = models.CharField(max_length=20, choices=ProviderKind.choices)
    place = models.CharField(max_length=200)
    state = models.CharField(max_length=20, choices=ForwardState.choices, default=ForwardState.WAITING)
    attempts = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    due_at = models.DateTimeField(default=timezone.now)
    settled_at = models.DateTimeField(null=True)
    error = models.CharField(max_length=40, blank=True, default="")
    status = models.PositiveSmallIntegerField(null=True)

    class Meta:
        ordering = ["id"]
        constraints = [
            # Also the index for "the forwards of this request".
            models.UniqueConstraint(fields=["request", "provider"], name="telemetry_forward_once"),
            models.CheckConstraint(
                condition=models.Q(state__in=ForwardState.values), name="telemetry_forward_state_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.name} of {self.request_id}"
