"""What configs are put together from, made when a version is published."""

from django.db import models

from telemetry.models.spec_version import SpecVersion

__all__ = ["ConfigParts"]


class ConfigParts(models.Model):
    """The parts of all events of a version under the layers that installations share, as one JSON list.

    ``key`` is a digest of everything that the parts are made of, so a row is never wrong, only of no use any more.
    Nothing of a tenant is in it.
    """

    version = models.ForeignKey(SpecVersion, on_delete=models.PROTECT, related_name="+")
    key = models.CharField(max_length=80, unique=True)
    parts = models.TextField()

    class Meta:
        verbose_name_plural = "config parts"
        ordering = ["-pk"]

    def __str__(self) -> str:
        return self.key
