"""Anomaly rules that tell too much: bounds that the metric has outgrown, and rhythms that no bound fits."""

from typing import Final

import msgspec

from telemetry.core.anomaly.series import shown
from telemetry.core.config import AnomalyOverride, EventOverride
from telemetry.core.enums import AnomalyMethod
from telemetry.core.proposals.rules.case import Case, confidence_of, percent, rounded_down, rounded_up
from telemetry.core.proposals.suggestion import Measure, Promise, Suggestion
from telemetry.core.spec import AnomalyDetection, AnomalyRule, EventDefinition, Threshold

__all__ = ["SEASONAL", "seasonal_on_fixed_bounds", "threshold_outgrown"]

THRESHOLD: Final = "threshold:"
# A bound that is breached in fewer windows than this tells of exceptions, as it should.
LEAST_SHARE: Final = 0.02
LEAST_BREACHES: Final = 3
# Room above what was seen, so that tomorrow's greatest value is not a breach again.
HEADROOM: Final = 0.1
# From here on the rhythm explains most of what varies.
# Source: strength of seasonality, Hyndman and Athanasopoulos, Forecasting: Principles and Practice, section 6.7.
SEASONAL: Final = 0.6
# The same hour has to have been seen on several days before anybody can call it usual.
LEAST_DAYS: Final = 3


def threshold_outgrown(case: Case) -> Suggestion | None:
    """The bound moves beyond what is usual by now; nothing for rules without bounds, or breaches that are rare."""
    event, signal = case.event, case.signal
    detection = event.anomaly_detection
    share = _share(case)
    if detection is None or share < LEAST_SHARE or signal.number("breaching") < LEAST_BREACHES:
        return None
    is_threshold = signal.subject.startswith(THRESHOLD)
    if not is_threshold and signal.number("seasonality") >= SEASONAL:
        return None
    bound, moved = _bounds(case)
    changed = _with_bound(detection, signal.subject, signal.text("side"), moved)
    if changed is None or bound is None or bound == moved:
        return None
    side = "maximum" if signal.text("side") == "high" else "minimum"
    what = _metric(event, signal.subject)
    days, windows = signal.number("days"), int(signal.number("windows"))
    return Suggestion(
        rule="threshold_outgrown",
        subject=signal.subject,
        title=f"Move the {side} of {what} to {shown(moved)}",
        summary=f"{int(signal.number('breaching'))} of {windows} windows in {_span(days)} were beyond "
        f"{shown(bound)}: nobody hears an alarm that is always on.",
        rationale=f"The median of {what} is {shown(signal.number('p50'))}, and 99.9 percent lie "
        f"{'below' if side == 'maximum' else 'above'} {shown(_far(case))}. {shown(moved)} leaves {HEADROOM:.0%} of "
        "room beyond that.",
        confidence=confidence_of(min(windows / 20, days), medium=1, high=7),
        blockers=_blockers(share),
        event=msgspec.structs.replace(event, anomaly_detection=changed),
        own=_own(changed),
        promise=_fewer_breaches(share),
    )


def seasonal_on_fixed_bounds(case: Case) -> Suggestion | None:
    """The rule learns what is usual at this hour; only for rules of a window, since single values have no hour."""
    event, signal = case.event, case.signal
    detection = event.anomaly_detection
    rule = None if detection is None else _rule(detection, signal.subject)
    if detection is None or rule is None or rule.method is not AnomalyMethod.LIMITS:
        return None
    seasonality, days = signal.number("seasonality"), signal.number("days")
    if seasonality < SEASONAL or days < LEAST_DAYS or signal.number("breaching") < LEAST_BREACHES:
        return None
    learning = msgspec.structs.replace(rule, method=AnomalyMethod.SEASONAL, min=None, max=None)
    changed = _with_rule(detection, learning)
    return Suggestion(
        rule="seasonal_on_fixed_bounds",
        subject=signal.subject,
        title=f"Judge {rule.name} by a baseline instead of fixed bounds",
        summary=f"The metric has a rhythm: the hour of the day explains {percent(seasonality)} of what varies, and the "
        f"bounds were breached in {int(signal.number('breaching'))} of {int(signal.number('windows'))} windows.",
        rationale="Bounds that fit the day are wrong at night. A seasonal baseline compares each window with the same "
        "hour of earlier days and weeks.",
        confidence=confidence_of(days, medium=7, high=14),
        blockers=("Until a week was seen, the baseline knows few hours.",) if days < 7 else (),
        event=msgspec.structs.replace(event, anomaly_detection=changed),
        own=_own(changed),
        promise=_fewer_breaches(_share(case)),
    )


