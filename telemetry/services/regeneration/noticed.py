"""What an adapter hands over, and the published specs that signals are judged against."""

from collections.abc import Callable, Iterable
from datetime import datetime
from typing import NamedTuple

from telemetry.core.proposals import Signal
from telemetry.core.spec import AnomalyDetection, TelemetrySpec
from telemetry.mappers import spec_of_version
from telemetry.models import EventOwner, SpecVersion, VersionStatus
from tenants.models import Installation

__all__ = ["Adapter", "Noticed", "PublishedSpec", "SpecBook"]


class PublishedSpec(NamedTuple):
    """A published version and what it says."""

    version: SpecVersion
    spec: TelemetrySpec

    @property
    def name(self) -> str:
        """The spec's name."""
        return self.spec.meta.name


class Noticed(NamedTuple):
    """One signal, the spec that it is about, and the installation whose data it comes from, if it is one's alone.

    With ``is_own`` the change is to be the installation's own. ``detection`` is what holds there instead of the event's
    own anomaly rules, where that differs.
    """

    signal: Signal
    published: PublishedSpec
    installation: Installation | None = None
    is_own: bool = False
    detection: AnomalyDetection | None = None


class SpecBook:
    """The published specs, read when they are asked for and then kept; for one run."""

    def __init__(self) -> None:
        self._by_spec: dict[int, PublishedSpec | None] = {}
        self._owners: dict[tuple[str, int], int | None] = {}

    def of_event(self, name: str, version: int) -> PublishedSpec | None:
        """The published spec that has this event; two queries at most."""
        key = (name, version)
        if key not in self._owners:
            owner = EventOwner.objects.filter(name=name, version=version).order_by().values_list("spec_id", flat=True)
            self._owners[key] = owner.first()
        spec_id = self._owners[key]
        found = None if spec_id is None else self._of_spec(spec_id)
        has_event = found is not None and any((each.name, each.version) == key for each in found.spec.events)
        return found if has_event else None

    def everything(self) -> list[PublishedSpec]:
        """All published specs, by name; two queries, and one for each that was not read before."""
        ids = SpecVersion.objects.filter(status=VersionStatus.PUBLISHED).order_by("spec__name")
        found = (self._of_spec(spec_id) for spec_id in ids.values_list("spec_id", flat=True))
        return [each for each in found if each is not None]

    def _of_spec(self, spec_id: int) -> PublishedSpec | None:
        if spec_id not in self._by_spec:
            rows = SpecVersion.objects.filter(spec_id=spec_id, status=VersionStatus.PUBLISHED)
            version = rows.select_related("spec").order_by().first()
            self._by_spec[spec_id] = None if version is None else PublishedSpec(version, spec_of_version(version))
        return self._by_spec[spec_id]


# Called in a context that shows every tenant; it only reads.
Adapter = Callable[[SpecBook, datetime], Iterable[Noticed]]
