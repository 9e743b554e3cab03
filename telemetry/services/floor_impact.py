"""What another privacy floor would do to the installations that obey it; nothing is stored."""

from collections.abc import Iterable
from typing import NamedTuple

from telemetry.core.config import PrivacyFloor
from telemetry.core.errors import UnknownSpec
from telemetry.core.floors import combine_floors
from telemetry.core.layers import event_reference
from telemetry.core.reach import reach_of_floors
from telemetry.core.spec import TelemetrySpec
from telemetry.mappers import spec_of_version
from telemetry.selectors.bound_installations import BoundGroup, governed_groups
from telemetry.selectors.specs import version_of
from telemetry.services.examination import Budget, Examination
from telemetry.services.impact_reports import MAXIMUM_RESOLVED_EVENTS, ImpactReport, Survey
from tenants.actors import Actor, require
from tenants.mappers import floor_of
from tenants.models import App, FloorRecord

__all__ = ["FloorImpact", "impact_of_floor"]


class FloorImpact(NamedTuple):
    """What the floor would do, and the events that it forces on or off and that no installation's spec has."""

    report: ImpactReport
    unknown: tuple[str, ...]


def impact_of_floor(
    *, actor: Actor, app: App | None, floor: PrivacyFloor, page: int = 1, page_size: int = 25
) -> FloorImpact:
    """What happens to each installation if ``floor`` takes the place of the app's (``None``: the organisation's) floor.

    Exceptions that hold now are counted in. Needs ``view`` in the workspace. Three queries, and one for each spec that
    installations are bound to.
    """
    require(actor, "view")
    look = _Look(app, floor)
    survey = Survey()
    for group in governed_groups(None if app is None else app.pk):
        examination = look.examination_for(group)
        if examination is None:
            survey.count(group, "installations", "unbound")
        else:
            survey.look_at(group, examination, look.floors_of(group.app_id)[1])
    forced = dict.fromkeys((*floor.forced_off, *floor.forced_on))
    return FloorImpact(
        survey.report(kind=None, page=page, page_size=page_size),
        tuple(reference for reference in forced if reference not in look.known),
    )


class _Look:
    """The specs and floors that the question is about, each read once."""

    def __init__(self, app: App | None, floor: PrivacyFloor) -> None:
        self._app_id = None if app is None else app.pk
        self._floor = floor
        self._stored = {record.app_id: floor_of(record) for record in FloorRecord.objects.order_by()}
        self._specs: dict[tuple[str, int | None], TelemetrySpec | None] = {}
        self._examinations: dict[tuple[str, int | None, int], Examination] = {}
        self._budget = Budget(MAXIMUM_RESOLVED_EVENTS)
        self.known: set[str] = set()

    def floors_of(self, app_id: int) -> tuple[PrivacyFloor, PrivacyFloor]:
        """What holds for the app before and after: its own floor and the organisation's together."""
        both = {key: self._stored.get(key, PrivacyFloor()) for key in (None, app_id)}
        return combine_floors(*both.values()), combine_floors(*(both | {self._app_id: self._floor}).values())

    def examination_for(self, group: BoundGroup) -> Examination | None:
        """The examination of the group's spec under these floors; ``None`` if it has no spec."""
        spec = self._spec(group.spec_name, group.spec_version)
        if spec is None:
            return None
        key = (spec.meta.name, group.spec_version, group.app_id)
        if key not in self._examinations:
            reach = reach_of_floors(spec, *self.floors_of(group.app_id))
            self._examinations[key] = Examination(spec, spec, reach=reach, budget=self._budget)
        return self._examinations[key]

    def _spec(self, name: str | None, version: int | None) -> TelemetrySpec | None:
        if name is None:
            return None
        if (name, version) not in self._specs:
            self._specs[name, version] = spec = _read(name, version)
            self.known.update(_references(spec))
        return self._specs[name, version]


def _read(name: str, version: int | None) -> TelemetrySpec | None:
    try:
        return spec_of_version(version_of(name, version))
    except UnknownSpec:
        return None


def _references(spec: TelemetrySpec | None) -> Iterable[str]:
    for event in () if spec is None else spec.events:
        yield from (event.name, event_reference(event.name, event.version))
