"""Limits that nobody may loosen."""

from django.db import transaction
from django.utils import timezone

from telemetry.core.config import PrivacyFloor
from telemetry.core.errors import StaleRevision
from tenants.actors import Actor, require
from tenants.mappers import document_of
from tenants.models import App, FloorRecord
from tenants.services import audit
from tenants.services.config_revision import bump

__all__ = ["save_floor"]


@transaction.atomic
def save_floor(*, actor: Actor, app: App | None, floor: PrivacyFloor, expected_revision: int) -> FloorRecord:
    """The floor of the app, or of the whole organisation for ``None``, holds from here on; an empty one lifts it.

    ``expected_revision`` is the ``config_revision`` of the record that was edited, 0 if there was none;
    ``StaleRevision`` if it changed since. Needs ``floor.edit`` in the workspace.
    """
    require(actor, "floor.edit")
    document = document_of(floor, what="privacy floor")
    # The counter's lock makes everything between here and the end of the transaction the deed of one writer.
    revision = bump()
    record = FloorRecord.objects.filter(app=app).first() or FloorRecord(app=app, config_revision=0, document="")
    if record.config_revision != expected_revision:
        raise StaleRevision("the privacy floor was changed by somebody else; reload it")
    details = {"config_revision": revision, "before": record.document, "after": document.text}
    record.document = document.text
    record.config_revision = revision
    record.updated_at = timezone.now()
    record.updated_by_label = actor.label
    record.save()
    audit.record(actor=actor, action="floor.saved", target=record, details=details)
    return record
