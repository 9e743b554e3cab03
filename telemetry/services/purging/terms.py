"""What the configs say about retention, and how that differs from what was applied to stored events before."""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from telemetry.core.config import EffectiveConfig
from telemetry.core.enums import RetentionPolicy
from telemetry.core.errors import Conflict
from telemetry.core.layers import event_reference
from telemetry.models import PurgeRun, RetentionState
from telemetry.selectors.configs import config_layers_of, config_revisions
from telemetry.services.configs import resolve_layers
from telemetry.stores.due import Term
from tenants.models import Installation

__all__ = [
    "ChangedRetention",
    "applied_states",
    "apply_changes",
    "archived_events",
    "changed_retention",
    "terms_of_run",
    "terms_under",
]


# Configs that are read at once: each comes with its spec, of some hundred kilobytes at most.
PORTION: Final = 50


class ChangedRetention(NamedTuple):
    """What an installation's config says that was not applied to its stored events yet.

    ``days`` and ``archived`` are what is known once it is: by ``name@version``, also of events that the config has no
    more. ``terms`` are the events that are kept for less than they were, or of which nothing was known.
    """

    installation: Installation
    revision: int
    days: Mapping[str, int]
    archived: Sequence[str]
    terms: Sequence[Term]

    def as_document(self) -> dict[str, Any]:
        """What a run keeps of it, so that it applies what was planned and nothing newer."""
        return {
            "installation": self.installation.pk,
            "revision": self.revision,
            "days": dict(self.days),
            "archived": list(self.archived),
        }


def changed_retention(
    installations: Collection[Installation], states: Mapping[int, RetentionState]
) -> list[ChangedRetention]:
    """Those installations whose config has changed since its retention was applied; of the others nothing is read.

    ``states`` are the ``applied_states``. One query, and one for each 50 configs that have changed.
    """
    revisions = config_revisions([each.pk for each in installations])
    changed = [each for each in installations if _is_newer(revisions.get(each.pk, 0), states.get(each.pk))]
    portions = (changed[start : start + PORTION] for start in range(0, len(changed), PORTION))
    return [change for portion in portions for change in _changes(portion, states)]


def _changes(installations: Sequence[Installation], states: Mapping[int, RetentionState]) -> Iterator[ChangedRetention]:
    layers = config_layers_of([each.pk for each in installations])
    for installation in installations:
        try:
            config = resolve_layers(layers[installation.pk])
        except (Conflict, KeyError):
            # No spec is bound or published, or the installation is gone: what is stored keeps the end that it has.
            continue
        yield _change(installation, config, states.get(installation.pk))


def _is_newer(revision: int, applied: RetentionState | None) -> bool:
    return applied is None or applied.revision < revision


def _change(installation: Installation, config: EffectiveConfig, state: RetentionState | None) -> ChangedRetention:
    before: dict[str, int] = {} if state is None else state.days
    days = {**before, **{event_reference(each.name, each.version): each.retention.days for each in config.events}}
    known = {event_reference(each.name, each.version) for each in config.events}
    archived = {each for each in (() if state is None else state.archived) if each not in known}
    archived |= {
        event_reference(each.name, each.version)
        for each in config.events
        if each.retention.policy is RetentionPolicy.ARCHIVE
    }
    return ChangedRetention(
        installation, config.revision, days, sorted(archived), terms_under(installation.pk, config, before)
    )


def terms_under(installation_id: int, config: EffectiveConfig, before: Mapping[str, int]) -> list[Term]:
    """The events that the config keeps for less than ``before`` says, and those of which it says nothing."""
    return [
        Term(installation_id, each.name, each.version, each.retention.days)
        for each in config.events
        if each.retention.days < before.get(event_reference(each.name, each.version), each.retention.days + 1)
    ]


def applied_states(installations: Collection[Installation]) -> dict[int, RetentionState]:
    """What has been applied, by installation; one query."""
    rows = RetentionState.objects.filter(installation_id__in=[each.pk for each in installations])
    return {row.installation_id: row for row in rows.order_by()}


def archived_events(changes: Iterable[ChangedRetention], states: Mapping[int, RetentionState]) -> set[tuple[int, str]]:
    """The events, as installation and ``name@version``, whose rows are archived at their end."""
    lists = {key: state.archived for key, state in states.items()}
    lists |= {change.installation.pk: list(change.archived) for change in changes}
    return {(installation_id, event) for installation_id, events in lists.items() for event in events}


def terms_of_run(run: PurgeRun) -> list[Term]:
    """The terms with which the run was planned."""
    return [Term(*term) for term in run.terms]


def apply_changes(tenant_id: int, documents: Iterable[Mapping[str, Any]]) -> None:
    """It is known that this retention holds for what is stored; what is known of a later config stays. Two queries."""
    rows = [
        RetentionState(
            tenant_id=tenant_id,
            installation_id=each["installation"],
            revision=each["revision"],
            days=each["days"],
            archived=each["archived"],
        )
        for each in documents
    ]
    later = {
        row.installation_id: row.revision
        for row in RetentionState.objects.filter(installation_id__in=[row.installation_id for row in rows]).order_by()
    }
    RetentionState.objects.bulk_create(
        [row for row in rows if later.get(row.installation_id, -1) < row.revision],
        update_conflicts=True,
        unique_fields=["installation"],
        update_fields=["revision", "days", "archived"],
    )
