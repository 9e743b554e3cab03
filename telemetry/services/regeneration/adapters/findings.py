"""Signals from what detectors found in declared properties that nothing hides."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Final

from telemetry.core.enums import PropertyType
from telemetry.core.paths import key_of
from telemetry.core.proposals import Signal, SignalKind
from telemetry.core.spec import EventDefinition
from telemetry.detection.detector import SUGGESTIONS, Detector
from telemetry.models import FindingState, PrivacyFinding
from telemetry.services.finding_decisions import strategy_for
from telemetry.services.regeneration.noticed import Noticed, SpecBook

__all__ = ["finding_signals"]

DAYS: Final = 14
MOST_FINDINGS: Final = 1_000


def finding_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each finding that waits for somebody, of a declared property, and that was seen lately."""
    rows = PrivacyFinding.objects.filter(
        state=FindingState.OPEN, is_declared=True, last_seen_at__gte=now - timedelta(days=DAYS)
    ).select_related("installation__tenant", "installation__app")
    for finding in rows.order_by("-found", "pk")[:MOST_FINDINGS]:
        published = specs.of_event(finding.event_name, finding.event_version)
        name = key_of("properties", finding.path)
        if published is None or not name:
            continue
        signal = _signal(finding, name, is_required=_is_required(published.spec.events, finding, name))
        yield Noticed(signal, published, finding.installation)


def _is_required(events: tuple[EventDefinition, ...], finding: PrivacyFinding, name: str) -> bool:
    key = (finding.event_name, finding.event_version)
    event = next(each for each in events if (each.name, each.version) == key)
    known = event.properties.get(name)
    return known is not None and known.required


def _signal(finding: PrivacyFinding, name: str, *, is_required: bool) -> Signal:
    detector = Detector(finding.detector)
    strategy = strategy_for(detector, PropertyType(finding.value_type), is_required=is_required)
    return Signal(
        kind=SignalKind.PERSONAL_DATA,
        source=f"finding:{finding.pk}",
        event=finding.event_name,
        event_version=finding.event_version,
        subject=name,
        strength=float(finding.found),
        facts={
            "found": finding.found,
            "checked": finding.checked,
            "detector": detector.words,
            "strategy": strategy.value,
            "level": SUGGESTIONS[detector].level.value,
        },
    )
