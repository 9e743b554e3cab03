"""What publishing a spec would do to the installations that are bound to it; nothing is stored.

Everything happens in the caller's tenant context: installations that it does not show are not counted either.
"""

from collections import Counter
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from telemetry.core.blast_radius import BELOW_FLOOR, ORPHANED, InstallationImpact
from telemetry.core.config import AppBlueprint, FloorException, PrivacyFloor, TenantOverride
from telemetry.core.errors import UnknownSpec
from telemetry.core.floors import combine_floors
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_from_records, spec_of_version
from telemetry.selectors.bound_installations import BoundGroup, bound_groups, bound_installations
from telemetry.selectors.specs import spec_by_name, version_of
from telemetry.services.examination import Composition, Examination, Layers, TooManyDiffer
from tenants.actors import Actor, require

__all__ = ["AffectedInstallation", "ImpactKind", "ImpactReport", "ImpactSummary", "impact_of", "impact_of_draft"]

# How many resolutions of an event may be needed at most, over all installations. Each takes a fifth of a millisecond:
# this many hold up a worker for ten seconds. What changes in a spec meets few of the wishes of its installations, and
# these are much alike, so that ten thousand of them rarely need a twentieth of it.
MAXIMUM_RESOLVED_EVENTS: Final = 50_000


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
    survey = _Survey(Examination(_published(name), spec, budget=MAXIMUM_RESOLVED_EVENTS))
    for group in bound_groups(name):
        survey.look_at(group)
    found = sorted(
        (found for found in survey.found.values() if kind is None or kind in found.kinds),
        key=lambda found: (not found.composition.problems, -found.installations),
    )
    ranked = [(group, rank) for rank, each in enumerate(found) for group in each.groups]
    rows = bound_installations(name, ranked, limit=page_size, offset=(page - 1) * page_size)
    return ImpactReport(
        summary=survey.summary,
        total=sum(each.installations for each in found),
        distinct=len(found),
        items=tuple(
            AffectedInstallation(
                *row[:4],
                impact=survey.examination.impact(found[row.rank].composition),
                alike=found[row.rank].installations,
            )
            for row in rows
        ),
    )


class _Found(NamedTuple):
    """One impact, and the groups of installations to which it happens."""

    composition: Composition
    kinds: tuple[ImpactKind, ...]
    groups: list[BoundGroup]

    @property
    def installations(self) -> int:
        return sum(group.installations for group in self.groups)


class _Survey:
    """Looks at one group of installations after the other, and counts."""

    def __init__(self, examination: Examination) -> None:
        self.examination = examination
        self.found: dict[Composition, _Found] = {}
        self.counts: Counter[str] = Counter()
        self.of_apps: dict[int, tuple[AppBlueprint, PrivacyFloor]] = {}

    @property
    def summary(self) -> ImpactSummary:
        return ImpactSummary(**self.counts)

    def look_at(self, group: BoundGroup) -> None:
        self._count(group, "installations")
        if group.is_pinned:
            self._count(group, "pinned")
            return
        try:
            composition = self.examination.compose(self._layers(group))
        except TooManyDiffer:
            self._count(group, "unexamined")
            return
        kinds = _kinds(composition)
        self._count(group, *(("affected", *kinds) if kinds else ("unaffected",)))
        if kinds:
            self.found.setdefault(composition, _Found(composition, kinds, [])).groups.append(group)

    def _count(self, group: BoundGroup, *names: str) -> None:
        self.counts.update(dict.fromkeys(names, group.installations))

    def _layers(self, group: BoundGroup) -> Layers:
        if group.app_id not in self.of_apps:
            floors = (msgspec.json.decode(floor, type=PrivacyFloor) for floor in group.floors)
            blueprint = msgspec.json.decode(group.blueprint, type=AppBlueprint)
            self.of_apps[group.app_id] = (blueprint, combine_floors(*floors))
        blueprint, floor = self.of_apps[group.app_id]
        override = msgspec.json.decode(group.override or "{}", type=TenantOverride)
        exceptions = msgspec.json.decode(group.exceptions, type=tuple[FloorException, ...])
        return Layers(blueprint, override, floor, exceptions)


def _kinds(composition: Composition) -> tuple[ImpactKind, ...]:
    of_problems = {_KIND_OF_CODE.get(problem.code, ImpactKind.CONTRADICTORY) for problem in composition.problems}
    happens = {*of_problems, *([ImpactKind.CHANGED] if composition.has_changes else [])}
    return tuple(kind for kind in ImpactKind if kind in happens)


_KIND_OF_CODE: Final = {BELOW_FLOOR: ImpactKind.BELOW_FLOOR, **dict.fromkeys(ORPHANED, ImpactKind.ORPHANED)}


def _published(name: str) -> TelemetrySpec | None:
    try:
        return spec_of_version(version_of(name))
    except UnknownSpec:
        return None
