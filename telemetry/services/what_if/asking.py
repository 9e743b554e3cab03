"""Asking what a draft, an override or a suggested change would do at each installation."""

from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final, NamedTuple

from django.utils import timezone

from telemetry.core.codec import encode_spec
from telemetry.core.config import EffectiveConfig, TenantOverride
from telemetry.core.errors import Conflict
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records
from telemetry.selectors.balance import counts_by_installation
from telemetry.selectors.configs import ConfigLayers, config_layers_of
from telemetry.selectors.specs import spec_by_name
from telemetry.services.configs import effective_config, preview_config, resolve_layers
from telemetry.services.purging.previewing import Preview, preview_next_run, preview_override, preview_spec
from telemetry.services.what_if.replaying import DAYS, Change, EventConsequence, replay_events
from tenants.actors import Actor, require
from tenants.models import Installation

__all__ = ["Consequences", "WhatIf", "what_if_draft", "what_if_override", "what_if_spec"]

# The busiest: what happens at these is what matters, and a person reads no more.
MOST_INSTALLATIONS: Final = 20


class Consequences(NamedTuple):
    """What would happen at one installation.

    ``purged`` counts the rows that the next run of retention removes; ``None`` if no event's retention changes.
    """

    installation: Installation
    events: list[EventConsequence]
    purged: Change | None


class WhatIf(NamedTuple):
    """What would happen, by installation, the busiest first; ``others`` received events too and were not looked at.

    Only installations at which something changes are named; ``looked_at`` counts all that were tried. ``days`` is how
    far back it looks.
    """

    items: list[Consequences]
    looked_at: int
    others: bool
    days: int = DAYS


def what_if_draft(*, actor: Actor, spec_name: str) -> WhatIf:
    """What publishing the spec's draft as it is now would do; as ``what_if_spec``."""
    require(actor, "view")
    return what_if_spec(actor=actor, spec=spec_from_records(spec_by_name(spec_name)))


def what_if_spec(*, actor: Actor, spec: TelemetrySpec) -> WhatIf:
    """What would happen at the busiest installations that follow the spec, if it were published as it is here.

    Nothing is stored. ``spec`` is valid. Needs ``view`` in the workspace. Two queries, or three and some
    for each installation that follows it.
    """
    require(actor, "view")
    now, document = timezone.now(), encode_spec(spec).decode()
    busiest = _busiest(now)
    found: list[Consequences] = []
    shortened: list[Installation] = []
    looked_at = 0
    for installation, layers in _following(spec, busiest[:MOST_INSTALLATIONS]):
        try:
            before, after = resolve_layers(layers), resolve_layers(layers._replace(spec_document=document))
        except Conflict:
            continue
        looked_at += 1
        events = replay_events(installation, before, after, now=now)
        if events:
            found.append(Consequences(installation, events, None))
            if _retention_differs(before, after):
                shortened.append(installation)
    purged = _purged(shortened, spec, now) if shortened else {}
    items = [each._replace(purged=purged.get(each.installation.pk)) for each in found]
    return WhatIf(items, looked_at, len(busiest) > MOST_INSTALLATIONS)


def what_if_override(*, actor: Actor, installation: Installation, override: TenantOverride) -> WhatIf:
    """What would happen at the installation if the override were live.

    Nothing is stored. Needs ``view`` in the tenant. Raises ``Conflict`` while no published spec is bound.
    """
    require(actor, "view", installation.tenant_id)
    now = timezone.now()
    before, after = effective_config(installation), preview_config(installation, override)
    events = replay_events(installation, before, after, now=now)
    purged = None
    if _retention_differs(before, after):
        is_now, would_be = preview_next_run([installation], now=now), preview_override(installation, override, now=now)
        purged = Change(is_now.rows, would_be.rows)
    items = [Consequences(installation, events, purged)] if events else []
    return WhatIf(items, 1, others=False)


def _busiest(now: datetime) -> list[int]:
    """The row ids of those that received most, one more than are looked at."""
    end = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    found = counts_by_installation(end - timedelta(days=DAYS), end, limit=MOST_INSTALLATIONS + 1)
    return [each.installation_id for each in found]


def _following(spec: TelemetrySpec, installation_ids: list[int]) -> list[tuple[Installation, ConfigLayers]]:
    """Those of the installations that obey whatever is published of the spec, in the order of their ids as given."""
    layers = config_layers_of(installation_ids)
    following = [
        each
        for each in installation_ids
        if each in layers and layers[each].spec_name == spec.meta.name and layers[each].spec_version is None
    ]
    rows = Installation.objects.select_related("tenant", "app").in_bulk(following)
    return [(rows[each], layers[each]) for each in following if each in rows]


def _purged(installations: list[Installation], spec: TelemetrySpec, now: datetime) -> dict[int, Change]:
    """How many rows the next run removes at each of the installations, and would if the spec were published."""
    is_now, would_be = (
        _rows_of(preview)
        for preview in (preview_next_run(installations, now=now), preview_spec(installations, spec, now=now))
    )
    return {each.pk: Change(is_now[each.pk], would_be[each.pk]) for each in installations}


def _rows_of(preview: Preview) -> Counter[int]:
    rows: Counter[int] = Counter()
    for item in preview.items:
        rows[item.installation_id] += item.rows
    return rows


def _retention_differs(before: EffectiveConfig, after: EffectiveConfig) -> bool:
    return dict(_retention(before)) != dict(_retention(after))


def _retention(config: EffectiveConfig) -> Iterator[tuple[tuple[str, int], object]]:
    for event in config.events:
        yield (event.name, event.version), event.retention
