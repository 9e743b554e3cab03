"""Bodies as one would send them, for the schema; each is valid."""

from typing import Any, Final

from drf_spectacular.utils import OpenApiExample

__all__ = [
    "ALERT_CHANNEL",
    "ALERT_CHANNEL_CHANGE",
    "ALERT_MUTE",
    "ALERT_ROUTE",
    "ALERT_SWITCH",
    "ALERT_TEMPLATES",
    "BACKTEST",
    "BULK_CHANGE",
    "CONFIG_PREVIEW",
    "CONFIG_PROMOTION",
    "CONFIG_PUBLICATION",
    "CONFIG_ROLLBACK",
    "CONFIG_SCHEDULE",
    "EVENT_BATCH",
    "EVENT_SPEC",
    "EVENT_SPEC_REMOVAL",
    "FINDING_ACCEPTANCE",
    "FINDING_DISMISSAL",
    "FINDING_SNOOZE",
    "FLOOR",
    "FLOOR_EXCEPTION",
    "HOLD_LIFTING",
    "INCIDENT_ASSIGNMENT",
    "INCIDENT_COMMENT",
    "INCIDENT_MUTE",
    "MENDING",
    "NEW_ACCESS",
    "NEW_ERASURE",
    "NEW_HOLD",
    "NEW_PROVIDER",
    "NEW_TENANT",
    "OVERRIDE",
    "PROPOSAL_ACCEPTANCE",
    "PROPOSAL_REJECTION",
    "PROPOSAL_SNOOZE",
    "PROPOSAL_TAKING_BACK",
    "PROVIDER_CHANGE",
    "PROVIDER_SWITCH",
    "PURGE_APPROVAL",
    "RESEND",
    "RETENTION_PREVIEW",
    "REVIEW",
    "REVIEW_COMMENT",
    "REVIEW_OBJECTION",
    "REVIEW_REMARK",
    "SPEC",
    "SPEC_PUBLICATION",
    "VIOLATION_DECISION",
]

CHECKSUM: Final = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"


def _request(name: str, value: dict[str, Any]) -> OpenApiExample:
    return OpenApiExample(name, value=value, request_only=True)


