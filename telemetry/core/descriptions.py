"""What each field of a spec means, in one sentence for people who write one: for editors, forms and wizards."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

import msgspec

from telemetry.core.spec import (
    AnomalyDefaults,
    AnomalyDetection,
    AnomalyRule,
    Deprecation,
    EventDefinition,
    LintOptOut,
    PropertyDefinition,
    ProviderDefinition,
    Quarantine,
    Redaction,
    Retention,
    Sampling,
    Semantics,
    TelemetryDefaults,
    TelemetryMeta,
    TelemetrySpec,
    Threshold,
)

__all__ = ["FIELD_DESCRIPTIONS"]

# By type, then by attribute name; a test keeps it complete.
FIELD_DESCRIPTIONS: Final[Mapping[type[msgspec.Struct], Mapping[str, str]]] = MappingProxyType(
    {
        TelemetrySpec: {
            "meta": "Who owns the spec and how it is identified.",
            "config": "What holds for every event that does not say otherwise.",
            "events": "The events of this area, in the order in which people read them.",
        },
        TelemetryMeta: {
            "name": "Lower-case words joined by dots, such as sigil.telemetry; unique together with the version.",
            "version": "Whole number from 1; a published version never changes, so a change needs the next number.",
            "title": "Name of the spec as people read it.",
            "description": "What the spec covers, and for whom.",
            "domain": "Area of the product or organisation, such as sigil.",
            "owners": "People or teams to ask, each starting with @.",
            "tags": "Words to find the spec by.",
            "stability": "How settled the spec is.",
        },
        TelemetryDefaults: {
            "default_retention_days": "Days that events are kept when they name no retention of their own.",
            "default_sampling_rate": "Share kept, 0 to 1, when an event has no rate or its conditions do not hold.",
            "undeclared_properties": "What happens to properties that an event does not declare.",
            "context_properties": "Keys that the context's metadata may carry, under the same rules as properties.",
            "providers": "Places where events go.",
            "anomaly_detection": "Anomaly settings of the whole spec.",
            "quarantine": "Whether refused events are held, encrypted, so that they can be mended and taken in later.",
            "mask_detected": "Whether the studio masks values that read like personal data and that nothing hides.",
        },
        Quarantine: {
            "enabled": "Whether refused events are held.",
            "days": "Whole days that they are held; unset: 7.",
        },
        ProviderDefinition: {
            "type": "Kind of the place.",
            "config": "Settings of the place; a value such as ${POSTHOG_KEY} is read from the app's environment.",
        },
        AnomalyDefaults: {
            "enabled": "Whether anomaly rules of this spec are judged at all.",
            "check_interval_ms": "Width of the window that rules are judged on, in milliseconds.",
        },
        EventDefinition: {
            "name": "Name of the event as clients send it.",
            "version": "Whole number from 1; name and version together are unique in the spec.",
            "semantics": "What the event means, in words.",
            "privacy": "Protection class; it decides which properties are redacted even without a flag.",
            "properties": "The event's properties by name.",
            "retention": "How long the event is kept, and what happens then.",
            "sampling": "Which share of subjects is kept, and when.",
            "anomaly_detection": "Rules on the event's metrics.",
            "tags": "Words to find the event by.",
            "owners": "People or teams to ask, each starting with @; unset: the owners of the spec.",
            "review_by": "Last day before somebody looks at the event again, such as 2026-11-22.",
            "deprecation": "Why the event is no longer to be sent; unset while it is.",
            "lint_opt_outs": "Lint rules that do not hold for this event.",
        },
        Deprecation: {
            "reason": "Why it is no longer to be sent.",
            "replaced_by": "The event to send instead, by name or as name@version.",
        },
        LintOptOut: {
            "rule": "Name of the rule.",
            "reason": "Why the rule does not hold here.",
            "until": "Last day of the exception; unset: it has no end.",
        },
        Semantics: {
            "what": "What happened.",
            "who": "Who did it.",
            "why": "Why it is collected.",
        },
        PropertyDefinition: {
            "type": "Type of the value.",
            "required": "Whether an event without this property is rejected.",
            "pii": "true: personal data, redacted; false: free of personal data; unset: the privacy level decides.",
            "redact": "Whether the value is redacted, personal or not.",
            "redaction": "How the value is hidden; a flagged property without it is masked.",
            "description": "What the value says.",
            "allowed_values": "The only values that are taken, for text and numbers; unset: every value of the type.",
            "unit": "What a number counts, such as ms or EUR.",
        },
        Redaction: {
            "strategy": "How the value is hidden.",
            "length": "Characters that truncate keeps.",
            "unit": "Unit to which generalise cuts a timestamp.",
            "bucket": "Width of the ranges to which generalise cuts a number.",
        },
        Retention: {
            "days": "Whole days after the event was received.",
            "policy": "What happens when the days are over.",
        },
        Sampling: {
            "rate": "Share of subjects kept, 0 to 1, when all conditions hold.",
            "conditions": "CEL expressions over properties and context; unless all hold, the default rate applies.",
        },
        AnomalyDetection: {
            "enabled": "Whether these rules are judged.",
            "minimum_sample": "Values that a window needs before it is judged.",
            "thresholds": "Bounds of single values.",
            "rules": "Rules on statistics of whole windows.",
            "actions": "What to do about an anomaly.",
        },
        AnomalyRule: {
            "name": "Name of the rule, unique within the event.",
            "statistic": "What of the window's tallies is watched.",
            "method": "How the rule tells what is normal.",
            "metric": "A declared property, for statistics of one property.",
            "value": "The value whose share is watched: one of the property's allowed values, true or false.",
            "min": "Lowest value that is not an anomaly.",
            "max": "Highest value that is not an anomaly.",
            "sensitivity": "How far from normal is too far, in the method's own measure; more means fewer alarms.",
            "minimum_effect": "Smallest change, as a ratio of what is normal, that is worth an alarm.",
            "window_minutes": "Width of the window in minutes.",
            "minimum_sample": "Events that the window needs before it is judged.",
            "actions": "What to do about an anomaly of this rule.",
        },
        Threshold: {
            "metric": "A declared property of type number, or json with a numeric value.",
            "min": "Lowest value that is not an anomaly.",
            "max": "Highest value that is not an anomaly.",
        },
    }
)
