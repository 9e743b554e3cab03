"""What blueprints and floors said, version by version."""

from django.db import models

from tenants.models.app import App
from tenants.models.floor_record import FloorRecord

__all__ = ["BlueprintVersion", "FloorVersion"]


class BlueprintVersion(models.Model):
    """What the app's blueprint said from ``saved_at`` until the next version; the database refuses every change."""

    # No index of its own: the unique constraint below begins with the app.
    app = models.ForeignKey(App, on_delete=models.PROTECT, related_name="blueprints", db_index=False)
    number = models.PositiveIntegerField()
    document = models.TextField(help_text="Canonical JSON.")
    saved_at = models.DateTimeField()
    saved_by_label = models.CharField("saved by", max_length=200)

    class Meta:
        verbose_name = "blueprint version"
        ordering = ["app", "-number"]
        constraints = [models.UniqueConstraint(fields=["app", "number"], name="tenants_blueprint_number_once")]
        # What the blueprint said at an instant.
        indexes = [models.Index(fields=["app", "-saved_at"], name="tenants_blueprint_by_time")]

    def __str__(self) -> str:
        return f"Blueprint {self.number} of {self.app}"


class FloorVersion(models.Model):
    """What the floor said from ``saved_at`` until the next version; the database refuses every change."""

    # No index of its own: the unique constraint below begins with the floor.
    floor = models.ForeignKey(FloorRecord, on_delete=models.PROTECT, related_name="versions", db_index=False)
    number = models.PositiveIntegerField()
    document = models.TextField(help_text="Canonical JSON.")
    saved_at = models.DateTimeField()
    saved_by_label = models.CharField("saved by", max_length=200)

    class Meta:
        verbose_name = "floor version"
        ordering = ["floor", "-number"]
        constraints = [models.UniqueConstraint(fields=["floor", "number"], name="tenants_floorversion_number_once")]
        # What the floor said at an instant.
        indexes = [models.Index(fields=["floor", "-saved_at"], name="tenants_floorversion_by_time")]

    def __str__(self) -> str:
        return f"{self.floor}, version {self.number}"
