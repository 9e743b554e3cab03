"""Asking about events: which there are, and what one of them is."""

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal, cast

import msgspec

from studio.api.auth import Caller
from studio.api.shapes import Page, PageQuery, Shape
from studio.api.v1.events.serializers import EventItem, write_event
from studio.mcp.tool import Tool
from telemetry.core.enums import PrivacyLevel
from telemetry.core.plain import to_plain
from telemetry.selectors.catalog import CatalogFilter
from telemetry.services.catalog import catalog
from telemetry.services.event_lookup import FoundEvent, State, find_event

__all__ = ["TOOLS"]

# Properties of one event in an answer; more of them are asked for by name.
MOST_PROPERTIES: Final = 100

Words = Annotated[tuple[str, ...], msgspec.Meta(max_length=20)]


class EventSearch(PageQuery, frozen=True, kw_only=True):
    """Which events: those that fit everything that is given."""

    query: Annotated[
        str,
        msgspec.Meta(
            max_length=200,
            description="Words that name, meaning, properties, owners or tags contain, in any order; "
            "what stands in double quotes is one word. Without it, all events.",
        ),
    ] = ""
    privacy: Annotated[tuple[PrivacyLevel, ...], msgspec.Meta(description="One of these levels.")] = ()
    spec: Annotated[Words, msgspec.Meta(description="In one of these specs, by name.")] = ()
    owner: Words = ()
    tag: Words = ()
    deprecated: bool | None = None


class EventsFound(Page[EventItem], frozen=True, kw_only=True):
    """Some of the events, those that fit best first."""


class EventQuestion(Shape, frozen=True, kw_only=True):
    """Which event."""

    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    version: (
        Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647, description="The newest version, unless said.")] | None
    ) = None
    state: Annotated[
        Literal["published", "draft"],
        msgspec.Meta(description="As apps obey it, or as it is being edited."),
    ] = "published"
    properties: Annotated[
        tuple[str, ...], msgspec.Meta(max_length=100, description="Only these properties; without it, the first 100.")
    ] = ()


class EventAnswer(Shape, frozen=True, kw_only=True):
    """The event as its spec defines it; `otherProperties` counts those that are not in the answer."""

    spec: str
    spec_version: int
    state: Literal["published", "draft"]
    versions: tuple[int, ...]
    event: Mapping[str, Any]
    other_properties: int


def search_events(caller: Caller, asked: EventSearch) -> EventsFound:
    """The page of the catalog that fits."""
    wanted = CatalogFilter(
        text=asked.query,
        privacy=asked.privacy,
        spec=asked.spec,
        owner=asked.owner,
        tag=asked.tag,
        deprecated=asked.deprecated,
    )
    found = catalog(actor=caller.actor, wanted=wanted, page=asked.page, page_size=asked.page_size)
    items = tuple(write_event(event, found.volumes.get((event.name, event.version))) for event in found.events)
    return EventsFound(page=asked.page, page_size=asked.page_size, total=found.total, items=items)


def get_event(caller: Caller, asked: EventQuestion) -> EventAnswer:
    """The event's definition, with as many properties as fit."""
    found = find_event(actor=caller.actor, name=asked.name, version=asked.version, state=State(asked.state))
    shown = _shown(found, asked.properties)
    event = msgspec.structs.replace(found.event, properties=shown)
    return EventAnswer(
        spec=found.spec.meta.name,
        spec_version=found.spec.meta.version,
        state=asked.state,
        versions=found.versions,
        event=cast("Mapping[str, Any]", to_plain(event)),
        other_properties=len(found.event.properties) - len(shown),
    )


def _shown(found: FoundEvent, names: tuple[str, ...]) -> dict[str, Any]:
    properties = found.event.properties
    wanted = [name for name in properties if name in names] if names else list(properties)[:MOST_PROPERTIES]
    return {name: properties[name] for name in wanted}


TOOLS: Final = (
    Tool(
        name="search_events",
        title="Search the catalog of events",
        description="Find telemetry events by words, privacy level, spec, owner or tag, with how much of each came "
        "lately at the installations that the caller sees.",
        arguments=EventSearch,
        answer_type=EventsFound,
        answer=search_events,
    ),
    Tool(
        name="get_event",
        title="Get an event",
        description="What one event means, its properties with types and redaction, retention, sampling and anomaly "
        "rules, as its spec defines them.",
        arguments=EventQuestion,
        answer_type=EventAnswer,
        answer=get_event,
    ),
)
