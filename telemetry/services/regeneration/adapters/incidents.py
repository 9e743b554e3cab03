"""Signals from incidents: how often a rule was in breach lately, and what its metric usually is."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from telemetry.core.config import EffectiveEvent
from telemetry.core.errors import Conflict, UnknownEvent
from telemetry.core.proposals import Signal, SignalKind
from telemetry.core.proposals.rhythm import strength_of_rhythm
from telemetry.core.spec import AnomalyDetection
from telemetry.models import EventDay, EventTally, Incident
from telemetry.selectors.metric_windows import EventKey, align, window_summaries
from telemetry.services.anomalies.backtest import Backtest, backtest_event
from telemetry.services.configs import effective_config
from telemetry.services.regeneration.noticed import Noticed, PublishedSpec, SpecBook

__all__ = ["LOOK_BACK", "incident_signals", "signals_of_incident"]

# Two weeks hold every weekday twice.
LOOK_BACK: Final = timedelta(days=14)
# Rules that a scheduled run looks back on, those with the latest incidents first. Each costs a replay of two weeks, and
# a job has ninety seconds; what asked by itself is answered one by one besides.
MOST_RULES: Final = 50
RANKS: Final = {"p001": 0.001, "p50": 0.5, "p99": 0.99, "p999": 0.999}


def incident_signals(specs: SpecBook, now: datetime) -> Iterator[Noticed]:
    """One signal for each rule of an installation that had an incident lately."""
    recent = Incident.objects.filter(last_breach_at__gte=now - LOOK_BACK).order_by(
        "installation_id", "event_name", "event_version", "rule", "-opened_at"
    )
    latest = recent.distinct("installation_id", "event_name", "event_version", "rule").values("pk")
    rows = Incident.objects.filter(pk__in=latest).select_related("installation__tenant", "installation__app")
    for incident in rows.order_by("-last_breach_at", "-pk")[:MOST_RULES]:
        yield from signals_of_incident(specs, incident, now)


def signals_of_incident(specs: SpecBook, incident: Incident, now: datetime) -> Iterator[Noticed]:
    """The signal of the incident's rule; none if the rule, the event or its spec is gone, or nothing can be read."""
    published = specs.of_event(incident.event_name, incident.event_version)
    event = _effective_event(incident)
    if published is None or event is None:
        return
    detection = _only(event.anomaly_detection, incident.rule)
    if detection is None:
        return
    key = EventKey(incident.event_name, incident.event_version)
    found = backtest_event(
        installation=incident.installation, event=key, detection=detection, now=now, days=LOOK_BACK.days
    )
    facts = _facts(incident, found[0], now) if found else None
    if facts is None:
        return
    signal = Signal(
        kind=SignalKind.RULE_BREACH,
        source=f"incident:{incident.pk}",
        event=incident.event_name,
        event_version=incident.event_version,
        subject=incident.rule,
        strength=float(facts["breaching"]),
        facts=facts,
    )
    differs = _differs(published, event)
    yield Noticed(
        signal,
        published,
        incident.installation,
        is_own=differs or _is_alone(incident, now),
        detection=event.anomaly_detection if differs else None,
    )


def _effective_event(incident: Incident) -> EffectiveEvent | None:
    try:
        config = effective_config(incident.installation)
    except (Conflict, UnknownEvent):
        return None
    key = (incident.event_name, incident.event_version)
    return next((event for event in config.events if (event.name, event.version) == key), None)


def _only(detection: AnomalyDetection, rule: str) -> AnomalyDetection | None:
    """The detection with this rule or threshold alone."""
    rules = tuple(each for each in detection.rules if each.name == rule)
    if rules:
        return msgspec.structs.replace(detection, thresholds=(), rules=rules)
    metric, _, number = rule.removeprefix("threshold:").partition("#")
    thresholds = [each for each in detection.thresholds if each.metric == metric]
    place = int(number or "1") - 1
    if not rule.startswith("threshold:") or place >= len(thresholds):
        return None
    return msgspec.structs.replace(detection, thresholds=(thresholds[place],), rules=())


def _facts(incident: Incident, found: Backtest, now: datetime) -> dict[str, Any] | None:
    judged = [window for window in found.windows if window.sample]
    values = [window.value for window in judged if window.value is not None]
    is_threshold = incident.rule.startswith("threshold:")
    ranks = _ranks_of_metric(incident, now) if is_threshold else _ranks(values)
    if not judged or ranks is None:
        return None
    known = [(window.start, window.value) for window in judged if window.value is not None]
    return {
        "windows": len(judged),
        "breaching": sum(window.is_breach for window in judged),
        "days": round((judged[-1].start - judged[0].start) / timedelta(days=1), 2),
        "side": incident.side,
        "minutes": incident.minutes,
        "seasonality": 0.0 if is_threshold else round(strength_of_rhythm(known), 3),
        **ranks,
    }


def _ranks(values: Sequence[float]) -> dict[str, float] | None:
    ordered = sorted(values)
    if not ordered:
        return None
    return {name: ordered[round(rank * (len(ordered) - 1))] for name, rank in RANKS.items()}


def _ranks_of_metric(incident: Incident, now: datetime) -> dict[str, float] | None:
    """Where single values lie; ``None`` where values are not kept."""
    metric = incident.rule.removeprefix("threshold:").partition("#")[0]
    minutes = LOOK_BACK.days * 24 * 60
    until = align(now, minutes) + LOOK_BACK
    windows = window_summaries(
        incident.installation_id,
        EventKey(incident.event_name, incident.event_version),
        until - 2 * LOOK_BACK,
        until,
        minutes=minutes,
        with_details=True,
    )
    number = windows[max(windows)].number(metric) if windows else None
    if number is None:
        return None
    found = {name: number.quantile(rank) for name, rank in RANKS.items()}
    return {name: value for name, value in found.items() if value is not None} or None


def _differs(published: PublishedSpec, event: EffectiveEvent) -> bool:
    """Whether the installation's anomaly rules are not those of the spec."""
    definition = next(
        each for each in published.spec.events if (each.name, each.version) == (event.name, event.version)
    )
    own, held = definition.anomaly_detection, event.anomaly_detection
    return own is None or (own.thresholds, own.rules) != (held.thresholds, held.rules)


def _is_alone(incident: Incident, now: datetime) -> bool:
    """Whether other installations send the event too, and the rule is quiet at all of them; three queries."""
    key = {"name": incident.event_name, "version": incident.event_version}
    since = now - LOOK_BACK
    days = EventDay.objects.filter(**key, day__gte=since.date()).values_list("installation_id", flat=True)
    minutes = EventTally.objects.filter(**key, is_merged=False, received_minute__gte=since)
    senders = {*days.order_by().distinct(), *minutes.order_by().values_list("installation_id", flat=True).distinct()}
    others = senders - {incident.installation_id}
    if not others:
        return False
    breached = Incident.objects.filter(
        installation_id__in=others,
        event_name=incident.event_name,
        event_version=incident.event_version,
        rule=incident.rule,
        last_breach_at__gte=since,
    )
    return not breached.exists()
