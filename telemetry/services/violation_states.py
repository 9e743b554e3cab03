"""What people decide about violations."""

from django.db import transaction
from django.utils import timezone

from telemetry.core.app_versions import is_app_version, version_order
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.models import ViolationRecord, ViolationState
from tenants.actors import Actor, require
from tenants.services import audit

__all__ = ["decide_violation"]

LONGEST_NOTE = 1000


@transaction.atomic
def decide_violation(
    *,
    actor: Actor,
    violation: ViolationRecord,
    state: ViolationState,
    resolved_in: str = "",
    note: str = "",
    all_versions: bool = False,
) -> int:
    """The violation has this state, or all of its kind do, whatever version of the app sends them; how many changed.

    A resolved one is open again as soon as another event has it; with ``resolved_in``, the version of the app in which
    it is mended, only if that version or a newer one sends it, or one that does not say its version. Needs
    ``violation.decide`` in the tenant. Raises ``InvalidDocument``.
    """
    require(actor, "violation.decide", violation.tenant_id)
    _check(state, resolved_in, note)
    rows = ViolationRecord.objects.filter(pk=violation.pk)
    if all_versions:
        rows = ViolationRecord.objects.filter(
            installation_id=violation.installation_id,
            event_name=violation.event_name,
            path=violation.path,
            code=violation.code,
        )
    # In the order in which ingest takes the rows.
    found = list(rows.select_for_update().order_by("event_name", "path", "code", "app_version"))
    for row in found:
        row.state = state
        row.resolved_in = resolved_in
        row.stays_resolved = bool(resolved_in) and _is_older(row.app_version, resolved_in)
        row.note = note.strip()
        row.decided_at = timezone.now()
        row.decided_by_label = actor.label[:200]
    ViolationRecord.objects.bulk_update(
        found, ["state", "resolved_in", "stays_resolved", "note", "decided_at", "decided_by_label"]
    )
    details = {"state": state.value, "violations": len(found)} | ({"resolved_in": resolved_in} if resolved_in else {})
    audit.record(
        actor=actor, action="violation.decided", target=violation, tenant_id=violation.tenant_id, details=details
    )
    return len(found)


def _is_older(app_version: str, resolved_in: str) -> bool:
    return bool(app_version) and version_order(app_version) < version_order(resolved_in)


def _check(state: ViolationState, resolved_in: str, note: str) -> None:
    errors = []
    if resolved_in and state is not ViolationState.RESOLVED:
        errors.append(FieldError("not_allowed", "resolvedIn", "belongs to the state resolved only"))
    if resolved_in and not is_app_version(resolved_in):
        message = "must be a version such as 2.4.0: letters, digits and any of . + _ -"
        errors.append(FieldError("wrong_form", "resolvedIn", message))
    if len(note) > LONGEST_NOTE:
        errors.append(FieldError("too_long", "note", f"must not be longer than {LONGEST_NOTE} characters"))
    if errors:
        raise InvalidDocument(errors, what="decision")
