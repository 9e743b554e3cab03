"""What publishing a spec would do to the installations that are bound to it; nothing is stored.

Everything happens in the caller's tenant context: installations that it does not show are not counted either.
"""

from collections.abc import Iterable, Iterator, Sequence
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from telemetry.core.blast_radius import (
    InstallationImpact,
    blast_radius,
    changed_event_names,
    find_orphans_of_floor,
    only_events,
    without_other_events,
)
from telemetry.core.config import AppBlueprint, EffectiveConfig, InstallationIdentity, PrivacyFloor, TenantOverride
from telemetry.core.enums import Environment, Layer
from telemetry.core.errors import FieldError, UnknownSpec
from telemetry.core.floors import combine_floors
from telemetry.core.resolution import find_loosening, resolve_config
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.selectors.bound_installations import BoundGroup, bound_groups, bound_installations
from telemetry.selectors.specs import spec_by_name, version_of
from telemetry.services.references import find_misfits
from tenants.actors import Actor, require

__all__ = ["AffectedInstallation", "ImpactKind", "ImpactReport", "ImpactSummary", "impact_of", "impact_of_draft"]

# Whose config it is makes no difference to what changes in it.
ANYBODY: Final = InstallationIdentity(
    tenant="anybody", app="any-app", environment=Environment.PRODUCTION, sampling_salt=""
)
# How many events are resolved at most, over all groups of installations. Each takes about a millisecond, both ways
# together: without a bound, ten thousand installations that all differ could hold up a worker for minutes.
MAXIMUM_RESOLVED_EVENTS: Final = 5_000


class ImpactKind(StrEnum):
    """What can happen to an installation; several of them can happen to one."""

    ORPHANED = "orphaned"
    CONTRADICTORY = "contradictory"
    BELOW_FLOOR = "below_floor"
    CHANGED = "changed"


class ImpactSummary(NamedTuple):
    """How many installations there are of each sort.

    ``installations`` are all that are bound to the spec. Those that are ``pinned`` to a version are not affected. To
    ``affected`` ones something happens, to ``unaffected`` ones nothing; of what happens, ``orphaned``,
    ``contradictory``, ``below_floor`` and ``changed`` may overlap. ``unexamined`` ones differ in too many ways to be
    looked at in one request; most of them are alike in what was looked at first.
    """

    installations: int = 0
    pinned: int = 0
    unaffected: int = 0
    affected: int = 0
    orphaned: int = 0
    contradictory: int = 0
    below_floor: int = 0
    changed: int = 0
    unexamined: int = 0


class AffectedInstallation(NamedTuple):
    """One installation and what happens to it; ``alike`` counts the installations to which the very same happens."""

    public_id: UUID
    tenant: str
    app: str
    environment: str
    impact: InstallationImpact
    alike: int


class ImpactReport(NamedTuple):
    """What publishing would do: all of it in numbers, and one page of the installations to which something happens.

    Those with problems come first, then those of which most are alike, so that equal impacts stand together. ``total``
    counts the whole list, ``distinct`` the impacts in it that differ.
    """

    summary: ImpactSummary
    total: int
    distinct: int
    items: tuple[AffectedInstallation, ...]


def impact_of_draft(
    *, actor: Actor, spec_name: str, kind: ImpactKind | None = None, page: int = 1, page_size: int = 25
) -> ImpactReport:
    """What publishing the spec's draft as it is now would do; as ``impact_of``. Seven queries."""
    require(actor, "view")
    draft = spec_from_records(spec_by_name(spec_name))
    return impact_of(actor=actor, spec=draft, kind=kind, page=page, page_size=page_size)


def impact_of(
    *, actor: Actor, spec: TelemetrySpec, kind: ImpactKind | None = None, page: int = 1, page_size: int = 25
) -> ImpactReport:
    """What happens to each installation if ``spec``, which is valid, is published as the next version of its name.

    With ``kind``, the list has only the installations to which that happens. However many installations have the same
    config, it is resolved once. Needs ``view`` in the workspace. Three queries.
    """
    require(actor, "view")
    name = spec.meta.name
    examination = _Examination(_published(name), spec)
    for group in bound_groups(name):
        examination.look_at(group)
    found = sorted(
        (found for found in examination.found.values() if kind is None or kind in _kinds(found.impact)),
        key=lambda found: (not found.impact.has_problems, -found.installations),
    )
    ranked = [(group, rank) for rank, each in enumerate(found) for group in each.groups]
    rows = bound_installations(name, ranked, limit=page_size, offset=(page - 1) * page_size)
    return ImpactReport(
        summary=examination.summary,
        total=sum(each.installations for each in found),
        distinct=len(found),
        items=tuple(
            AffectedInstallation(*row[:4], impact=found[row.rank].impact, alike=found[row.rank].installations)
            for row in rows
        ),
    )


