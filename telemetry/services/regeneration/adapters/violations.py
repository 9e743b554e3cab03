"""Signals from violations: properties that apps keep sending undeclared, and required ones that they leave out."""

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, datetime, timedelta
from typing import Any, Final, NamedTuple

from django.db.models import Count, Max, Sum

from telemetry.core.enums import PropertyType, ViolationCode
from telemetry.core.paths import key_of
from telemetry.core.proposals import Signal, SignalKind
from telemetry.detection.detector import SUGGESTIONS, Detector
from telemetry.models import FindingState, PrivacyFinding, ViolationDay, ViolationRecord, ViolationState
from telemetry.selectors.balance import counts_by_event
from telemetry.selectors.stored_facts import stored_app_versions
from telemetry.services.finding_decisions import strategy_for
from telemetry.services.regeneration.noticed import Noticed, SpecBook
from tenants.models import Installation

__all__ = ["violation_signals"]

DAYS: Final = 14
KINDS: Final = {
    ViolationCode.UNDECLARED_PROPERTY.value: SignalKind.UNDECLARED_PROPERTY,
    ViolationCode.MISSING_REQUIRED.value: SignalKind.MISSING_PROPERTY,
}


class _Place(NamedTuple):
    """One mistake at one installation."""

    installation_id: int
    event_name: str
    event_version: int
    path: str
    code: str


class _Count(NamedTuple):
    """How often it came from one version of the app."""

    app_version: str
    violation_id: int
    events: int
    days: int


def violation_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each property of each installation's event that was undeclared or missing in the last days."""
    places = _places(now.date() - timedelta(days=DAYS - 1))
    installations = _installations({place.installation_id for place in places})
    totals: dict[int, dict[tuple[str, int], int]] = {}
    for place, counts in places.items():
        installation = installations[place.installation_id]
        if place.installation_id not in totals:
            totals[place.installation_id] = _totals(place.installation_id, now)
        published = specs.of_event(place.event_name, place.event_version)
        total = totals[place.installation_id].get((place.event_name, place.event_version), 0)
        name = key_of("properties", place.path)
        if published is None or not name or not total:
            continue
        facts = _facts(place, counts, total, name)
        signal = Signal(
            kind=KINDS[place.code],
            source=f"violation:{place.installation_id}:{place.event_name}@{place.event_version}:{place.code}:{name}",
            event=place.event_name,
            event_version=place.event_version,
            subject=name,
            strength=float(facts["events"]),
            facts=facts,
        )
        yield Noticed(signal, published, installation)


def _places(first: date) -> dict[_Place, list[_Count]]:
    rows = (
        ViolationDay.objects.filter(day__gte=first, violation__code__in=KINDS, violation__event_version__isnull=False)
        .exclude(violation__state=ViolationState.MUTED)
        .exclude(violation__event_name="")
        .order_by()
        .values_list(
            "violation__installation_id",
            "violation__event_name",
            "violation__event_version",
            "violation__path",
            "violation__code",
            "violation__app_version",
        )
        .annotate(Max("violation_id"), Sum("count"), Count("day", distinct=True))
    )
    found: dict[_Place, list[_Count]] = defaultdict(list)
    for *place, app_version, violation_id, events, days in rows:
        found[_Place(*place)].append(_Count(app_version, violation_id, int(events), days))
    return found


def _installations(ids: set[int]) -> dict[int, Installation]:
    rows = Installation.objects.filter(pk__in=ids).select_related("tenant", "app")
    return {row.pk: row for row in rows}


def _totals(installation_id: int, now: datetime) -> dict[tuple[str, int], int]:
    """How many events came, duplicates left out, by name and version; one query."""
    until = now.replace(second=0, microsecond=0) + timedelta(minutes=1)
    counts = counts_by_event(installation_id, until - timedelta(days=DAYS), until)
    return {(each.name, each.version): each.counts.received - each.counts.duplicate for each in counts}


def _facts(place: _Place, counts: list[_Count], total: int, name: str) -> dict[str, Any]:
    events = sum(each.events for each in counts)
    shared = {"events": events, "days": DAYS, "share": round(min(1.0, events / total), 4)}
    if place.code == ViolationCode.UNDECLARED_PROPERTY.value:
        return {**shared, "type": _type_of(counts, name), **_personal(place)}
    faulty = sorted({each.app_version for each in counts})
    versions = _versions_of(place) | set(faulty)
    only = faulty[0] if len(faulty) == 1 and faulty[0] and len(versions) > 1 else ""
    return {**shared, "versions": len(versions), "faulty": len(faulty), "faulty_version": only}


def _type_of(counts: list[_Count], name: str) -> str:
    """The type in the outline of the latest group's sample; json if it does not show the property."""
    newest = max(counts, key=lambda each: each.violation_id)
    sample = ViolationRecord.objects.values_list("sample", flat=True).get(pk=newest.violation_id)
    seen = sample.get("properties", {}).get("names", {}).get(name, {}).get("type", "")
    return seen if seen in ("string", "number", "boolean") else PropertyType.JSON.value


def _personal(place: _Place) -> dict[str, str]:
    """What detectors take the values for, and how they are best hidden; empty if they see nothing."""
    rows = PrivacyFinding.objects.filter(
        installation_id=place.installation_id,
        event_name=place.event_name,
        event_version=place.event_version,
        path=place.path,
    ).exclude(state=FindingState.DISMISSED)
    finding = rows.order_by("-found").first()
    if finding is None:
        return {}
    detector = Detector(finding.detector)
    strategy = strategy_for(detector, PropertyType(finding.value_type), is_required=False)
    return {
        "detector": detector.words,
        "strategy": strategy.value,
        "level": SUGGESTIONS[detector].level.value,
    }


def _versions_of(place: _Place) -> set[str]:
    """The versions of the app that are known to send the event: those with any violation, and those that are stored."""
    rows = ViolationRecord.objects.filter(installation_id=place.installation_id, event_name=place.event_name)
    known = set(rows.order_by().values_list("app_version", flat=True).distinct())
    stored = stored_app_versions(place.installation_id, place.event_name)
    return {version for version in known | stored if version}
