"""The stored contract of an event."""

from django.db import models
from django.utils import timezone

__all__ = ["EventSpecRecord"]


class EventSpecRecord(models.Model):
    """One version of an event's contract, as it was imported last; it belongs to the whole workspace.

    ``document`` is the canonical document of the core's ``EventSpec`` and ``checksum`` its SHA-256 in hex; the other
    columns repeat its meta for lists and for lint. ``event_count`` is there when ``selectors.event_specs`` gave the
    row.
    """

    event_count: int

    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    title = models.CharField(max_length=200, blank=True, default="")
    domain = models.CharField(max_length=100, blank=True, default="")
    document = models.TextField(help_text="Canonical JSON.")
    checksum = models.CharField(max_length=64)
    imported_by_label = models.CharField("imported by", max_length=200)
    imported_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = "event spec"
        ordering = ["name", "-version"]
        constraints = [
            # Also the index for "the contracts of these events".
            models.UniqueConstraint(fields=["name", "version"], name="telemetry_event_spec_once"),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="telemetry_event_spec_version_from_one"),
        ]
        indexes = [
            # "Whether anybody writes contracts in this domain".
            models.Index(fields=["domain"], name="telemetry_event_spec_domain"),
        ]

    def __str__(self) -> str:
        return f"{self.name}@{self.version}"

    @property
    def document_bytes(self) -> bytes:
        """The document as it was hashed: UTF-8."""
        return self.document.encode()
