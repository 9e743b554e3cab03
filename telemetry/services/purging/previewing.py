"""What the next run would remove, or what it would if a draft held: the planner's own answer, without the deed."""

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import NamedTuple

from telemetry.core.codec import encode_spec
from telemetry.core.config import EffectiveConfig, TenantOverride
from telemetry.core.errors import Conflict
from telemetry.core.layers import event_reference
from telemetry.core.spec import TelemetrySpec
from telemetry.selectors.configs import config_layers_of
from telemetry.services.configs import preview_config, resolve_layers
from telemetry.services.purging.clock import cutoff_at
from telemetry.services.purging.planning import PlannedItem, planned_items
from telemetry.services.purging.terms import (
    applied_states,
    archived_events,
    changed_retention,
    terms_under,
)
from telemetry.stores.due import DueGroup, KnownPartitions, Question, Term, due_groups, longer_groups
from tenants.models import Installation

__all__ = ["Preview", "preview_next_run", "preview_override", "preview_spec"]


class Preview(NamedTuple):
    """What would go, by event and installation, most rows first; ``shortened_rows`` would stay and end sooner.

    ``groups`` are the same rows by day and partition. What is under way in a run, or waits for approval, is counted as
    well: it is still there.
    """

    cutoff: datetime
    items: Sequence[PlannedItem]
    groups: Sequence[DueGroup]
    shortened_rows: int

    @property
    def rows(self) -> int:
        """How many events would go."""
        return sum(item.rows for item in self.items)

    @property
    def size_bytes(self) -> int:
        """Their bytes, without indexes."""
        return sum(item.size_bytes for item in self.items)

    @property
    def held(self) -> int:
        """How many would go, were they not held."""
        return sum(item.held for item in self.items)


def preview_next_run(
    installations: Sequence[Installation], *, now: datetime, known: KnownPartitions | None = None
) -> Preview:
    """What a run that is planned now would remove at these installations of the context.

    Changes nothing. About seven queries, one less with ``known_partitions``.
    """
    states = applied_states(installations)
    changes = changed_retention(installations, states)
    archived = archived_events(changes, states)
    return _preview(installations, [term for change in changes for term in change.terms], archived, now, known)


def preview_override(installation: Installation, override: TenantOverride, *, now: datetime) -> Preview:
    """What a run would remove at the installation if the override were published now; errors as ``preview_config``."""
    return _under([(installation, preview_config(installation, override))], now)


def preview_spec(installations: Sequence[Installation], spec: TelemetrySpec, *, now: datetime) -> Preview:
    """What a run would remove at those of the installations that follow the spec, if it were published as it is here.

    Installations that are pinned to a version stay as they are. One query for the configs, and those of a preview.
    """
    found = config_layers_of([each.pk for each in installations])
    configs, document = [], encode_spec(spec).decode()
    for installation in installations:
        layers = found.get(installation.pk)
        if layers is not None and layers.spec_name == spec.meta.name and layers.spec_version is None:
            try:
                configs.append((installation, resolve_layers(layers._replace(spec_document=document))))
            except Conflict:
                continue
    return _under(configs, now)


def _under(configs: Sequence[tuple[Installation, EffectiveConfig]], now: datetime) -> Preview:
    installations = [installation for installation, _ in configs]
    states = applied_states(installations)
    archived = {
        (installation.pk, event_reference(event.name, event.version))
        for installation, config in configs
        for event in config.events
        if event.retention.policy == "archive"
    }
    terms: list[Term] = []
    for installation, config in configs:
        state = states.get(installation.pk)
        terms += terms_under(installation.pk, config, {} if state is None else state.days)
    return _preview(installations, terms, archived, now)


def _preview(
    installations: Iterable[Installation],
    terms: Sequence[Term],
    archived: set[tuple[int, str]],
    now: datetime,
    known: KnownPartitions | None = None,
) -> Preview:
    chosen = {each.pk: each.tenant_id for each in installations}
    question = Question(cutoff_at(now), terms, sorted(set(chosen.values())))
    groups = [group for group in due_groups(question, known=known) if group.installation_id in chosen]
    shortened = sum(group.staying for group in longer_groups(question))
    return Preview(question.cutoff, planned_items(groups, archived), groups, shortened)
