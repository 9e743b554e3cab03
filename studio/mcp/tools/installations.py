"""Asking about installations: which there are, and what holds at one."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final, cast
from uuid import UUID

import msgspec

from studio.api.auth import Caller
from studio.api.pages import page_of
from studio.api.shapes import Page, PageQuery, Shape
from studio.api.v1.installations.serializers import InstallationItem, InstallationQuery, write_installation
from studio.api.v1.installations.views import found_installations
from studio.mcp.tool import Tool
from studio.mcp.tools.places import Place, installation_at
from telemetry.core.config import EffectiveConfig, EffectiveEvent
from telemetry.core.enums import PrivacyLevel, UndeclaredPolicy
from telemetry.core.errors import UnknownEvent
from telemetry.core.plain import to_plain
from telemetry.services.configs import effective_config
from telemetry.services.explanations import LeafExplanation, explain_installation
from tenants.actors import require_somewhere

__all__ = ["TOOLS"]


class InstallationsFound(Page[InstallationItem], frozen=True, kw_only=True):
    """Some of the installations."""


class ConfigQuestion(PageQuery, frozen=True, kw_only=True):
    """Whose config, and of which event; without one, a page of all events in short."""

    installation: Place
    event: Annotated[str, msgspec.Meta(max_length=200, description="This event with all its rules.")] = ""
    explain: Annotated[
        bool, msgspec.Meta(description="With `event`: which layer set each value, in which version, by whom and when.")
    ] = False
    at: (
        Annotated[
            datetime, msgspec.Meta(tz=True, description="What held at this instant, or will hold; now, unless said.")
        ]
        | None
    ) = None


class EventInShort(Shape, frozen=True, kw_only=True):
    """What holds for one event; rates are shares from 0 to 1."""

    name: str
    version: int
    enabled: bool
    privacy: PrivacyLevel
    sampling_rate: float
    retention_days: int


class ConfigAnswer(Shape, frozen=True, kw_only=True):
    """What holds: the events in short, or in `details` the versions of one event with all that holds for it.

    `total` counts the events of the config, or the versions of the one that was asked for.
    """

    installation: UUID
    spec: str
    spec_version: int
    revision: int
    enabled: bool
    undeclared_properties: UndeclaredPolicy
    page: int
    page_size: int
    total: int
    events: tuple[EventInShort, ...] = ()
    details: tuple[Mapping[str, Any], ...] = ()
    provenance: Mapping[str, LeafExplanation] | None = None


def list_installations(caller: Caller, asked: InstallationQuery) -> InstallationsFound:
    """The installations of the tenants in which the caller has a role."""
    require_somewhere(caller.actor, "view")
    found = page_of(found_installations(asked), asked, write_installation)
    return InstallationsFound(page=found.page, page_size=found.page_size, total=found.total, items=found.items)


def get_effective_config(caller: Caller, asked: ConfigQuestion) -> ConfigAnswer:
    """The merged answer of all layers, as apps obey it."""
    installation = installation_at(caller, asked.installation, "config.read")
    names = [asked.event] if asked.event else None
    if asked.explain and names:
        explained = explain_installation(installation, at=asked.at, event_names=names)
        config, provenance = explained.config, explained.leaves()
    else:
        config, provenance = effective_config(installation, at=asked.at), None
    events = [event for event in config.events if not asked.event or event.name == asked.event]
    if asked.event and not events:
        raise UnknownEvent("the config of this installation has no event of this name")
    return _answer(installation.public_id, config, events, asked, provenance)


def _answer(
    installation: UUID,
    config: EffectiveConfig,
    events: list[EffectiveEvent],
    asked: ConfigQuestion,
    provenance: Mapping[str, LeafExplanation] | None,
) -> ConfigAnswer:
    start = (asked.page - 1) * asked.page_size
    shown = events[start : start + asked.page_size]
    return ConfigAnswer(
        installation=installation,
        spec=config.spec.name,
        spec_version=config.spec.version,
        revision=config.revision,
        enabled=config.enabled,
        undeclared_properties=config.undeclared_properties,
        page=asked.page,
        page_size=asked.page_size,
        total=len(events),
        events=() if asked.event else tuple(map(_in_short, shown)),
        details=tuple(cast("Mapping[str, Any]", to_plain(each)) for each in shown) if asked.event else (),
        provenance=provenance,
    )


def _in_short(event: EffectiveEvent) -> EventInShort:
    return EventInShort(
        name=event.name,
        version=event.version,
        enabled=event.enabled,
        privacy=event.privacy,
        sampling_rate=event.sampling.rate,
        retention_days=event.retention.days,
    )


TOOLS: Final = (
    Tool(
        name="list_installations",
        title="List installations",
        description="Where the apps run: tenant, app and environment, with the ids that other tools take.",
        arguments=InstallationQuery,
        answer_type=InstallationsFound,
        answer=list_installations,
    ),
    Tool(
        name="get_effective_config",
        title="Get the effective config",
        description="What holds at an installation after all layers: which events are on, at which privacy level, "
        "sampling rate and retention; of one event, every property and rule, and who set it.",
        arguments=ConfigQuestion,
        answer_type=ConfigAnswer,
        answer=get_effective_config,
    ),
)
