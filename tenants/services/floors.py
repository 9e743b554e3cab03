"""Limits that nobody may loosen."""

from django.db import transaction

from telemetry.core.config import PrivacyFloor
from telemetry.core.errors import StaleRevision
from tenants.actors import Actor, require
from tenants.mappers import document_of
from tenants.models import App, ChangeScope, FloorRecord, FloorVersion
from tenants.services import audit
from tenants.services.config_revision import Stamp, record_change, take_stamp

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
    stamp = take_stamp()
    record = FloorRecord.objects.filter(app=app).first() or FloorRecord(app=app, config_revision=0, document="")
    if record.config_revision != expected_revision:
        raise StaleRevision("the privacy floor was changed by somebody else; reload it")
    details = {"config_revision": stamp.revision, "before": record.document, "after": document.text}
    record.document = document.text
    record.config_revision = stamp.revision
    record.updated_at = stamp.at
    record.updated_by_label = actor.label
    record.save()
    _keep(record, stamp)
    audit.record(actor=actor, action="floor.saved", target=record, details=details)
    return record


def _keep(record: FloorRecord, stamp: Stamp) -> None:
    """What the floor says from here on can be told later."""
    last = FloorVersion.objects.filter(floor=record).order_by("-number").values_list("number", flat=True).first()
    FloorVersion.objects.create(
        floor=record,
        number=(last or 0) + 1,
        document=record.document,
        saved_at=stamp.at,
        saved_by_label=record.updated_by_label,
    )
    record_change(ChangeScope.FLOOR, record.pk, stamp)
