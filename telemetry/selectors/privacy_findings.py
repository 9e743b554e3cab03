"""Reading what detectors found, in the context's tenants."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.db.models import Count, Max, Min, Q, QuerySet, Sum

from telemetry.core.errors import NotFound
from telemetry.core.paths import key_of
from telemetry.core.scalars import UNUSABLE_CHARACTER
from telemetry.detection.detector import Detector
from telemetry.models import FindingState, PrivacyFinding
from tenants.models import Installation

__all__ = [
    "FindingFilter",
    "InboxRow",
    "counts_by_state",
    "finding_by_id",
    "findings",
    "findings_of_properties",
    "inbox",
    "inbox_row",
    "of_the_same_kind",
    "open_kinds",
    "places_of",
]

_KIND = ("event_name", "event_version", "path", "detector")


class FindingFilter(msgspec.Struct, frozen=True, kw_only=True):
    """Which findings are looked for; what is empty does not narrow them down. ``text`` is part of event or place."""

    text: str = ""
    installation: UUID | None = None
    detector: Detector | None = None
    state: FindingState | None = None


class InboxRow(msgspec.Struct, frozen=True, kw_only=True):
    """One property of one event in which one detector found something, over all installations that the reader sees.

    ``id`` is that of one of the findings; ``found`` of ``checked`` values.
    """

    id: int
    event_name: str
    event_version: int
    path: str
    detector: Detector
    is_declared: bool
    installations: int
    found: int
    checked: int
    first_seen_at: datetime
    last_seen_at: datetime
    came_back: bool

    @property
    def share(self) -> float:
        """The share of the checked values in which it was found (ratio 0-1)."""
        return self.found / self.checked if self.checked else 0.0


def findings(wanted: FindingFilter) -> QuerySet[PrivacyFinding]:
    """The findings that are looked for, one per installation, with installation, tenant and app; the latest first."""
    if UNUSABLE_CHARACTER.search(wanted.text):
        return PrivacyFinding.objects.none()
    found = PrivacyFinding.objects.all()
    if wanted.text:
        found = found.filter(Q(event_name__icontains=wanted.text) | Q(path__icontains=wanted.text))
    if wanted.installation is not None:
        found = found.filter(installation__public_id=wanted.installation)
    if wanted.detector is not None:
        found = found.filter(detector=wanted.detector.value)
    if wanted.state is not None:
        found = found.filter(state=wanted.state)
    return found.select_related("installation__tenant", "installation__app").order_by("-last_seen_at", "-id")


def inbox(wanted: FindingFilter) -> QuerySet[Any, dict[str, Any]]:
    """The findings that are looked for, as one row per property and detector, for ``inbox_row``; the latest first."""
    grouped = findings(wanted).select_related(None).order_by().values(*_KIND)
    rows: QuerySet[Any, dict[str, Any]] = grouped.annotate(
        one_of_them=Min("id"),
        installations=Count("installation_id", distinct=True),
        all_found=Sum("found"),
        all_checked=Sum("checked"),
        first_seen=Min("first_seen_at"),
        last_seen=Max("last_seen_at"),
        declared=Count("id", filter=Q(is_declared=True)),
        back=Count("reopened_at"),
    ).order_by("-last_seen", *_KIND)
    return rows


def inbox_row(values: Mapping[str, Any]) -> InboxRow:
    """A row of ``inbox``."""
    return InboxRow(
        id=values["one_of_them"],
        event_name=values["event_name"],
        event_version=values["event_version"],
        path=values["path"],
        detector=Detector(values["detector"]),
        is_declared=values["declared"] > 0,
        installations=values["installations"],
        found=values["all_found"],
        checked=values["all_checked"],
        first_seen_at=values["first_seen"],
        last_seen_at=values["last_seen"],
        came_back=values["back"] > 0,
    )


def counts_by_state(wanted: FindingFilter) -> dict[str, int]:
    """How many rows the inbox has in each state, all else as asked for; one query."""
    everything = findings(msgspec.structs.replace(wanted, state=None)).select_related(None).order_by()
    counts = dict.fromkeys(FindingState.values, 0)
    for state, *_ in everything.values_list("state", *_KIND).distinct():
        counts[state] += 1
    return counts


def open_kinds() -> QuerySet[PrivacyFinding, dict[str, Any]]:
    """The rows of the inbox that wait for somebody, each kind of finding once."""
    waiting: QuerySet[PrivacyFinding, dict[str, Any]] = PrivacyFinding.objects.order_by().values(*_KIND)
    return waiting.filter(state=FindingState.OPEN).distinct()


def finding_by_id(finding_id: int) -> PrivacyFinding:
    """The finding, with installation, tenant and app; ``NotFound``, also when it is another tenant's."""
    rows = PrivacyFinding.objects.select_related("installation__tenant", "installation__app")
    found = rows.filter(pk=finding_id).order_by().first()
    if found is None:
        raise NotFound("there is no such finding")
    return found


def of_the_same_kind(finding: PrivacyFinding, *, any_detector: bool = False) -> list[PrivacyFinding]:
    """The findings in the same state for the same property of the same event, locked, in the order of ingest."""
    kind = {column: getattr(finding, column) for column in (*_KIND, "state")}
    if any_detector:
        del kind["detector"], kind["state"]
    rows = PrivacyFinding.objects.filter(**kind).select_for_update()
    return list(rows.order_by("installation_id", *_KIND))


def places_of(finding: PrivacyFinding, *, limit: int = 50) -> list[PrivacyFinding]:
    """The findings that one row of the inbox stands for, with installation, tenant and app, the latest first."""
    kind = {column: getattr(finding, column) for column in (*_KIND, "state")}
    rows = PrivacyFinding.objects.filter(**kind).select_related("installation__tenant", "installation__app")
    return list(rows.order_by("-last_seen_at", "-id")[:limit])


def findings_of_properties(installation: Installation) -> list[tuple[str, int, str]]:
    """Event, version and property of everything found at the installation that nobody has dismissed; one query."""
    rows = PrivacyFinding.objects.filter(installation=installation).exclude(state=FindingState.DISMISSED)
    found = rows.order_by("event_name", "event_version", "path").values_list("event_name", "event_version", "path")
    keyed = ((name, version, key_of("properties", path)) for name, version, path in found.distinct())
    return [(name, version, key) for name, version, key in keyed if key is not None]
