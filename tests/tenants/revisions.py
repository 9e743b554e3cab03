"""Config revisions, read row by row."""

from tenants.models import App, FloorRecord, Installation

__all__ = ["own_revision"]


def own_revision(installation: Installation) -> int:
    """The greatest number on the installation, its app and the floors that hold for it, as they are stored now."""
    rows: list[App | FloorRecord | Installation] = [
        *Installation.objects.filter(pk=installation.pk),
        *App.objects.filter(pk=installation.app_id),
        *FloorRecord.objects.filter(app=None),
        *FloorRecord.objects.filter(app=installation.app_id),
    ]
    return max(row.config_revision for row in rows)
