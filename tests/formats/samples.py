"""Plans of every format that have what the format can say, made up for these tests."""

import json
from typing import Any, Final

from telemetry.formats.sources import SourceFile

__all__ = ["SAMPLES"]

_PAYLOAD: Final[dict[str, Any]] = {
    "$schema": "http://json-schema.org/draft-07/schema#",
    "type": "object",
    "description": "An order was placed.",
    "properties": {
        "order id": {"type": "string", "description": "Number of the order", "minLength": 3, "pattern": "^[A-Z]"},
        "total": {"type": ["number", "null"], "minimum": 0, "title": "Total"},
        "items": {"type": "array", "items": {"type": "object", "properties": {"sku": {"type": "string"}}}},
        "count": {"type": "integer", "exclusiveMinimum": 0},
        "placed_at": {"type": "string", "format": "date-time"},
        "email": {"type": "string", "format": "email"},
        "method": {"enum": ["card", "cash", None]},
        "size": {"enum": [1, 2, 3]},
        "is gift": {"type": "boolean", "default": False},
        "coupon": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "channel": {"oneOf": [{"const": "web"}, {"const": "app", "description": "The app"}]},
        "either": {"oneOf": [{"type": "string"}, {"type": "object"}]},
        "address": {"$ref": "#/definitions/address"},
        "anything": {},
        "größe": {"type": "string"},
        "1st": {"type": "string"},
        "_1st": {"type": "string"},
    },
    "required": ["order id", "total", "undescribed"],
    "additionalProperties": False,
    "definitions": {
        "address": {"type": "object", "description": "Where to", "properties": {"zip": {"type": "string"}}}
    },
}
_SEGMENT: Final = {
    "id": "tp_1",
    "name": "Shop plan",
    "description": "What the shop tracks",
    "type": "LIVE",
    "rules": [
        {
            "type": "TRACK",
            "key": "Order Placed",
            "version": 2,
            "jsonSchema": {**_PAYLOAD, "labels": {"team": "growth"}},
        },
        {
            "type": "TRACK",
            "key": "Nested",
            "version": 1,
            "deprecatedAt": "2024-01-01T00:00:00.000Z",
            "jsonSchema": {
                "properties": {
                    "context": {"type": "object", "properties": {"locale": {"type": "string"}}},
                    "traits": {"type": "object", "properties": {"plan": {"type": "string"}}},
                    "properties": {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]},
                },
                "required": ["properties"],
                "type": "object",
            },
        },
        {"type": "IDENTIFY", "jsonSchema": {"properties": {"traits": {"type": "object", "properties": {"name": {}}}}}},
        {"type": "COMMON", "jsonSchema": {"properties": {"context": {"properties": {"ip": {"type": "string"}}}}}},
    ],
}
_CONFIG_API: Final = {
    "tracking_plans": [
        {
            "name": "workspaces/shop/tracking-plans/rs_1",
            "display_name": "Shop",
            "rules": {
                "events": [
                    {"name": "Order Placed", "version": 1, "description": "Placed", "rules": {**_PAYLOAD}},
                    {"name": "Order Placed", "version": 1, "description": "Again", "rules": {"labels": {}}},
                ],
                "global": {"properties": {"context": {"properties": {"app": {"type": "string"}}}}},
                "identify_traits": [{"name": "email", "description": "Mail", "rules": {"type": "string"}}],
                "group_traits": [],
            },
            "create_time": "2019-02-05T00:28:31Z",
        }
    ]
}
_RUDDERSTACK: Final = {
    "name": "Shop plan",
    "version": 4,
    "workspaceId": "w",
    "rules": {
        "events": [
            {
                "name": "Order Placed",
                "eventType": "track",
                "description": "Placed",
                "rules": {"type": "object", "properties": {"properties": _PAYLOAD}, "required": ["properties"]},
            },
            {
                "name": "",
                "eventType": "identify",
                "identitySection": "context.traits",
                "rules": {
                    "properties": {
                        "context": {
                            "properties": {"traits": {"type": "object", "properties": {"email": {"type": "string"}}}}
                        }
                    }
                },
            },
            {"name": "Home", "eventType": "page", "rules": {"properties": {"properties": {"type": "object"}}}},
        ]
    },
}
_PROJECT: Final = {
    "events.yaml": """\
version: rudder/v1
kind: events
metadata: {name: shop}
spec:
  events:
    - {id: placed, name: Order Placed, event_type: track, description: Placed, category: "#category:orders"}
    - {id: id, name: "", event_type: identify}
""",
    "properties.yaml": """\
version: rudder/0.1
kind: properties
metadata: {name: shop}
spec:
  properties:
    - {id: total, name: Total, type: number, description: In euros, propConfig: {minimum: 0}}
    - {id: method, name: method, type: string, config: {enum: [card, cash]}}
    - {id: mail, name: mail, type: "#/custom-types/shop/email"}
    - {id: mixed, name: mixed, type: "string, null"}
    - {id: at, name: at, types: [string], config: {format: date-time}}
    - {id: spare, name: spare, type: object}
""",
    "types.yaml": """\
version: rudder/v1
kind: custom-types
metadata: {name: shop}
spec:
  types:
    - {id: email, name: Email, type: string, config: {format: email, maxLength: 200}}
""",
    "plan.yaml": """\
version: rudder/v1
kind: tracking-plan
metadata: {name: shop}
spec:
  id: shop_plan
  display_name: Shop plan
  description: What the shop tracks
  rules:
    - type: event_rule
      id: r1
      event: "#event:placed"
      additional_properties: false
      properties:
        - {property: "#property:total", required: true}
        - {$ref: "#/properties/shop/method", required: false}
        - {property: "#property:mail"}
        - {property: "#property:mixed", required: true}
        - {property: "#property:at"}
        - {property: "#property:gone", required: true}
        - property: "#property:spare"
          properties: [{property: "#property:total"}]
      variants: [{type: discriminator, discriminator: "#property:method", cases: []}]
    - {type: event_rule, id: r2, event: {$ref: "#/events/shop/missing", allow_unplanned: true}}
""",
}
_IGLU: Final = [
    {
        "self": {"vendor": "com.acme.shop", "name": "order", "format": "jsonschema", "version": version},
        **_PAYLOAD,
        "$supersedes": ["1-0-0"],
    }
    for version in ("1-0-0", "1-1-2", "2-0-0")
]
_GLEAN: Final = """\
---
$schema: moz://mozilla.org/schemas/glean/metrics/2-0-0
no_lint: [CATEGORY_GENERIC]
defaults:
  opened: &opened
    type: event
    description: |
      The window was opened. By whom does not matter here, only that it was, and how often that happened in all.

      A second paragraph.
    bugs: ["https://bugs.example.com/1"]
    data_reviews: ["https://bugs.example.com/2"]
    notification_emails: [team@example.com, "odd one@example.com"]
    expires: 2027-01-31
    data_sensitivity: [technical, interaction]
    extra_keys:
      how_long: {type: quantity, description: How long it took}
      by: {description: Who}
      is_first: {type: boolean, description: The first one}
  closed:
    <<: *opened
    version: 0
    disabled: true
    send_in_pings: [events, "odd ping"]
    metadata: {tags: [window]}
    no_lint: [EXPIRATION_DATE_TOO_FAR]
menu.items:
  clicks:
    type: labeled_counter
    labels: [file, edit]
    description: Clicks
    lifetime: application
    notification_emails: [team@example.com]
    expires: expired
    data_sensitivity: [highly_sensitive]
  load_time:
    type: timing_distribution
    time_unit: millisecond
    description: Time
    notification_emails: [team@example.com]
    expires: never
    data_sensitivity: [stored_content]
  crashes:
    {type: rate, description: Crashes, notification_emails: [a@example.com], expires: "120", denominator_metric: x}
"""
_PINGS: Final = """\
---
$schema: moz://mozilla.org/schemas/glean/pings/2-0-0
history-sync:
  description: Sent with each sync
  include_client_id: true
  send_if_empty: false
  reasons: {done: It is done, "failed": It failed}
  bugs: ["https://bugs.example.com/1"]
  notification_emails: [team@example.com]
  data_reviews: []
"""
_OTEL: Final = """\
groups:
  - id: registry.shop
    type: attribute_group
    display_name: Shop
    brief: Attributes of the shop
    attributes:
      - {id: shop.order.id, type: string, stability: stable, brief: The order, examples: ["A1", "A2"]}
      - {id: shop.items, type: "string[]", stability: development, brief: Items, note: All of them}
      - id: shop.method
        stability: stable
        brief: How it was paid
        type:
          allow_custom_values: true
          members:
            - {id: card, value: card, brief: By card, stability: stable}
            - {id: cash, value: cash, stability: development}
      - {id: shop.total, type: double, stability: stable, brief: Total}
      - {id: shop.count, type: int, stability: stable, brief: Count, deprecated: {reason: obsoleted}}
      - {id: shop.header, type: "template[string]", stability: stable, brief: Headers}
      - {id: shop.unused, type: boolean, stability: stable, brief: Nobody refers to it}
  - id: attributes.shop.common
    type: attribute_group
    brief: Common
    attributes: [{ref: shop.method}, {ref: shop.total, brief: Another total}]
  - id: event.shop.order_placed
    type: event
    name: shop.order_placed
    stability: stable
    brief: An order was placed
    note: >
      Sent once.
    extends: attributes.shop.common
    entity_associations: [service]
    attributes:
      - {ref: shop.order.id, requirement_level: required}
      - {ref: shop.items, requirement_level: {conditionally_required: If there are any}}
      - {ref: shop.count, requirement_level: opt_in, sampling_relevant: true}
      - {ref: shop.gone, requirement_level: recommended}
      - {id: shop.own, type: any, brief: Of its own, stability: development}
    body:
      id: body
      type: map
      requirement_level: required
      fields:
        - {id: method, type: enum, members: [{id: a, value: a}], brief: A method, requirement_level: required}
        - {id: nested, type: map, fields: [{id: x, type: string}], requirement_level: opt_in}
  - id: event.shop.order_lost
    type: event
    name: shop.order_lost
    stability: development
    deprecated: {reason: renamed, renamed_to: shop.order_placed, note: Say it with another}
    brief: An order was lost
  - {id: event.old, type: event, name: shop.old, deprecated: Use another, brief: Old, stability: development}
  - id: metric.shop.duration
    type: metric
    metric_name: shop.duration
    instrument: histogram
    unit: s
    stability: stable
    brief: Duration
    attributes: [{ref: shop.method}]
  - {id: span.shop.client, type: span, span_kind: client, brief: A span, stability: development, attributes: []}
"""
_OTEL_2: Final = """\
file_format: definition/2
attributes:
  - {key: session.id, type: string, stability: development, brief: The session, examples: ["x"]}
attribute_groups:
  - {id: session.all, visibility: internal, attributes: [{ref: session.id, requirement_level: required}]}
events:
  - name: session.start
    stability: development
    brief: Started
    attributes: [{ref_group: session.all}, {ref: session.previous}]
metrics:
  - {name: session.count, unit: "{session}", instrument: counter, brief: Sessions, stability: development}
imports: {events: ["x.*"]}
"""
_CSV: Final = """\
Event Name,Event Description,Privacy,Property Name,Property Type,Required,Description,Enum,Team,Unit,Tags
Order Placed,An order,internal,total,Number,yes,In euros,,growth,EUR,a b
Order Placed,An order,,count,integer,no,,1|2|3,growth,,
Order Placed,Another text,,method,string,maybe,"=1+1",card|cash,,,
,,,locale,string,,Of the context,,,,
Order Lost,,PII,,,,,,,,
"""
_TYPESCRIPT: Final = """\
import { StabilityEnum, OwnersEnum, type TelemetrySpec } from '@origin/contracts';
import { shared } from './shared';

enum Level { Internal = 'internal', Pii = "pii" }
const PREFIX = 'shop.orders' as const;
const common = { total: { type: 'number', description: `In ${'euros'}` } };

/** What the shop tracks. */
export const ShopTelemetry = defineTelemetry({
  meta: {
    key: PREFIX + '.telemetry',
    version: '1.2.0',
    title: "Shop \\u00e9 \\x41",
    owners: [OwnersEnum.PlatformShop, '@growth'],
    stability: StabilityEnum.InCreation,
    docId: ['x'],
  },
  config: {
    defaultSamplingRate: 0.5,
    providers: [
      {
        type: 'posthog',
        config: { projectApiKey: process.env.POSTHOG_KEY!, host: process.env['HOST'] ?? 'x', on: now() },
      },
    ],
  },
  events: [
    {
      key: `${PREFIX}.placed`,
      version: '2.0.0',
      semantics: { what: 'Placed' /* a comment */ },
      privacy: Level.Pii,
      properties: { ...common, 'order-id': { type: 'string', required: true, pii: false }, made: { type: 'date' } },
      retention: { days: 90, policy: 'archive' },
      sampling: { rate: 0.1, conditions: ['user.plan === "free"'] },
      anomalyDetection: {
        enabled: true,
        minimumSample: 1_0,
        thresholds: [{ metric: 'total', max: -1 }, { metric: 'x', max: 1 }],
        actions: ['alert'],
      },
      tags: ['a'],
      ...shared,
    },
    makeEvent(1, 2),
  ],
} satisfies TelemetrySpec);
"""


