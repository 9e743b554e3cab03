"""A suggested change of a spec, or of one tenant's override, with the evidence for it."""

from django.db import models

from telemetry.core.proposals.suggestion import Confidence
from telemetry.models.choices import choices_of, values_of
from tenants.models import Installation, Tenant

__all__ = ["UNSETTLED_STATES", "PromiseState", "Proposal", "ProposalEvidence", "ProposalStatus"]


class ProposalStatus(models.TextChoices):
    """Where a proposal stands. Accepted ones are in a draft; applied ones were published."""

    PENDING = "pending", "Pending"
    SNOOZED = "snoozed", "Snoozed"
    ACCEPTED = "accepted", "Accepted"
    REJECTED = "rejected", "Rejected"
    APPLIED = "applied", "Applied"


# One of these per cause.
UNSETTLED_STATES = (ProposalStatus.PENDING, ProposalStatus.SNOOZED, ProposalStatus.ACCEPTED)


class PromiseState(models.TextChoices):
    """What became of the promise; nothing is known before the change is published."""

    NONE = "", "Not published"
    WAITING = "waiting", "Being measured"
    KEPT = "kept", "Kept"
    BROKEN = "broken", "Broken"


class Proposal(models.Model):
    """One cause, the change that would end it, and what became of it.

    With ``tenant`` and ``installation`` the change is of that installation's override and its tenant's own; without,
    it is of the spec, and only people of the whole workspace see it. ``patch`` is a JSON Patch (RFC 6902) of the
    canonical document, made for version ``base_version``: of the spec, or of the override, 0 where there was none.
    ``promise`` is a ``telemetry.core.proposals.Promise``. ``strength`` is that of the evidence, and
    ``strength_at_decision`` what it was when somebody rejected the proposal, or took its change back.
    ``counts_before`` are the counters of violations and findings at publication, which only ever grow.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    cause = models.CharField(max_length=64)
    rule = models.CharField(max_length=64)
    spec_name = models.CharField(max_length=128)
    event_name = models.CharField(max_length=200)
    event_version = models.PositiveIntegerField()
    subject = models.CharField(max_length=200, blank=True, default="")
    title = models.CharField(max_length=300)
    summary = models.TextField()
    rationale = models.TextField()
    confidence = models.CharField(max_length=10, choices=choices_of(Confidence))
    blockers = models.JSONField(default=list)
    patch = models.JSONField(default=list)
    base_version = models.PositiveIntegerField()
    promise = models.JSONField(default=dict)
    strength = models.FloatField(default=0.0)
    status = models.CharField(max_length=20, choices=ProposalStatus.choices, default=ProposalStatus.PENDING)
    created_at = models.DateTimeField()
    last_signal_at = models.DateTimeField()
    snoozed_until = models.DateTimeField(null=True)
    decided_at = models.DateTimeField(null=True)
    decided_by_label = models.CharField(max_length=200, blank=True, default="")
    reason = models.CharField(max_length=2000, blank=True, default="")
    strength_at_decision = models.FloatField(default=0.0)
    reopened_at = models.DateTimeField(null=True)
    is_edited = models.BooleanField(default=False)
    applied_at = models.DateTimeField(null=True)
    applied_version = models.PositiveIntegerField(null=True)
    counts_before = models.JSONField(default=dict)
    outcome = models.CharField(max_length=10, choices=PromiseState.choices, blank=True, default=PromiseState.NONE)
    measured_at = models.DateTimeField(null=True)
    measured_value = models.FloatField(null=True)
    measured_sample = models.PositiveBigIntegerField(default=0)
    taken_back_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-last_signal_at", "-id"]
        constraints = [
            # One open proposal per cause; also the index that finds it.
            models.UniqueConstraint(
                fields=["cause"],
                condition=models.Q(status__in=["pending", "snoozed", "accepted"]),
                name="telemetry_proposal_one_open",
            ),
            models.CheckConstraint(
                condition=models.Q(status__in=ProposalStatus.values), name="telemetry_proposal_status_known"
            ),
            models.CheckConstraint(
                condition=models.Q(confidence__in=values_of(Confidence)), name="telemetry_proposal_confidence_known"
            ),
            models.CheckConstraint(
                condition=models.Q(tenant=None, installation=None)
                | models.Q(tenant__isnull=False, installation__isnull=False),
                name="telemetry_proposal_target_whole",
            ),
        ]
        indexes = [
            # The inbox, what spoke last first.
            models.Index(fields=["status", "-last_signal_at"], name="telemetry_proposal_inbox"),
            # What happened to a cause before.
            models.Index(fields=["cause", "-id"], name="telemetry_proposal_by_cause"),
            # What waits for a publication of this spec, and what is still measured.
            models.Index(fields=["spec_name", "status"], name="telemetry_proposal_by_spec"),
        ]

    def __str__(self) -> str:
        return self.title

    @property
    def is_open(self) -> bool:
        """Whether somebody still has to decide, or to publish."""
        return self.status in UNSETTLED_STATES

    @property
    def is_of_tenant(self) -> bool:
        """Whether the change is of one installation's override."""
        return self.installation_id is not None


class ProposalEvidence(models.Model):
    """One source that spoke for a proposal: how often, how strongly at last, and with which facts.

    Sources of a tenant's own data are that tenant's. ``facts`` are those of the last signal, never a hidden value.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    installation = models.ForeignKey(
        Installation, on_delete=models.PROTECT, null=True, related_name="+", db_index=False
    )
    # Index: the unique constraint below begins with it.
    proposal = models.ForeignKey(Proposal, on_delete=models.CASCADE, related_name="evidence", db_index=False)
    kind = models.CharField(max_length=40)
    source = models.CharField(max_length=300)
    facts = models.JSONField(default=dict)
    strength = models.FloatField(default=0.0)
    times = models.PositiveIntegerField(default=1)
    first_seen_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()

    class Meta:
        verbose_name_plural = "proposal evidence"
        ordering = ["-strength", "id"]
        constraints = [
            models.UniqueConstraint(fields=["proposal", "source"], name="telemetry_evidence_once"),
        ]

    def __str__(self) -> str:
        return self.source
