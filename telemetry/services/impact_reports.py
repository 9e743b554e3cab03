"""What a change does to many installations: counted by sort, and listed with those to whom the same happens together.

Everything happens in the caller's tenant context: installations that it does not show are not counted either.
"""

from collections import Counter
from enum import StrEnum
from typing import Final, NamedTuple
from uuid import UUID

import msgspec

from telemetry.core.blast_radius import BELOW_FLOOR, ORPHANED, InstallationImpact
from telemetry.core.config import AppBlueprint, FloorException, PrivacyFloor, TenantOverride
from telemetry.core.floors import combine_floors
from telemetry.selectors.bound_installations import BoundGroup, BoundInstallation, bound_installations
from telemetry.services.examination import Composition, Examination, Layers, TooManyDiffer

__all__ = ["MAXIMUM_RESOLVED_EVENTS", "AffectedInstallation", "ImpactKind", "ImpactReport", "ImpactSummary", "Survey"]

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

    ``installations`` are all that are looked at: bound to the spec, or governed by the floor. Those that are ``pinned``
    to a version are not affected by a new one, those that are ``unbound`` have no config. To ``affected`` ones
    something happens, to ``unaffected`` ones nothing; of what happens, ``orphaned``, ``contradictory``, ``below_floor``
    and ``changed`` may overlap. ``unexamined`` ones differ in too many ways to be looked at in one request; most of
    them are alike in what was looked at first.
    """

    installations: int = 0
    pinned: int = 0
    unbound: int = 0
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
    """What a change would do: all of it in numbers, and one page of the installations to which something happens.

    Those with problems come first, then those of which most are alike, so that equal impacts stand together. ``total``
    counts the whole list, ``distinct`` the impacts in it that differ.
    """

    summary: ImpactSummary
    total: int
    distinct: int
    items: tuple[AffectedInstallation, ...]


class _Found(NamedTuple):
    """One impact, and the groups of installations to which it happens."""

    examination: Examination
    composition: Composition
    kinds: tuple[ImpactKind, ...]
    groups: list[BoundGroup]

    @property
    def installations(self) -> int:
        return sum(group.installations for group in self.groups)


class Survey:
    """Looks at one group of installations after the other, counts, and writes the report."""

    def __init__(self) -> None:
        self._found: dict[tuple[int, Composition], _Found] = {}
        self._counts: Counter[str] = Counter()
        self._of_apps: dict[int, tuple[AppBlueprint, PrivacyFloor]] = {}

    def count(self, group: BoundGroup, *names: str) -> None:
        """The group's installations are of these sorts."""
        self._counts.update(dict.fromkeys(names, group.installations))

    def look_at(self, group: BoundGroup, examination: Examination, floor: PrivacyFloor | None = None) -> None:
        """What happens to the group when what the examination is about comes, or ``floor`` holds there."""
        self.count(group, "installations")
        try:
            composition = examination.compose(self._layers(group), floor)
        except TooManyDiffer:
            self.count(group, "unexamined")
            return
        kinds = _kinds(composition)
        self.count(group, *(("affected", *kinds) if kinds else ("unaffected",)))
        if kinds:
            found = _Found(examination, composition, kinds, [])
            self._found.setdefault((id(examination), composition), found).groups.append(group)

    def report(self, *, kind: ImpactKind | None, page: int, page_size: int) -> ImpactReport:
        """All of it in numbers, and one page of the list, or of the part to which ``kind`` happens; one query."""
        found = sorted(
            (each for each in self._found.values() if kind is None or kind in each.kinds),
            key=lambda each: (not each.composition.problems, -each.installations),
        )
        ranked = [(group, rank) for rank, each in enumerate(found) for group in each.groups]
        rows = bound_installations(ranked, limit=page_size, offset=(page - 1) * page_size)
        return ImpactReport(
            summary=ImpactSummary(**self._counts),
            total=sum(each.installations for each in found),
            distinct=len(found),
            items=tuple(_affected(row, found[row.rank]) for row in rows),
        )

    def _layers(self, group: BoundGroup) -> Layers:
        if group.app_id not in self._of_apps:
            floors = (msgspec.json.decode(floor, type=PrivacyFloor) for floor in group.floors)
            blueprint = msgspec.json.decode(group.blueprint, type=AppBlueprint)
            self._of_apps[group.app_id] = (blueprint, combine_floors(*floors))
        blueprint, floor = self._of_apps[group.app_id]
        override = msgspec.json.decode(group.override or "{}", type=TenantOverride)
        exceptions = msgspec.json.decode(group.exceptions, type=tuple[FloorException, ...])
        return Layers(blueprint, override, floor, exceptions)


def _affected(row: BoundInstallation, found: _Found) -> AffectedInstallation:
    impact = found.examination.impact(found.composition)
    return AffectedInstallation(*row[:4], impact=impact, alike=found.installations)


def _kinds(composition: Composition) -> tuple[ImpactKind, ...]:
    of_problems = {_KIND_OF_CODE.get(problem.code, ImpactKind.CONTRADICTORY) for problem in composition.problems}
    happens = {*of_problems, *([ImpactKind.CHANGED] if composition.has_changes else [])}
    return tuple(kind for kind in ImpactKind if kind in happens)


_KIND_OF_CODE: Final = {BELOW_FLOOR: ImpactKind.BELOW_FLOOR, **dict.fromkeys(ORPHANED, ImpactKind.ORPHANED)}