def _json(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()


# Of each format, under a name of their own: files that belong together.
SAMPLES: Final[dict[str, tuple[str, list[SourceFile]]]] = {
    "json-schema": ("json-schema", [SourceFile("order.json", _json(_PAYLOAD))]),
    "segment": ("segment", [SourceFile("plan.json", _json(_SEGMENT))]),
    "segment, config": ("segment", [SourceFile("plans.json", _json(_CONFIG_API))]),
    "rudderstack": ("rudderstack", [SourceFile("plan.json", _json(_RUDDERSTACK))]),
    "rudderstack, project": ("rudderstack", [SourceFile(name, text.encode()) for name, text in _PROJECT.items()]),
    "iglu": ("iglu", [SourceFile("schemas.json", _json(_IGLU))]),
    "glean": ("glean", [SourceFile("metrics.yaml", _GLEAN.encode()), SourceFile("pings.yaml", _PINGS.encode())]),
    "otel": ("otel", [SourceFile("shop.yaml", _OTEL.encode())]),
    "otel, second": ("otel", [SourceFile("session.yaml", _OTEL_2.encode())]),
    "csv": ("csv", [SourceFile("plan.csv", _CSV.encode())]),
    "contractspec": ("contractspec", [SourceFile("shop.telemetry.ts", _TYPESCRIPT.encode())]),
}
