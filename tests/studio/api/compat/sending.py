"""A spec, an installation and a key, as the tests of other people's clients need them."""

from typing import Any, NamedTuple

from django.test import Client

from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.spec import TelemetryDefaults, TelemetrySpec
from telemetry.models import StoredEvent
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tenants.roles import Scope
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.telemetry.factories import make_installation, make_published
from tests.tenants.factories import make_key

__all__ = ["Shop", "make_shop", "post", "shop_spec", "stored"]


class Shop(NamedTuple):
    """An installation whose spec has the events of a web shop, and its key for sending."""

    installation: Installation
    key: str


def shop_spec() -> TelemetrySpec:
    """Events named as these clients name them, with personal data among their properties."""
    order = {
        "orderId": make_property(required=True),
        "total": make_property("number"),
        "email": make_property(pii=True, redaction=make_redaction("hash")),
        "items": make_property("json"),
    }
    shortened = make_redaction("truncate", length=20)
    return make_spec(
        make_event("Order Completed", properties=order),
        make_event("Order Completed", 2, properties={**order, "currency": make_property()}),
        make_event("$pageview", properties={"$current_url": make_property(redaction=shortened)}),
        make_event("$pageleave", properties={"$pathname": make_property(pii=False)}),
        make_event("page", properties={"name": make_property(pii=False), "url": make_property()}),
        make_event("identify", properties={"plan": make_property(), "email": make_property(pii=True)}),
        name="shop.events",
        config=TelemetryDefaults(
            context_properties={
                "$lib": make_property(),
                "library.name": make_property(pii=False),
                "service.name": make_property(pii=False),
                "locale": make_property(),
            }
        ),
    )


def make_shop(*scopes: Scope) -> Shop:
    """A new shop; its key has the scope ``ingest`` unless others are given."""
    make_published(shop_spec())
    installation = make_installation("acme", blueprint=AppBlueprint(spec=SpecPointer(name="shop.events")))
    return Shop(installation, make_key(installation, *scopes or (Scope.INGEST,)).text)


def stored(shop: Shop) -> list[StoredEvent]:
    """What is kept of the shop's events, in the order in which they happened."""
    with tenant_context(ALL):
        return list(StoredEvent.objects.filter(installation=shop.installation).order_by("occurred_at", "name"))


def post(path: str, body: Any, **headers: str) -> Any:
    """The answer to a POST with this JSON."""
    return Client().post(path, body, content_type="application/json", headers=headers)
