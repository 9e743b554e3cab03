"""The frozen versions of a spec."""

from django.db import models

from telemetry.models.spec_record import SpecRecord

__all__ = ["SpecVersion", "VersionStatus"]


class VersionStatus(models.TextChoices):
    """Life of a frozen version; a draft is not a version yet, it is rows."""

    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    ARCHIVED = "archived"


class SpecVersion(models.Model):
    """One published version: the canonical document, exactly as it was checked, and its SHA-256 ``checksum`` in hex.

    Everything is final but ``status`` and ``superseded_at``, the instant from which it was the latest no more; the
    database refuses every other change and every removal, whoever asks. ``based_on`` is the version that was published
    when this one was; null for the first.
    """

    spec = models.ForeignKey(SpecRecord, on_delete=models.PROTECT, related_name="versions")
    version = models.PositiveIntegerField()
    status = models.CharField(max_length=20, choices=VersionStatus.choices)
    document = models.TextField(help_text="Canonical JSON.")
    checksum = models.CharField(max_length=64)
    change_summary = models.TextField(blank=True, default="", max_length=4000)
    published_by_label = models.CharField("published by", max_length=200)
    published_by_id = models.CharField(max_length=64, blank=True, default="")
    published_at = models.DateTimeField()
    superseded_at = models.DateTimeField(null=True, blank=True)
    based_on = models.ForeignKey("self", on_delete=models.PROTECT, null=True, blank=True, related_name="+")

    class Meta:
        verbose_name = "spec version"
        ordering = ["spec", "-version"]
        constraints = [
            # Also the index for "this version of this spec" and "the newest versions of this spec".
            models.UniqueConstraint(fields=["spec", "version"], name="telemetry_version_once_per_spec"),
            # Also the index for "the published version of this spec".
            models.UniqueConstraint(
                fields=["spec"],
                condition=models.Q(status=VersionStatus.PUBLISHED),
                name="telemetry_version_one_published",
            ),
            models.CheckConstraint(condition=models.Q(version__gte=1), name="telemetry_version_from_one"),
            models.CheckConstraint(
                condition=models.Q(status__in=VersionStatus.values), name="telemetry_version_status_known"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.spec.name}@{self.version}"

    @property
    def document_bytes(self) -> bytes:
        """The frozen document as it was hashed: UTF-8."""
        return self.document.encode()
