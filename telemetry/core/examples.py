"""An example payload of an event, and what the run time makes of a payload under the event's rules."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from telemetry.core.config import InstallationIdentity
from telemetry.core.enums import Environment, PrivacyLevel, PropertyType, RedactionStrategy
from telemetry.core.events import Accepted, Envelope, PseudonymKey, Rejected, Violation
from telemetry.core.lint.personal import is_identifier_name, personal_kind
from telemetry.core.pipeline import compile_config, process_event
from telemetry.core.redaction import required_redaction
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import EventDefinition, PropertyDefinition, TelemetryDefaults, TelemetryMeta, TelemetrySpec

__all__ = ["PayloadPreview", "ShownValue", "example_payload", "preview_payload", "why_hidden"]

# A fixed instant, so that equal events have equal examples.
_INSTANT: Final = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
# Pseudonyms in a preview look like real ones, and are of no use anywhere else.
_KEY: Final = PseudonymKey(epoch=1, secret=b"only for previews")
_INSTALLATION: Final = InstallationIdentity(
    tenant="preview", app="preview", environment=Environment.DEVELOPMENT, sampling_salt=""
)
# By the kinds that ``personal_kind`` tells apart. Source: names reserved for examples: RFC 2606 (domains), RFC 5737
# (addresses), and the telephone numbers 555-0100 to 555-0199 of the North American plan.
_EXAMPLES_OF_KINDS: Final[Mapping[str, str]] = {
    "an e-mail address": "ana@example.com",
    "a phone number": "+1 202 555 0147",
    "a person's name": "Ana Example",
    "a postal address": "1 Example Street",
    "an IP address": "203.0.113.7",
    "a date of birth": "1990-05-17",
    "a place on the map": "52.5200, 13.4050",
}


class ShownValue(msgspec.Struct, frozen=True):
    """One value of a payload before and after: ``is_kept`` false means that nothing stands in for it.

    ``hidden_by`` names the strategy and ``why`` the rule that asks for it; both are empty for a value that passes.
    """

    name: str
    before: Any
    after: Any
    is_kept: bool
    hidden_by: str
    why: str


class PayloadPreview(msgspec.Struct, frozen=True):
    """What becomes of a payload: its values in their order, or why the event is refused (``values`` is empty then)."""

    values: tuple[ShownValue, ...]
    violations: tuple[Violation, ...]
    is_refused: bool


def example_payload(event: EventDefinition) -> dict[str, Any]:
    """A payload that the event's properties allow; equal events have equal examples."""
    return {name: _example(name, definition) for name, definition in event.properties.items()}


def preview_payload(
    event: EventDefinition, payload: Mapping[str, Any], defaults: TelemetryDefaults | None = None
) -> PayloadPreview:
    """What the run time makes of the payload, were it sent and sampled in; pseudonyms are made with an example key.

    ``defaults`` are those of the event's spec; the event is valid as far as its properties and level go.
    """
    # Sampling and anomaly rules have no say in what a kept event shows, and may be half-typed.
    shown = msgspec.structs.replace(event, sampling=None, anomaly_detection=None)
    policy = None if defaults is None else defaults.undeclared_properties
    spec = TelemetrySpec(
        meta=TelemetryMeta(name="preview", version=1, title="Preview"),
        config=TelemetryDefaults(default_sampling_rate=1.0, undeclared_properties=policy),
        events=(shown,),
    )
    config = compile_config(resolve_config(spec, installation=_INSTALLATION))
    envelope = Envelope(
        id="00000000-0000-7000-8000-000000000000",
        name=event.name,
        version=event.version,
        occurred_at=_INSTANT,
        properties=payload,
    )
    outcome = process_event(envelope, config, key=_KEY)
    if isinstance(outcome, Accepted):
        after = outcome.dispatch.properties
        values = tuple(_shown(event, name, value, after) for name, value in payload.items())
        return PayloadPreview(values, outcome.violations, is_refused=False)
    return PayloadPreview((), outcome.violations, is_refused=isinstance(outcome, Rejected))


def why_hidden(definition: PropertyDefinition, privacy: PrivacyLevel) -> str:
    """The rule that hides values of this property at this level, in words; empty when none does."""
    if required_redaction(definition, privacy) is None:
        return ""
    if definition.pii:
        return "personal data"
    if definition.redact or definition.redaction is not None:
        return "its own rule"
    return f"level {privacy}"


def _shown(event: EventDefinition, name: str, before: Any, after: Mapping[str, Any]) -> ShownValue:
    definition = event.properties.get(name)
    is_kept, value = name in after, after.get(name)
    if definition is None:
        is_unchanged = is_kept and value == before
        hidden_by = "" if is_unchanged else "mask" if is_kept else "drop"
        return ShownValue(name, before, value, is_kept, hidden_by, "" if is_unchanged else "not declared")
    redaction = required_redaction(definition, event.privacy)
    hidden_by = "" if redaction is None else redaction.strategy.value
    return ShownValue(name, before, value, is_kept, hidden_by, why_hidden(definition, event.privacy))


def _example(name: str, definition: PropertyDefinition) -> Any:
    if definition.allowed_values:
        first = definition.allowed_values[0]
        return int(first) if isinstance(first, float) and first.is_integer() else first
    match definition.type:
        case PropertyType.STRING:
            return _example_text(name, definition)
        case PropertyType.NUMBER:
            return 1234
        case PropertyType.BOOLEAN:
            return True
        case PropertyType.TIMESTAMP:
            return "2026-01-15T09:30:00Z"
        case PropertyType.JSON:
            return {"example": True}


def _example_text(name: str, definition: PropertyDefinition) -> str:
    """Text that the name and the redaction make likely."""
    strategy = None if definition.redaction is None else definition.redaction.strategy
    if strategy is RedactionStrategy.EMAIL_DOMAIN:
        return _EXAMPLES_OF_KINDS["an e-mail address"]
    if strategy is RedactionStrategy.GENERALISE:
        return _EXAMPLES_OF_KINDS["an IP address"]
    known = _EXAMPLES_OF_KINDS.get(personal_kind(name, PropertyType.STRING) or "")
    if known is not None:
        return known
    return "user-123" if is_identifier_name(name, PropertyType.STRING) else "example text"
