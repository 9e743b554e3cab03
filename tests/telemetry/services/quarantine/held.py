"""A spec that holds refused events, and events that it refuses, for the tests of the quarantine."""

from typing import Any

from telemetry.core.codec import convert_document
from telemetry.core.enums import PrivacyLevel, UndeclaredPolicy
from telemetry.core.mending import Mending
from telemetry.core.spec import Quarantine, TelemetryDefaults, TelemetrySpec
from telemetry.models import HeldEvent
from telemetry.selectors.quarantine import HeldGroup, group_by_id
from tenants.context import ALL, tenant_context
from tests.core.builders import make_event, make_property, make_spec

__all__ = ["STEP", "group", "held", "make_holding_spec", "mending"]

STEP = "sigil.telemetry.workflow_step"


def make_holding_spec(
    quarantine: Quarantine | None = None,
    *,
    undeclared: UndeclaredPolicy | None = None,
    privacy: PrivacyLevel = PrivacyLevel.INTERNAL,
) -> TelemetrySpec:
    """One event that needs a text; refused events are held for a week unless ``quarantine`` says otherwise."""
    event = make_event(
        STEP,
        privacy=privacy,
        properties={
            "step": make_property(required=True),
            "durationMs": make_property("number"),
            "userId": make_property(pii=True, redact=True),
        },
    )
    config = TelemetryDefaults(quarantine=quarantine or Quarantine(), undeclared_properties=undeclared)
    return make_spec(event, config=config)


def held() -> list[HeldEvent]:
    """What is held, the oldest first."""
    with tenant_context(ALL):
        return list(HeldEvent.objects.order_by("id"))


def group() -> HeldGroup:
    """The group of the first event that is held."""
    with tenant_context(ALL):
        return group_by_id(held()[0].pk)


def mending(*steps: dict[str, Any], **fields: Any) -> Mending:
    """A mending by its document."""
    return convert_document({"steps": list(steps), **fields}, Mending, what="mending")
