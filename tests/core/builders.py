"""Builders of core values with sensible defaults: a test names only what it is about."""

from datetime import UTC, datetime
from typing import Any

from telemetry.core.config import InstallationIdentity
from telemetry.core.enums import (
    AnomalyAction,
    Environment,
    PrivacyLevel,
    PropertyType,
    ProviderType,
    RedactionStrategy,
    Stability,
)
from telemetry.core.events import Context, Envelope
from telemetry.core.spec import (
    AnomalyDetection,
    EventDefinition,
    PropertyDefinition,
    ProviderDefinition,
    Redaction,
    Semantics,
    TelemetryDefaults,
    TelemetryMeta,
    TelemetrySpec,
    Threshold,
)

__all__ = [
    "NOON",
    "make_context",
    "make_envelope",
    "make_event",
    "make_installation",
    "make_meta",
    "make_property",
    "make_redaction",
    "make_sigil_spec",
    "make_spec",
]

# The instant at which things happen in tests that do not care when.
NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


def make_property(type: str = "string", **fields: Any) -> PropertyDefinition:  # noqa: A002 - the document's key
    """A property of this type: optional, unflagged, unless ``fields`` says otherwise."""
    return PropertyDefinition(type=PropertyType(type), **fields)


def make_redaction(strategy: str, **settings: Any) -> Redaction:
    """A redaction by the strategy's word."""
    return Redaction(strategy=RedactionStrategy(strategy), **settings)


def make_event(name: str = "step", version: int = 1, **fields: Any) -> EventDefinition:
    """An internal event with a text, a number and a flagged personal property."""
    defaults: dict[str, Any] = {
        "semantics": Semantics(what="Step executed"),
        "privacy": PrivacyLevel.INTERNAL,
        "properties": {
            "step": make_property(required=True),
            "durationMs": make_property("number"),
            "userId": make_property(pii=True, redact=True),
        },
    }
    return EventDefinition(name=name, version=version, **{**defaults, **fields})


def make_meta(name: str = "sigil.telemetry", version: int = 1, **fields: Any) -> TelemetryMeta:
    """The least meta that is valid."""
    return TelemetryMeta(name=name, version=version, **{"title": "Sigil telemetry", **fields})


def make_spec(
    *events: EventDefinition,
    name: str = "sigil.telemetry",
    version: int = 1,
    config: TelemetryDefaults | None = None,
) -> TelemetrySpec:
    """A spec with these events, or with one default event when none is given."""
    return TelemetrySpec(meta=make_meta(name, version), config=config, events=events or (make_event(),))


def make_sigil_spec() -> TelemetrySpec:
    """The seed's example, as a value."""
    return TelemetrySpec(
        meta=TelemetryMeta(
            name="sigil.telemetry",
            version=1,
            title="Sigil telemetry",
            description="Core Sigil product telemetry",
            domain="sigil",
            owners=("@team.analytics",),
            tags=("telemetry",),
            stability=Stability.EXPERIMENTAL,
        ),
        config=TelemetryDefaults(
            default_retention_days=30,
            default_sampling_rate=1.0,
            providers=(ProviderDefinition(type=ProviderType.POSTHOG, config={"projectApiKey": "${POSTHOG_KEY}"}),),
        ),
        events=(
            make_event(
                "sigil.telemetry.workflow_step",
                semantics=Semantics(what="Workflow step executed", who="Actor executing the workflow"),
                properties={
                    "workflow": make_property(required=True),
                    "step": make_property(required=True),
                    "durationMs": make_property("number"),
                    "userId": make_property(pii=True, redact=True),
                },
                anomaly_detection=AnomalyDetection(
                    enabled=True,
                    minimum_sample=10,
                    thresholds=(Threshold(metric="durationMs", max=1500),),
                    actions=(AnomalyAction.ALERT, AnomalyAction.TRIGGER_REGEN),
                ),
            ),
        ),
    )


def make_context(**fields: Any) -> Context:
    """A person's session in a web client."""
    return Context(**{"user_id": "user-123", "session_id": "session-9", "channel": "web", **fields})


def make_envelope(name: str = "step", **fields: Any) -> Envelope:
    """An event as a client sends it, fit for ``make_event``."""
    defaults: dict[str, Any] = {
        "id": "01936d2e-0000-7000-8000-000000000001",
        "version": 1,
        "occurred_at": NOON,
        "properties": {"step": "verify_email", "durationMs": 2100, "userId": "user-123"},
        "context": make_context(),
    }
    return Envelope(name=name, **{**defaults, **fields})


def make_installation(**fields: Any) -> InstallationIdentity:
    """Sigil at Acme, in production."""
    defaults: dict[str, Any] = {
        "tenant": "acme",
        "app": "sigil",
        "environment": Environment.PRODUCTION,
        "sampling_salt": "salt-of-acme",
    }
    return InstallationIdentity(**{**defaults, **fields})