class _Found(NamedTuple):
    """One impact, and the groups of installations to which it happens."""

    impact: InstallationImpact
    groups: list[BoundGroup]

    @property
    def installations(self) -> int:
        return sum(group.installations for group in self.groups)


class _Layers(NamedTuple):
    """What makes a config, as far as the change can touch it; equal layers meet with equal impacts."""

    blueprint: AppBlueprint
    override: TenantOverride
    floor: PrivacyFloor


class _Examination:
    """Looks at one group of installations after the other, and counts."""

    def __init__(self, before: TelemetrySpec | None, after: TelemetrySpec) -> None:
        self.names = changed_event_names(before, after)
        self.before = None if before is None else only_events(before, self.names)
        self.after = only_events(after, self.names)
        self.cost = len(self.after.events) + (0 if self.before is None else len(self.before.events))
        self.resolved_events = 0
        self.known: dict[_Layers, InstallationImpact] = {}
        self.found: dict[bytes, _Found] = {}
        self.summary = ImpactSummary()

    def look_at(self, group: BoundGroup) -> None:
        self._count(group, "installations")
        if group.is_pinned:
            self._count(group, "pinned")
            return
        impact = self._impact(group)
        if impact is None:
            self._count(group, "unexamined")
            return
        kinds = _kinds(impact)
        self._count(group, *(("affected", *kinds) if kinds else ("unaffected",)))
        if kinds:
            # By its text: values in it may be lists, which cannot be keys.
            self.found.setdefault(msgspec.json.encode(impact), _Found(impact, [])).groups.append(group)

    def _count(self, group: BoundGroup, *names: str) -> None:
        counted = {name: getattr(self.summary, name) + group.installations for name in names}
        self.summary = self.summary._replace(**counted)

    def _impact(self, group: BoundGroup) -> InstallationImpact | None:
        """What happens to the group; ``None`` when enough has been resolved already."""
        layers = self._layers(group)
        if layers not in self.known:
            if self.known and self.resolved_events + self.cost > MAXIMUM_RESOLVED_EVENTS:
                return None
            self.resolved_events += self.cost
            self.known[layers] = blast_radius(
                None if self.before is None else _resolve(self.before, layers),
                _resolve(self.after, layers),
                problems_before=() if self.before is None else _problems(self.before, layers),
                problems_after=_problems(self.after, layers),
            )
        return self.known[layers]

    def _layers(self, group: BoundGroup) -> _Layers:
        blueprint = msgspec.json.decode(group.blueprint, type=AppBlueprint)
        override = msgspec.json.decode(group.override or "{}", type=TenantOverride)
        floors = (msgspec.json.decode(floor, type=PrivacyFloor) for floor in group.floors)
        return _Layers(
            without_other_events(blueprint, self.names),
            without_other_events(override, self.names),
            combine_floors(*floors),
        )


def _kinds(impact: InstallationImpact) -> tuple[ImpactKind, ...]:
    happens = {
        ImpactKind.ORPHANED: impact.orphaned,
        ImpactKind.CONTRADICTORY: impact.contradictory,
        ImpactKind.BELOW_FLOOR: impact.below_floor,
        ImpactKind.CHANGED: impact.has_changes,
    }
    return tuple(kind for kind, is_so in happens.items() if is_so)


def _published(name: str) -> TelemetrySpec | None:
    try:
        return spec_of_version(version_of(name))
    except UnknownSpec:
        return None


def _resolve(spec: TelemetrySpec, layers: _Layers) -> EffectiveConfig:
    return resolve_config(spec, layers.blueprint, layers.override, layers.floor, installation=ANYBODY)


def _problems(spec: TelemetrySpec, layers: _Layers) -> Sequence[FieldError]:
    """Everything in the layers that has no effect with this spec, with paths that begin with the layer."""
    blueprint, override, floor = layers
    as_override = TenantOverride(
        enabled=blueprint.enabled,
        default_sampling_rate=blueprint.default_sampling_rate,
        undeclared_properties=blueprint.undeclared_properties,
        events=blueprint.events,
    )
    return (
        *find_orphans_of_floor(spec, floor),
        *_within(Layer.BLUEPRINT, (*find_misfits(spec, blueprint), *find_loosening(spec, None, as_override, floor))),
        *_within(Layer.TENANT, (*find_misfits(spec, override), *find_loosening(spec, blueprint, override, floor))),
    )


def _within(layer: Layer, problems: Iterable[FieldError]) -> Iterator[FieldError]:
    for problem in problems:
        yield FieldError(problem.code, f"{layer}.{problem.path}", problem.message)
