"""A person with events at some tenants, and all that the tests of erasure look at."""

from datetime import timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

from telemetry.core.config import AppBlueprint, SpecPointer
from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Context
from telemetry.core.pseudonyms import Pseudonymiser
from telemetry.core.spec import Quarantine, TelemetryDefaults
from telemetry.models import ErasureRequest, StoredEvent
from telemetry.services.erasure.requests import confirm_erasure, request_erasure
from telemetry.services.erasure.working import work_on
from telemetry.services.ingest.incoming import Incoming
from tenants.actors import SYSTEM, Actor
from tenants.context import ALL, tenant_context
from tenants.models import Installation, Tenant
from tenants.pseudonym_key import installation_pseudonym_key
from tests.core.builders import make_event, make_property, make_redaction, make_spec
from tests.telemetry.factories import make_incoming, make_installation, make_published

__all__ = ["PERSON", "about", "confirm", "enter", "finish", "make_shop", "prepare", "pseudonyms_of", "stored", "texts"]

PERSON = "user-8f14e45f@example.com"
ORDER = "shop.order"


def prepare() -> None:
    """The spec of the shops: an order that hides the customer, and leaves a note as it is."""
    properties = {
        "orderId": make_property(required=True),
        "customer": make_property(pii=True, redaction=make_redaction("hash")),
        "note": make_property(),
    }
    spec = make_spec(
        make_event(ORDER, properties=properties),
        make_event("shop.secret", privacy=PrivacyLevel.SENSITIVE),
        name="shop.events",
        config=TelemetryDefaults(quarantine=Quarantine()),
    )
    make_published(spec)


def make_shop(slug: str) -> Installation:
    """A shop at a new tenant."""
    return make_installation(slug, blueprint=AppBlueprint(spec=SpecPointer(name="shop.events")))


def about(user: str | None = PERSON, **fields: Any) -> Incoming:
    """An order of somebody, now."""
    context = Context(user_id=user, **fields.pop("context", {}))
    return make_incoming(
        **{"name": ORDER, "properties": {"orderId": "o-1"}, "context": context, **fields},
    )


def pseudonyms_of(tenant: Tenant, text: str = PERSON) -> list[str]:
    """Under every key that the tenant has had, made here anew."""
    epochs = range(1, tenant.pseudonym_epoch + 1)
    return [Pseudonymiser(installation_pseudonym_key(tenant, epoch=epoch)).pseudonym(text) for epoch in epochs]


def enter(*tenants: Tenant, subjects: tuple[str, ...] = (PERSON,), **fields: Any) -> list[ErasureRequest]:
    """Requests that are counted."""
    with tenant_context(ALL):
        requests = request_erasure(actor=SYSTEM, subjects=subjects, tenants=tenants, **fields)
    for request in requests:
        finish(request)
    return requests


def confirm(request: ErasureRequest, actor: Actor = SYSTEM) -> None:
    """The request is confirmed."""
    with tenant_context(ALL):
        confirm_erasure(actor=actor, request=request)


def finish(request: ErasureRequest, *, after: timedelta = timedelta(seconds=5)) -> ErasureRequest:
    """A worker has done all that it can do, some time later; the request as it is then."""
    later = timezone.now() + after
    while work_on(request.pk, now=later) == 0.0:
        pass
    with tenant_context(ALL):
        request.refresh_from_db()
    return request


def stored() -> int:
    """How many events are stored, of all tenants."""
    with tenant_context(ALL):
        return StoredEvent.with_expired.count()


def texts() -> str:
    """Everything in every table of the database as text, in the way in which a leak would be found."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT c.relname FROM pg_class c WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition"
            " AND c.relnamespace = current_schema()::regnamespace"
        )
        tables = [name for (name,) in cursor.fetchall()]
        found = []
        for table in tables:
            cursor.execute(f'SELECT t::text FROM "{table}" t')  # noqa: S608 - names from the catalogue
            found += [f"{table}: {text}" for (text,) in cursor.fetchall()]
    return "\n".join(found)