def _span(days: float) -> str:
    if days >= 2:
        return f"{days:.0f} days"
    return f"{days * 24:.0f} hours" if days * 24 >= 2 else f"{max(1, round(days * 24 * 60))} minutes"


def _share(case: Case) -> float:
    windows = case.signal.number("windows")
    return case.signal.number("breaching") / windows if windows else 0.0


def _far(case: Case) -> float:
    """Beyond this lies nearly nothing of what was seen."""
    return case.signal.number("p999" if case.signal.text("side") == "high" else "p001")


def _bounds(case: Case) -> tuple[float | None, float]:
    """The bound that holds, and the one that history asks for."""
    detection, subject, is_high = case.event.anomaly_detection, case.signal.subject, case.signal.text("side") == "high"
    each: Threshold | AnomalyRule | None = None
    if detection is not None:
        each = _rule(detection, subject) or _threshold(detection, subject)
    bound = None if each is None else each.max if is_high else each.min
    far = _far(case)
    room = abs(far) * HEADROOM
    return bound, rounded_up(far + room) if is_high else rounded_down(far - room)


def _rule(detection: AnomalyDetection, name: str) -> AnomalyRule | None:
    return next((rule for rule in detection.rules if rule.name == name), None)


def _threshold(detection: AnomalyDetection, name: str) -> Threshold | None:
    metric, _, number = name.removeprefix(THRESHOLD).partition("#")
    found = [each for each in detection.thresholds if each.metric == metric]
    place = int(number or "1") - 1
    return found[place] if name.startswith(THRESHOLD) and place < len(found) else None


def _metric(event: EventDefinition, subject: str) -> str:
    if subject.startswith(THRESHOLD):
        return subject.removeprefix(THRESHOLD).partition("#")[0]
    rule = None if event.anomaly_detection is None else _rule(event.anomaly_detection, subject)
    return subject if rule is None else f"{rule.name} ({rule.metric or rule.statistic})"


def _with_bound(detection: AnomalyDetection, subject: str, side: str, bound: float) -> AnomalyDetection | None:
    """The detection with this bound; ``None`` where nothing is bounded on that side, or the move would tighten it."""
    field = "max" if side == "high" else "min"
    rule, threshold = _rule(detection, subject), _threshold(detection, subject)
    known = getattr(rule or threshold, field, None)
    if known is None or (bound <= known if field == "max" else bound >= known):
        return None
    if rule is not None:
        return _with_rule(detection, msgspec.structs.replace(rule, **{field: bound}))
    moved = msgspec.structs.replace(threshold, **{field: bound}) if threshold is not None else None
    thresholds = tuple(moved if each is threshold and moved is not None else each for each in detection.thresholds)
    return msgspec.structs.replace(detection, thresholds=thresholds)


def _with_rule(detection: AnomalyDetection, changed: AnomalyRule) -> AnomalyDetection:
    rules = tuple(changed if rule.name == changed.name else rule for rule in detection.rules)
    return msgspec.structs.replace(detection, rules=rules)


def _own(detection: AnomalyDetection) -> EventOverride:
    return EventOverride(
        anomaly_detection=AnomalyOverride(thresholds=detection.thresholds or None, rules=detection.rules or None)
    )


def _blockers(share: float) -> tuple[str, ...]:
    return ("It is in breach nearly always: is the bound wrong, or the product?",) if share > 0.9 else ()


def _fewer_breaches(share: float) -> Promise:
    return Promise(measure=Measure.BREACH_SHARE, before=share, most=min(share / 2, 0.05), sample=3)
