"""The toggles of an installation: what its override says event by event, what is inherited, and editing it."""

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from typing import Annotated, Literal, NamedTuple

import msgspec
from django.db import transaction

from telemetry.core.codec import encode_document
from telemetry.core.config import (
    EffectiveConfig,
    EffectiveEvent,
    EventOverride,
    Provenance,
    TenantOverride,
)
from telemetry.core.enums import FloorLimit, Layer, PrivacyLevel
from telemetry.core.errors import Conflict, FieldError
from telemetry.core.floor_exceptions import EventExceptions
from telemetry.core.layers import event_reference
from telemetry.core.override_editing import BulkEdit, apply_bulk, own_override, with_own, without_refused
from telemetry.core.spec import EventDefinition
from telemetry.core.values import Value
from telemetry.selectors.configs import ConfigLayers
from telemetry.services.configs import exceptions_behind, floor_behind, preview_layers, resolve_layers, spec_behind
from telemetry.services.overrides import find_override_errors, publish_override, save_override
from tenants.actors import Actor, require
from tenants.mappers import override_of
from tenants.models import Installation, TenantAppConfig
from tenants.selectors import draft_config, published_config
from tenants.services.config_revision import bump

__all__ = [
    "BulkResult",
    "EditedOverride",
    "EventFilter",
    "ToggleEvent",
    "ToggleGrid",
    "Toggles",
    "edit_in_bulk",
    "edited_override",
    "publish_toggles",
    "toggles_of",
]


EventKey = tuple[str, int]


class EventFilter(Value, frozen=True, kw_only=True):
    """Which events; all that is given has to be so.

    ``search`` is words that name, meaning or tags hold. ``privacy`` is the final level. ``state`` asks for events of
    which the override says something (``own``), of which a floor holds something (``held``), that are ``off``, or of
    which a wish of the override is not followed (``refused``).
    """

    search: Annotated[str, msgspec.Meta(max_length=200)] = ""
    privacy: PrivacyLevel | None = None
    tag: Annotated[str, msgspec.Meta(max_length=64)] = ""
    state: Literal["own", "held", "off", "refused"] | None = None


class EditedOverride(NamedTuple):
    """What an editor starts from: the draft, else what is live, else nothing."""

    live: TenantAppConfig | None
    draft: TenantAppConfig | None
    override: TenantOverride


class ToggleEvent(NamedTuple):
    """One version of an event: what holds, what would without the override's own words on it, and these words.

    ``forced`` says that the floor keeps it on or off, whatever anybody asks.
    """

    definition: EventDefinition
    event: EffectiveEvent
    inherited: EffectiveEvent
    own: EventOverride
    forced: bool


class ToggleGrid(NamedTuple):
    """One page of the events; ``total`` counts all that the filter lets through.

    ``config`` holds the page's events alone. ``enabled_by_default`` is what the installation's own switch inherits.
    """

    config: EffectiveConfig
    enabled_by_default: bool
    events: tuple[ToggleEvent, ...]
    total: int


class BulkResult(NamedTuple):
    """The draft as it was saved, how many events were changed, and the wishes that were left out, with the reason."""

    draft: TenantAppConfig
    changed: int
    refused: tuple[FieldError, ...]


def edited_override(installation: Installation) -> EditedOverride:
    """What an editor of the installation starts from; two queries."""
    live, draft = published_config(installation), draft_config(installation)
    edited = draft or live
    return EditedOverride(live, draft, TenantOverride() if edited is None else override_of(edited))


def toggles_of(installation: Installation, edited: EditedOverride | None = None) -> "Toggles":
    """The toggles of the installation as an editor sees them; four queries, two if what it starts from is given.

    Raises ``Conflict`` while no published spec is bound.
    """
    edited = edited or edited_override(installation)
    return Toggles(preview_layers(installation, edited.override), edited)


@transaction.atomic
def edit_in_bulk(
    *, actor: Actor, installation: Installation, chosen: EventFilter, edit: BulkEdit, expected_checksum: str | None
) -> BulkResult:
    """The draft holds the edit for every event that the filter lets through, as far as it may.

    A wish that would loosen privacy or leave the floor is left out, and told. ``expected_checksum`` is that of the
    draft, ``None`` if there was none: ``StaleRevision``. Needs ``config.edit`` in the tenant. Raises ``Conflict`` while
    no published spec is bound, or if nothing is left to change.
    """
    require(actor, "config.edit", installation.tenant_id)
    toggles = toggles_of(installation)
    before = toggles.edited.override
    keys = {(each.definition.name, each.definition.version) for each in toggles.page(chosen).events}
    asked = with_own(before, toggles.own_of(keys, lambda own: apply_bulk(own, edit)))
    refused = find_override_errors(installation, asked)
    after = without_refused(asked, refused)
    changed = {key for key in keys if own_override(after, *key) != own_override(before, *key)}
    if not changed:
        raise Conflict("nothing is left to change for these events")
    draft = save_override(
        actor=actor,
        installation=installation,
        override=after,
        expected_checksum=expected_checksum,
        deed=f"Changed {len(changed)} event{'' if len(changed) == 1 else 's'} at once",
    )
    return BulkResult(draft, len(changed), refused)


