"""What saving an event would say, without saving it."""

import msgspec

from telemetry.core.errors import DuplicateEvent
from telemetry.core.lint import Finding
from telemetry.core.spec import EventDefinition, TelemetrySpec
from telemetry.models import SpecRecord
from telemetry.selectors.draft_states import DraftState
from telemetry.services.drafts import check_event
from telemetry.services.linting import lint_as_draft

__all__ = ["rehearse_event"]


def rehearse_event(
    record: SpecRecord, event: EventDefinition, *, replaces: tuple[str, int] | None = None
) -> tuple[Finding, ...]:
    """What lint would say about the event were it saved in this draft now; paths start inside the event.

    ``replaces`` is the name and version under which the draft knows it, if it does. Raises as ``save_event`` would:
    ``InvalidDocument`` with paths inside the event, ``DuplicateEvent``. Three queries; nothing is stored.
    """
    check_event(record, event)
    state = DraftState(record)
    draft, place = _draft_with(state.draft, event, replaces)
    inside = f"events[{place}]"
    return tuple(
        msgspec.structs.replace(finding, path=finding.path.removeprefix(inside).removeprefix("."))
        for finding in lint_as_draft(draft, state)
        if finding.path == inside or finding.path.startswith(f"{inside}.")
    )


def _draft_with(
    draft: TelemetrySpec, event: EventDefinition, replaces: tuple[str, int] | None
) -> tuple[TelemetrySpec, int]:
    """The draft as it would be, and the place of the event in it."""
    identities = [(each.name, each.version) for each in draft.events]
    place = identities.index(replaces) if replaces in identities else len(identities)
    others = identities[:place] + identities[place + 1 :]
    if (event.name, event.version) in others:
        raise DuplicateEvent(f"the draft has version {event.version} of the event {event.name} already")
    events = (*draft.events[:place], event, *draft.events[place + 1 :])
    return msgspec.structs.replace(draft, events=events), place
