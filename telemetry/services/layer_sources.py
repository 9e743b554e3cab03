"""Who put the documents into force that a config is made of, and when."""

import re
from collections.abc import Mapping
from datetime import datetime
from typing import Final, NamedTuple

from telemetry.core.enums import Layer
from telemetry.core.explaining import Explanation
from telemetry.core.floors import combine_floors
from telemetry.core.layers import Step, event_reference
from telemetry.core.plain import to_plain
from telemetry.models import SpecVersion
from tenants.mappers import floor_of
from tenants.models import BlueprintVersion, ConfigPeriod, FloorExceptionRecord, FloorVersion

__all__ = ["LayerSource", "Sources"]

EXCEPTION: Final = re.compile(r"exceptions\[(\d+)\]")
EVENT: Final = re.compile(r"events\[(.+)@(\d+)\]\.")


class LayerSource(NamedTuple):
    """Who put a document into force that a layer consists of, and when.

    ``title`` says which document it is, ``version`` which state of it (``None`` for the product's defaults and for
    exceptions, which have none). ``at`` is the instant from which it counts, ``ends_at`` that at which it ends by
    itself. ``note`` is what they wrote about it.
    """

    layer: Layer
    title: str
    version: int | None = None
    by: str = ""
    at: datetime | None = None
    ends_at: datetime | None = None
    note: str = ""


class Sources(NamedTuple):
    """The documents that were in force at an instant, to look up who said what. No method asks the database."""

    spec: SpecVersion
    blueprint: BlueprintVersion | None
    period: ConfigPeriod | None
    floors: tuple[FloorVersion, ...]
    exceptions: Mapping[int, FloorExceptionRecord]

    def of(self, leaf: Explanation, step: Step | None = None) -> LayerSource:
        """Who is behind the layer that set the leaf, or that had its say in this step of the leaf's story."""
        layer, place = (leaf.layer, leaf.place) if step is None else (step.layer, step.path)
        match layer:
            case Layer.SPEC | Layer.EVENT:
                return _of_spec(layer, self.spec)
            case Layer.BLUEPRINT if self.blueprint is not None:
                return _of_blueprint(self.blueprint)
            case Layer.TENANT if self.period is not None:
                return _of_override(self.period)
            case Layer.FLOOR if self.floors:
                return _of_floor(self._demanding(place, leaf.path))
            case Layer.EXCEPTION:
                number = EXCEPTION.match(place)
                record = self.exceptions.get(int(number[1])) if number else None
                return LayerSource(layer, "Exception") if record is None else _of_exception(record)
        return LayerSource(layer, "Product defaults" if layer is Layer.PRODUCT else layer.capitalize())

    def _demanding(self, place: str, path: str) -> FloorVersion:
        """The floor that demands what holds; where neither does alone, the last that demands anything there."""
        found = EVENT.match(path)
        names = frozenset() if found is None else frozenset((found[1], event_reference(found[1], int(found[2]))))
        held = _demand(combine_floors(*map(floor_of, self.floors)), place, names)
        demanding = [each for each in self.floors if _demand(floor_of(each), place, names) is not None]
        exactly = [each for each in demanding if _demand(floor_of(each), place, names) == held]
        return (exactly or demanding or self.floors)[-1]


def _demand(floor: object, place: str, names: frozenset[str]) -> object:
    """What the floor says at a place in its document; of a list of events only these names. ``None``: nothing."""
    value = to_plain(floor)
    for key in place.split("."):
        value = value.get(key) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        return sorted(names.intersection(value)) or None
    return value


def _of_spec(layer: Layer, version: SpecVersion) -> LayerSource:
    return LayerSource(
        layer,
        f"Spec {version.spec.name}",
        version.version,
        version.published_by_label,
        version.published_at,
        note=version.change_summary,
    )


def _of_blueprint(version: BlueprintVersion) -> LayerSource:
    return LayerSource(Layer.BLUEPRINT, "Blueprint", version.number, version.saved_by_label, version.saved_at)


def _of_override(period: ConfigPeriod) -> LayerSource:
    return LayerSource(
        Layer.TENANT,
        "Override",
        period.config.number,
        period.planned_by_label,
        period.starts_at,
        period.ends_at,
        period.config.change_summary,
    )


def _of_floor(version: FloorVersion) -> LayerSource:
    app = version.floor.app
    title = "Floor of the organisation" if app is None else f"Floor of the app {app.slug}"
    return LayerSource(Layer.FLOOR, title, version.number, version.saved_by_label, version.saved_at)


def _of_exception(record: FloorExceptionRecord) -> LayerSource:
    return LayerSource(
        Layer.EXCEPTION,
        f"Exception {record.pk}",
        None,
        record.granted_by_label,
        record.starts_at,
        record.ends_at,
        record.reason,
    )