EVENT_BATCH: Final = _request(
    "Two events of one person",
    {
        "sentAt": "2026-11-22T10:00:05Z",
        "appVersion": "4.2.0",
        "events": [
            {
                "id": "019aabd6-5b00-7c3e-9a4c-0d5a3b1f7e21",
                "name": "sigil.telemetry.workflow_step",
                "version": 1,
                "occurredAt": "2026-11-22T10:00:00Z",
                "properties": {"workflow": "deploy", "step": "build", "durationMs": 1250},
                "context": {"userId": "u-4711", "channel": "web"},
            },
            {
                "id": "019aabd6-6e88-7d11-8f02-4a6b9c0d1e22",
                "name": "sigil.telemetry.panel_opened",
                "occurredAt": "2026-11-22T10:00:05Z",
                "context": {"userId": "u-4711"},
            },
        ],
    },
)
SPEC: Final = _request(
    "A spec with one event",
    {
        "meta": {
            "name": "sigil.telemetry",
            "version": 1,
            "title": "Sigil telemetry",
            "owners": ["@team.analytics"],
        },
        "config": {"defaultRetentionDays": 30, "defaultSamplingRate": 1},
        "events": [
            {
                "name": "sigil.telemetry.workflow_step",
                "version": 1,
                "semantics": {"what": "Workflow step executed", "who": "Actor executing the workflow"},
                "privacy": "internal",
                "properties": {
                    "step": {"type": "string", "required": True},
                    "durationMs": {"type": "number"},
                    "userId": {"type": "string", "pii": True, "redact": True},
                },
            }
        ],
    },
)
EVENT_SPEC: Final = _request(
    "A contract with its schema and the places of personal data",
    {
        "meta": {"name": "sigil.telemetry.workflow_step", "version": 1, "domain": "sigil"},
        "payload": {
            "type": "object",
            "required": ["step"],
            "properties": {
                "step": {"type": "string"},
                "durationMs": {"type": "number"},
                "userId": {"type": "string"},
            },
        },
        "pii": ["userId"],
    },
)
EVENT_SPEC_REMOVAL: Final = _request("The one that was looked at", {"expectedChecksum": CHECKSUM})
SPEC_PUBLICATION: Final = _request(
    "What was reviewed", {"expectedRevision": 3, "changeSummary": "Measure how long each step takes"}
)
REVIEW: Final = _request("The draft that was just saved", {"expectedRevision": 3, "summary": "Ask for the user id too"})
REVIEW_COMMENT: Final = _request(
    "About one property", {"text": "Do we need this one?", "path": "events[0].properties.userId"}
)
REVIEW_REMARK: Final = _request("In words", {"text": "Agreed with legal"})
REVIEW_OBJECTION: Final = _request("What has to change", {"text": "Mask the user id"})
NEW_TENANT: Final = _request("A tenant", {"slug": "acme", "name": "Acme GmbH"})
OVERRIDE: Final = _request(
    "One event off, another sampled",
    {
        "events": {
            "sigil.telemetry.workflow_step": {"samplingRate": 0.25, "retentionDays": 7},
            "sigil.telemetry.panel_opened@1": {"enabled": False},
        }
    },
)
CONFIG_PUBLICATION: Final = _request(
    "What was reviewed",
    {"number": 4, "expectedChecksum": CHECKSUM, "expectedPublishedNumber": 3, "changeSummary": "Collect a quarter"},
)
VIOLATION_DECISION: Final = _request(
    "Mended in the next version", {"state": "resolved", "resolvedIn": "2.5.0", "allVersions": True}
)
FINDING_ACCEPTANCE: Final = _request("A pseudonym instead of the value", {"strategy": "hash", "raiseLevel": True})
FINDING_DISMISSAL: Final = _request("Why not", {"reason": "The address of our own support"})
FINDING_SNOOZE: Final = _request("Until the next release", {"until": "2026-12-24T12:00:00Z"})
MENDING: Final = _request(
    "A property under its right name, in the second version",
    {"version": 2, "steps": [{"step": "rename", "property": "stp", "to": "step"}, {"step": "drop_undeclared"}]},
)
INCIDENT_COMMENT: Final = _request("What was found", {"text": "The deploy of 14:05; rolled back."})
INCIDENT_MUTE: Final = _request("Over the weekend", {"until": "2026-12-28T08:00:00Z"})
PROPOSAL_ACCEPTANCE: Final = _request(
    "Another bound than the proposed one",
    {
        "patch": [
            {"op": "test", "path": "/events/0/name", "value": "sigil.telemetry.workflow_step"},
            {"op": "test", "path": "/events/0/version", "value": 1},
            {"op": "replace", "path": "/events/0/anomalyDetection/thresholds/0/max", "value": 2500},
        ],
        "comment": "Builds take longer since the new compiler.",
    },
)
PROPOSAL_REJECTION: Final = _request("Why not", {"reason": "The slow builds are a fault, and are being mended."})
PROPOSAL_SNOOZE: Final = _request("After the release", {"until": "2026-12-28T08:00:00Z"})
PROPOSAL_TAKING_BACK: Final = _request("It did not help", {"reason": "Alarms come as often as before."})
BACKTEST: Final = _request(
    "A silence and a limit",
    {
        "event": "sigil.telemetry.workflow_step",
        "eventVersion": 1,
        "anomalyDetection": {
            "rules": [
                {"name": "quiet", "statistic": "count", "method": "silence"},
                {"name": "slow", "statistic": "p95", "metric": "durationMs", "max": 1500, "windowMinutes": 60},
            ]
        },
        "days": 30,
    },
)
NEW_PROVIDER: Final = _request(
    "A web hook",
    {
        "installation": "0b5f5d4e-6d0a-4d6b-9d3e-2a7c3d0f8a11",
        "name": "Orders",
        "kind": "webhook",
        "settings": {"url": "https://hooks.example.com/events"},
        "credential": "a signing secret of your own",
        "highestLevel": "internal",
    },
)
PROVIDER_CHANGE: Final = _request(
    "Events up to a higher level, to the same address",
    {"settings": {"url": "https://hooks.example.com/events"}, "highestLevel": "pii"},
)
PROVIDER_SWITCH: Final = _request("Off for a while", {"isEnabled": False})
RESEND: Final = _request("One of them", {"delivery": 4711})
CONFIG_ROLLBACK: Final = _request(
    "Back to the second version", {"number": 2, "expectedPublishedNumber": 4, "changeSummary": "Too few events"}
)
CONFIG_PREVIEW: Final = _request("The draft that was just saved", {"number": 4, "expectedChecksum": CHECKSUM})
CONFIG_SCHEDULE: Final = _request(
    "For one weekend",
    {
        "number": 4,
        "expectedChecksum": CHECKSUM,
        "expectedPublishedNumber": 3,
        "changeSummary": "Keep less during the campaign",
        "startsAt": "2027-03-06T00:00:00Z",
        "endsAt": "2027-03-08T00:00:00Z",
    },
)
BULK_CHANGE: Final = _request(
    "Half of all events with personal data", {"filter": {"privacy": "pii"}, "change": {"samplingRate": 0.5}}
)
CONFIG_PROMOTION: Final = _request("What is live in staging", {"from": "0b5f5d4e-6d0a-4d6b-9d3e-2a7c3d0f8a11"})
FLOOR: Final = _request(
    "What touches people is hidden and does not stay",
    {
        "minimumRedaction": {"pii": "hash", "sensitive": "drop"},
        "maximumRetentionDays": {"pii": 30},
        "forcedOff": ["sigil.telemetry.panel_opened@1"],
        "sampling": {"minimumRate": 0.01, "maximumRate": 1},
    },
)
FLOOR_EXCEPTION: Final = _request(
    "Longer retention while a migration is checked",
    {
        "tenant": "acme",
        "app": "sigil",
        "environment": "production",
        "exception": {"limit": "maximumRetentionDays", "level": "pii", "retentionDays": 60},
        "reason": "The migration of March is compared with last month",
        "endsAt": "2027-03-31T00:00:00Z",
    },
)
INCIDENT_ASSIGNMENT: Final = _request("Ana takes it", {"assignee": "ana"})
ALERT_CHANNEL: Final = _request(
    "A web hook that is told at once",
    {
        "tenant": "acme",
        "name": "On call",
        "kind": "webhook",
        "destination": {"url": "https://hooks.example.com/alerts", "secret": "at least sixteen characters"},
        "quietMinutes": 60,
    },
)
ALERT_CHANNEL_CHANGE: Final = _request("A daily summary at five", {"pace": "daily", "digestHour": 5})
ALERT_TEMPLATES: Final = _request(
    "One line of its own", {"subject": "{state}: {event} at {tenant}", "body": "{what}\n{reading}\n{link}"}
)
ALERT_SWITCH: Final = _request("Told nothing", {"isEnabled": False})
ALERT_MUTE: Final = _request("Quiet over the release", {"until": "2027-03-06T18:00:00Z"})
ALERT_ROUTE: Final = _request(
    "The checkout in production",
    {"channel": "0b5f5d4e-6d0a-4d6b-9d3e-2a7c3d0f8a11", "event": "checkout.*", "environment": "production"},
)

NEW_ERASURE: Final = _request(
    "A person by a user's and a device's id",
    {
        "subjects": ["u-4711", "5f2b1c9e-device"],
        "tenants": ["acme"],
        "reference": "DSR-2041",
        "keptAwayUntil": None,
        "isConfirmed": False,
    },
)

NEW_ACCESS: Final = _request(
    "A person by a user's id", {"subjects": ["u-4711"], "tenants": ["acme"], "reference": "DSR-2042"}
)

PURGE_APPROVAL: Final = _request("As many as were shown", {"expectedRows": 2_400_000})
RETENTION_PREVIEW: Final = _request(
    "A week instead of a month", {"override": {"events": {"shop.orders.placed": {"retentionDays": 7}}}}
)
NEW_HOLD: Final = _request(
    "One person in one quarter",
    {
        "tenant": "acme",
        "reason": "Case 2027-118",
        "subject": "u-4711",
        "startsAt": "2027-01-01T00:00:00Z",
        "endsAt": "2027-04-01T00:00:00Z",
    },
)
HOLD_LIFTING: Final = _request("The case is over", {"because": "Case 2027-118 is closed"})
