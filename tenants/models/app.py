"""A product that sends telemetry."""

from django.db import models
from django.utils import timezone

from tenants.models.tenant import SLUG_LENGTH, SLUG_PATTERN

__all__ = ["App"]


class App(models.Model):
    """A product, the same for all tenants; it holds no tenant data.

    ``blueprint`` is the canonical document of the core's ``AppBlueprint``. ``config_revision`` is the number that the
    last change of the blueprint took from the workspace's counter.
    """

    slug = models.CharField(max_length=SLUG_LENGTH, unique=True)
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True, default="", max_length=4000)
    blueprint = models.TextField(help_text="Canonical JSON.", editable=False)
    config_revision = models.PositiveBigIntegerField(default=0, editable=False)
    created_at = models.DateTimeField(default=timezone.now, editable=False)

    class Meta:
        ordering = ["slug"]
        constraints = [
            models.CheckConstraint(condition=models.Q(slug__regex=SLUG_PATTERN), name="tenants_app_slug_form"),
        ]

    def __str__(self) -> str:
        return self.name
