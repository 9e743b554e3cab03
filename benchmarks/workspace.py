"""A workspace to measure on: a spec with many events, an app that is bound to it, installations and their keys."""

import msgspec

from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.enums import Environment, PrivacyLevel, PropertyType
from telemetry.core.spec import (
    EventDefinition,
    PropertyDefinition,
    Retention,
    Sampling,
    Semantics,
    TelemetryMeta,
    TelemetrySpec,
)

__all__ = ["make_installations", "make_spec", "publish_again"]

SPEC = "benchmark.shop"


# Words as products have them, so that names repeat as little, and compress as well, as real ones.
NOUNS = [
    "order",
    "cart",
    "checkout",
    "payment",
    "refund",
    "coupon",
    "invoice",
    "parcel",
    "address",
    "wishlist",
    "review",
]
VERBS = ["opened", "closed", "started", "finished", "failed", "changed", "removed", "added", "shown", "hidden", "sent"]
FIELDS = ["amount", "currency", "reason", "source", "position", "duration", "quantity", "discount", "plan", "channel"]
TYPES = (PropertyType.STRING, PropertyType.NUMBER, PropertyType.BOOLEAN, PropertyType.TIMESTAMP)


def make_spec(events: int) -> TelemetrySpec:
    """A spec with so many events of two properties each; about 300 bytes per event in the effective config."""
    return TelemetrySpec(
        meta=TelemetryMeta(name=SPEC, version=1, title="Shop", owners=("@shop",)),
        events=tuple(_make_event(number) for number in range(events)),
    )


def _make_event(number: int) -> EventDefinition:
    noun, verb = NOUNS[number % len(NOUNS)], VERBS[number * 5 % len(VERBS)]
    return EventDefinition(
        name=f"shop.{noun}_{verb}_{number}",
        version=1,
        semantics=Semantics(what=f"A customer's {noun} was {verb}"),
        privacy=PrivacyLevel.PII if number % 5 == 0 else PrivacyLevel.INTERNAL,
        properties={
            f"{noun}Id": PropertyDefinition(type=PropertyType.STRING, required=True, pii=number % 3 == 0 or None),
            FIELDS[number * 7 % len(FIELDS)]: PropertyDefinition(type=TYPES[number % len(TYPES)]),
        },
        retention=Retention(days=30 + number * 13 % 300) if number % 2 else None,
        sampling=Sampling(rate=(number * 37 % 100) / 100) if number % 4 == 0 else None,
    )


def make_installations(events: int, tenants: int, *, with_secret: bool = False) -> list[str]:
    """A published spec, an app that obeys it, and an installation with a key at each of so many tenants: the keys."""
    from telemetry.models import SpecRecord
    from telemetry.services.publishing import publish_version
    from telemetry.services.specs import create_spec
    from tenants.actors import SYSTEM
    from tenants.context import ALL, tenant_context
    from tenants.roles import Scope
    from tenants.services.apps import create_app
    from tenants.services.installations import create_installation
    from tenants.services.keys import issue_key
    from tenants.services.tenants import create_tenant

    scopes = [Scope.CONFIG_READ, *([Scope.CONFIG_SECRET] if with_secret else [])]
    texts = []
    with tenant_context(ALL):
        create_spec(actor=SYSTEM, spec=make_spec(events))
        revision = SpecRecord.objects.get(name=SPEC).draft_revision
        publish_version(actor=SYSTEM, name=SPEC, expected_revision=revision, change_summary="First")
        app = create_app(actor=SYSTEM, slug="shop", name="Shop", blueprint=AppBlueprint(spec=SpecPointer(name=SPEC)))
        for number in range(tenants):
            tenant = create_tenant(actor=SYSTEM, slug=f"tenant-{number}", name=f"Tenant {number}")
            installation = create_installation(actor=SYSTEM, tenant=tenant, app=app, environment=Environment.PRODUCTION)
            issued = issue_key(actor=SYSTEM, installation=installation, name="Benchmark", scopes=scopes)
            texts.append(issued.text)
    return texts


def publish_again(number: int) -> None:
    """The spec is published once more; its first event is kept for ``90 + number % 30`` days from now on."""
    from telemetry.models import SpecRecord
    from telemetry.services.publishing import publish_version
    from telemetry.services.specs import save_event
    from tenants.actors import SYSTEM
    from tenants.context import ALL, tenant_context

    event = msgspec.structs.replace(_make_event(0), retention=Retention(days=90 + number % 30))
    with tenant_context(ALL):
        save_event(actor=SYSTEM, spec_name=SPEC, event=event)
        revision = SpecRecord.objects.get(name=SPEC).draft_revision
        publish_version(actor=SYSTEM, name=SPEC, expected_revision=revision, change_summary="Again")
