"""What people decide about what detectors found."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

import msgspec
from django.db import transaction
from django.utils import timezone

from telemetry.core.enums import PrivacyLevel, PropertyType, RedactionStrategy
from telemetry.core.errors import Conflict, FieldError, InvalidDocument
from telemetry.core.spec import EventDefinition, PropertyDefinition, Redaction, TelemetryDefaults
from telemetry.core.validation import strategy_fits
from telemetry.detection.detector import SUGGESTIONS, Detector
from telemetry.mappers import defaults_from_record, event_from_record, meta_from_record
from telemetry.models import EventRecord, FindingState, PrivacyFinding
from telemetry.selectors.events import event_in_drafts
from telemetry.selectors.privacy_findings import of_the_same_kind
from telemetry.services.specs import save_event, save_meta
from tenants.actors import Actor, require
from tenants.services import audit

__all__ = ["LONGEST_SNOOZE", "accept_finding", "dismiss_finding", "reopen_finding", "snooze_finding", "strategy_for"]

LONGEST_SNOOZE: Final = timedelta(days=365)
LONGEST_REASON: Final = 1000


@transaction.atomic
def accept_finding(
    *, actor: Actor, finding: PrivacyFinding, strategy: RedactionStrategy | None = None, raise_level: bool = False
) -> EventRecord:
    """The draft of the event's spec marks the property as personal and hides it; it is declared if it was not.

    ``strategy`` unset means the one suggested. ``raise_level`` raises the event's privacy level to the suggested one,
    unless it is higher. The finding is accepted, and with it what any detector found in that property of the event in
    the tenants in which the actor may decide: until the draft is published it stays quiet. Needs ``finding.decide`` in
    the tenant, and ``spec.edit`` in the workspace. Raises ``Conflict`` if no draft has the event or the property has
    no name to go by, ``InvalidDocument`` if the strategy does not fit the type.
    """
    require(actor, "finding.decide", finding.tenant_id)
    require(actor, "spec.edit")
    event = event_in_drafts(finding.event_name, finding.event_version)
    if event is None or event.version != finding.event_version:
        raise Conflict(f"no draft has {finding.event_name} in version {finding.event_version} any more")
    if not finding.property_name:
        raise Conflict("a property whose name is not shown cannot be declared: find in the app what sends it")
    saved = _hide(actor, event, finding, strategy, raise_level=raise_level)
    rows = _decide(
        actor,
        of_the_same_kind(finding, any_detector=True),
        state=FindingState.ACCEPTED,
        accepted_spec=event.spec.name,
        accepted_version=event.spec.draft_version,
    )
    details = {"spec": event.spec.name, "event": saved.name, "path": finding.path, "findings": len(rows)}
    _record(actor, finding, "finding.accepted", details)
    return saved


@transaction.atomic
def dismiss_finding(*, actor: Actor, finding: PrivacyFinding, reason: str) -> int:
    """The finding stays quiet until clearly more is found; with it the same ones of other installations.

    Those in the tenants in which the actor may decide; how many. Needs ``finding.decide`` in the tenant. Raises
    ``InvalidDocument`` without a reason.
    """
    require(actor, "finding.decide", finding.tenant_id)
    if not 0 < len(reason.strip()) <= LONGEST_REASON:
        message = f"must say why it is no personal data, in at most {LONGEST_REASON} characters"
        raise InvalidDocument([FieldError("required", "reason", message)], what="decision")
    rows = _decide(actor, of_the_same_kind(finding), state=FindingState.DISMISSED, reason=reason.strip())
    _record(actor, finding, "finding.dismissed", {"findings": len(rows)})
    return len(rows)


@transaction.atomic
def snooze_finding(*, actor: Actor, finding: PrivacyFinding, until: datetime) -> int:
    """The finding stays quiet until that instant, and is open again with the next such value; see ``dismiss_finding``.

    Raises ``InvalidDocument`` if ``until`` is not within the next 365 days.
    """
    require(actor, "finding.decide", finding.tenant_id)
    now = timezone.now()
    if not now < until <= now + LONGEST_SNOOZE:
        error = FieldError("out_of_range", "until", f"must be within the next {LONGEST_SNOOZE.days} days")
        raise InvalidDocument([error], what="decision")
    rows = _decide(actor, of_the_same_kind(finding), state=FindingState.SNOOZED, snoozed_until=until)
    _record(actor, finding, "finding.snoozed", {"until": until.isoformat(), "findings": len(rows)})
    return len(rows)


@transaction.atomic
def reopen_finding(*, actor: Actor, finding: PrivacyFinding) -> int:
    """The finding waits for somebody again; see ``dismiss_finding``."""
    require(actor, "finding.decide", finding.tenant_id)
    rows = _decide(actor, of_the_same_kind(finding), state=FindingState.OPEN)
    _record(actor, finding, "finding.reopened", {"findings": len(rows)})
    return len(rows)


def strategy_for(detector: Detector, value_type: PropertyType, *, is_required: bool) -> RedactionStrategy:
    """How the value is best hidden: as suggested, if that fits its type and readers are not promised the property."""
    strategy = SUGGESTIONS[detector].strategy
    if is_required and strategy is RedactionStrategy.DROP:
        return RedactionStrategy.MASK
    return strategy if _fits(strategy, value_type) else RedactionStrategy.MASK


def _fits(strategy: RedactionStrategy, value_type: PropertyType) -> bool:
    # Of a number or an instant, generalise needs a setting that nobody has given.
    if strategy is RedactionStrategy.GENERALISE and value_type is not PropertyType.STRING:
        return False
    return strategy_fits(strategy, value_type)


def _hide(
    actor: Actor, event: EventRecord, finding: PrivacyFinding, strategy: RedactionStrategy | None, *, raise_level: bool
) -> EventRecord:
    if finding.path.startswith("context."):
        defaults = defaults_from_record(event.spec) or TelemetryDefaults()
        declared = {**defaults.context_properties}
        declared[finding.property_name] = _hidden(declared.get(finding.property_name), finding, strategy)
        changed = msgspec.structs.replace(defaults, context_properties=declared)
        save_meta(actor=actor, meta=meta_from_record(event.spec), config=changed)
        return event
    definition = event_from_record(event)
    properties = {**definition.properties}
    properties[finding.property_name] = _hidden(properties.get(finding.property_name), finding, strategy)
    level = _level(definition, finding) if raise_level else definition.privacy
    changed_event = msgspec.structs.replace(definition, properties=properties, privacy=level)
    return save_event(actor=actor, spec_name=event.spec.name, event=changed_event)


def _hidden(
    known: PropertyDefinition | None, finding: PrivacyFinding, strategy: RedactionStrategy | None
) -> PropertyDefinition:
    detector = Detector(finding.detector)
    definition = known or PropertyDefinition(
        type=PropertyType(finding.value_type), description=f"Undeclared until detectors took it for {detector.words}."
    )
    chosen = strategy or strategy_for(detector, definition.type, is_required=definition.required)
    return msgspec.structs.replace(definition, pii=True, redact=True, redaction=Redaction(strategy=chosen))


def _level(event: EventDefinition, finding: PrivacyFinding) -> PrivacyLevel:
    return max(event.privacy, SUGGESTIONS[Detector(finding.detector)].level, key=lambda level: level.rank)


def _decide(actor: Actor, rows: Sequence[PrivacyFinding], **decision: object) -> list[PrivacyFinding]:
    """The decision holds for the rows in whose tenant the actor may decide."""
    decided = [row for row in rows if actor.can("finding.decide", row.tenant_id)]
    nothing = {"reason": "", "snoozed_until": None, "accepted_spec": "", "accepted_version": None}
    values = {**nothing, **decision, "decided_at": timezone.now(), "decided_by_label": actor.label[:200]}
    for row in decided:
        row.found_at_decision = row.found
        for column, value in values.items():
            setattr(row, column, value)
    PrivacyFinding.objects.bulk_update(decided, [*values, "found_at_decision"])
    return decided


def _record(actor: Actor, finding: PrivacyFinding, action: str, details: dict[str, object]) -> None:
    audit.record(
        actor=actor,
        action=action,
        target=finding,
        tenant_id=finding.tenant_id,
        details={"detector": finding.detector, **details},
    )
