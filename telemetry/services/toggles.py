"""The part of an override that is edited most: which events are collected, what share of them, and for how long."""

from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from django.db import transaction

from telemetry.core.config import EventOverride, TenantOverride
from telemetry.core.errors import Conflict
from telemetry.core.layers import event_reference
from telemetry.services.overrides import publish_override, save_override
from tenants.actors import Actor
from tenants.mappers import override_of
from tenants.models import Installation, TenantAppConfig
from tenants.selectors import published_config
from tenants.services.config_revision import bump

__all__ = ["EventToggle", "apply_toggles", "publish_toggles", "toggles_of", "without_toggles"]

_UNSET: Mapping[str, None] = {"enabled": None, "sampling_rate": None, "retention_days": None}


class EventToggle(NamedTuple):
    """What the override itself says about one version of an event; ``None`` inherits. The rate is a ratio 0-1."""

    name: str
    version: int
    enabled: bool | None = None
    sampling_rate: float | None = None
    retention_days: int | None = None


def toggles_of(override: TenantOverride, events: Iterable[tuple[str, int]]) -> tuple[EventToggle, ...]:
    """The toggles of these events (name and version), in their order; the exact version wins over the bare name."""
    return tuple(_toggle_of(override, name, version) for name, version in events)


def apply_toggles(override: TenantOverride, toggles: Sequence[EventToggle]) -> TenantOverride:
    """The override with exactly these toggles; whatever else it says, also about other events, stays.

    ``toggles`` hold every version that the spec has of each event in them. An event with one version is written under
    its bare name, so that its next version inherits the toggle; one with several under each version.
    """
    by_name: dict[str, list[EventToggle]] = {}
    for toggle in toggles:
        by_name.setdefault(toggle.name, []).append(toggle)
    events = dict(override.events)
    for name, group in by_name.items():
        before = toggles_of(override, ((toggle.name, toggle.version) for toggle in group))
        if tuple(group) != before:
            _write(events, name, group)
    kept = {reference: event for reference, event in events.items() if event != EventOverride()}
    return msgspec.structs.replace(override, events=kept)


def without_toggles(override: TenantOverride) -> TenantOverride:
    """The override as if it had no toggle at all, of an event or of the installation: what each of them inherits."""
    events = {reference: msgspec.structs.replace(event, **_UNSET) for reference, event in override.events.items()}
    return msgspec.structs.replace(override, enabled=None, events=events)


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


def _toggle_of(override: TenantOverride, name: str, version: int) -> EventToggle:
    bare = override.events.get(name, EventOverride())
    exact = override.events.get(event_reference(name, version), EventOverride())
    return EventToggle(
        name,
        version,
        *(
            getattr(bare, field) if getattr(exact, field) is None else getattr(exact, field)
            for field in ("enabled", "sampling_rate", "retention_days")
        ),
    )


def _write(events: dict[str, EventOverride], name: str, group: Sequence[EventToggle]) -> None:
    """The toggles of one event's versions stand in ``events``, each in one place only."""
    references = [event_reference(name, toggle.version) for toggle in group]
    if len(group) == 1 and references[0] not in events:
        references = [name]
    elif name in events:
        events[name] = msgspec.structs.replace(events[name], **_UNSET)
    for reference, toggle in zip(references, group, strict=True):
        events[reference] = msgspec.structs.replace(
            events.get(reference, EventOverride()),
            enabled=toggle.enabled,
            sampling_rate=toggle.sampling_rate,
            retention_days=toggle.retention_days,
        )