@transaction.atomic
def publish_toggles(
    *,
    actor: Actor,
    installation: Installation,
    override: TenantOverride,
    change_summary: str,
    expected_checksum: str | None,
    expected_published_number: int | None,
) -> TenantAppConfig:
    """The override is live, without a stop as a draft; or nothing of it is stored.

    Arguments and errors are those of ``save_override`` and ``publish_override``; besides, ``Conflict`` when what is
    live says the same already.
    """
    # The counter's lock comes before that of the installation, here as everywhere.
    bump()
    live = published_config(installation)
    if override == (TenantOverride() if live is None else override_of(live)):
        since = "the app's defaults hold" if live is None else f"version {live.number} went live"
        raise Conflict(f"nothing has changed since {since}")
    draft = save_override(
        actor=actor, installation=installation, override=override, expected_checksum=expected_checksum
    )
    return publish_override(
        actor=actor,
        config=draft,
        change_summary=change_summary,
        expected_checksum=draft.checksum,
        expected_published_number=expected_published_number,
    )


class Toggles:
    """The installation as it would be with the edited override, resolved as far as it is looked at. No queries."""

    def __init__(self, layers: ConfigLayers, edited: EditedOverride) -> None:
        self.edited, self.spec = edited, spec_behind(layers)
        self._layers = layers
        self._floor, self._exceptions = floor_behind(layers), exceptions_behind(layers)
        # What each event would inherit: all but what the override says of single events, and of the whole.
        silent = msgspec.structs.replace(edited.override, enabled=None, events={})
        self._silent = layers._replace(override=encode_document(silent).decode())

    @property
    def tags(self) -> list[str]:
        """All tags of events, in order."""
        return sorted({tag for event in self.spec.events for tag in event.tags})

    def page(self, chosen: EventFilter | None = None, *, offset: int = 0, limit: int | None = None) -> ToggleGrid:
        """The events that the filter lets through, in the order of the spec, from ``offset`` on.

        Only those of the page are resolved, unless the filter asks for what holds.
        """
        chosen = chosen or EventFilter()
        stop = None if limit is None else offset + limit
        found = [event for event in self.spec.events if _says(event, chosen)]
        if chosen.privacy is None and chosen.state is None:
            config, without, rows = self._resolve(found[offset:stop])
            return self._grid(config, without, rows, len(found))
        config, without, rows = self._resolve(found)
        rows = [row for row in rows if _is_so(row, config, chosen)]
        return self._grid(config, without, rows[offset:stop], len(rows))

    def own_of(
        self, keys: Collection[EventKey], change: Callable[[EventOverride], EventOverride]
    ) -> Mapping[EventKey, EventOverride]:
        """What the override is to say of every version of the events of ``keys``: these changed, the rest as it is."""
        names = {name for name, _ in keys}
        own: dict[EventKey, EventOverride] = {}
        for event in self.spec.events:
            if event.name in names:
                key = (event.name, event.version)
                said = own_override(self.edited.override, *key)
                own[key] = change(said) if key in keys else said
        return own

    def _resolve(
        self, definitions: Collection[EventDefinition]
    ) -> tuple[EffectiveConfig, EffectiveConfig, list[ToggleEvent]]:
        names = {definition.name for definition in definitions}
        config = resolve_layers(self._layers, event_names=names)
        without = resolve_layers(self._silent, event_names=names)
        holds = {(event.name, event.version): event for event in config.events}
        inherited = {(event.name, event.version): event for event in without.events}
        rows = [
            ToggleEvent(
                definition,
                holds[definition.name, definition.version],
                inherited[definition.name, definition.version],
                own_override(self.edited.override, definition.name, definition.version),
                self._is_forced(definition),
            )
            for definition in definitions
        ]
        return config, without, rows

    def _is_forced(self, event: EventDefinition) -> bool:
        names = {event.name, event_reference(event.name, event.version)}
        exceptions = EventExceptions(self._exceptions, event.name, event.version)
        return any(
            not names.isdisjoint(forced) and exceptions.forced(limit, True) is None
            for limit, forced in (
                (FloorLimit.FORCED_OFF, self._floor.forced_off),
                (FloorLimit.FORCED_ON, self._floor.forced_on),
            )
        )

    def _grid(
        self, config: EffectiveConfig, without: EffectiveConfig, rows: Iterable[ToggleEvent], total: int
    ) -> ToggleGrid:
        return ToggleGrid(config, without.enabled, tuple(rows), total)


def _says(event: EventDefinition, chosen: EventFilter) -> bool:
    """Whether the definition alone lets the event through."""
    if chosen.tag and chosen.tag not in event.tags:
        return False
    text = " ".join((event.name, event.semantics.what, *event.tags)).lower()
    return all(word in text for word in chosen.search.lower().split())


def _is_so(row: ToggleEvent, config: EffectiveConfig, chosen: EventFilter) -> bool:
    """Whether what holds lets the event through."""
    if chosen.privacy is not None and row.event.privacy is not chosen.privacy:
        return False
    match chosen.state:
        case "own":
            return row.own != EventOverride()
        case "off":
            return not row.event.enabled
        case "held":
            return row.forced or any(trace.layer is Layer.FLOOR for trace in _traces(row, config))
        case "refused":
            return any(Layer.TENANT in trace.limited for trace in _traces(row, config))
    return True


def _traces(row: ToggleEvent, config: EffectiveConfig) -> Iterator[Provenance]:
    prefix = f"events[{event_reference(row.event.name, row.event.version)}]."
    return (trace for path, trace in config.provenance.items() if path.startswith(prefix))
