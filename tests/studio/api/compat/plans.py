"""A spec as somebody who comes from another client would write it, and what it makes of a client's events."""

from collections.abc import Iterable
from datetime import timedelta
from typing import Any
from uuid import UUID

from studio.api.compat.events import ClientEvent, EventIds, Mapper
from telemetry.core.compiled import CompiledConfig, compile_config
from telemetry.core.enums import EventSource
from telemetry.core.events import Envelope
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import TelemetryDefaults
from tests.core.builders import NOON, make_event, make_installation, make_property, make_spec

__all__ = ["RECEIVED_AT", "SECRET", "envelopes", "make_plan", "mapper_for", "only"]

RECEIVED_AT = NOON + timedelta(seconds=2)
SECRET = b"sixteen bytes or more"


def make_plan() -> CompiledConfig:
    """Two versions of an order, a page view, and the context that a web shop would declare."""
    order = {"total": make_property("number"), "email": make_property(pii=True)}
    spec = make_spec(
        make_event("Order Completed", properties=order),
        make_event("Order Completed", 2, properties={**order, "$current_url": make_property(pii=False)}),
        make_event("$pageview", properties={"$current_url": make_property(pii=False)}),
        make_event("page", properties={"url": make_property(pii=False), "name": make_property()}),
        make_event("identify", properties={"plan": make_property()}),
        make_event("checkout.started", properties={"items": make_property("json")}),
        config=TelemetryDefaults(
            context_properties={
                "$browser": make_property(),
                "locale": make_property(),
                "page.url": make_property(),
                "service.name": make_property(),
                "traceId": make_property(),
            }
        ),
    )
    return compile_config(resolve_config(spec, installation=make_installation(), revision=7))


def mapper_for(source: EventSource, *fresh: str) -> Mapper:
    """The mapper of one request, under the plan above; ids that are made up come from ``fresh``."""
    remaining = iter(fresh)
    return Mapper(make_plan(), EventIds(SECRET, lambda: UUID(next(remaining))), source, RECEIVED_AT)


def envelopes(events: Iterable[ClientEvent], source: EventSource) -> list[Envelope]:
    """What the events become, in one request; none of them has a problem."""
    mapper = mapper_for(source)
    found = [mapper.map(event).envelope for event in events]
    assert None not in found
    return [envelope for envelope in found if envelope is not None]


def only(values: Iterable[Any]) -> Any:
    """The only one."""
    (value,) = values
    return value
