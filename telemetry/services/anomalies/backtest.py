"""What a rule would have done: the same measuring and judging as at run time, over the past."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final, NamedTuple

import msgspec
from django.conf import settings

from telemetry.core.anomaly import Point, Surprise, SurpriseScorer, Verdict
from telemetry.core.anomaly.episodes import Episode, Transition, advance
from telemetry.core.anomaly.history import HISTORY, IndexedHistory
from telemetry.core.config import EffectiveConfig, EffectiveEvent
from telemetry.core.errors import UnknownEvent
from telemetry.core.spec import AnomalyDetection
from telemetry.selectors.metric_windows import EventKey, align
from telemetry.services.anomalies.judging import Tallies, measure_windows
from telemetry.services.anomalies.watching import Reading, WatchedRule, rules_of_event
from telemetry.services.configs import effective_config
from tenants.models import Installation

__all__ = ["Backtest", "BacktestEpisode", "BacktestWindow", "backtest_event"]

DAYS: Final = 30
# A rule that is in breach in every third window tells nothing any more.
OFTEN: Final = 1 / 3


class BacktestWindow(NamedTuple):
    """One window: what the rule read, ``None`` for nothing, and what it said of it."""

    start: datetime
    value: float | None
    sample: int
    low: float | None
    high: float | None
    is_breach: bool


class BacktestEpisode(NamedTuple):
    """One incident that there would have been: from its first to the end of its last window in breach."""

    start: datetime
    end: datetime
    breaches: int
    words: str


class Backtest(NamedTuple):
    """What one rule would have done in [since, until). ``warnings`` say when it could hardly ever tell anything."""

    rule: str
    words: str
    minutes: int
    since: datetime
    until: datetime
    windows: list[BacktestWindow]
    episodes: list[BacktestEpisode]
    warnings: list[str]


def backtest_event(
    *, installation: Installation, event: EventKey, detection: AnomalyDetection, now: datetime, days: int = DAYS
) -> list[Backtest]:
    """What each threshold and rule of ``detection`` would have done at the installation in the last ``days``.

    Nothing is stored. Judged as ``evaluate_installation`` does, except that events that came late count from the
    start. One query per rule; minutes of the event's tallies are read once per rule. Raises ``Conflict`` while no spec
    is published for the installation, ``UnknownEvent`` if it has no such event.
    """
    config = effective_config(installation)
    watched = rules_of_event(_with(_event(config, event), detection), config.check_interval_ms)
    return [_backtest(installation, rule, now, days) for rule in watched]


def _event(config: EffectiveConfig, key: EventKey) -> EffectiveEvent:
    found = next((event for event in config.events if (event.name, event.version) == key), None)
    if found is None:
        raise UnknownEvent(f"the installation has no event {key.name} with version {key.version}")
    return found


def _with(event: EffectiveEvent, detection: AnomalyDetection) -> EffectiveEvent:
    return msgspec.structs.replace(event, anomaly_detection=detection)


def _backtest(installation: Installation, watched: WatchedRule, now: datetime, days: int) -> Backtest:
    until = align(now - timedelta(seconds=settings.STUDIO_ANOMALY_LAG_SECONDS), watched.minutes)
    since = align(until - timedelta(days=days), watched.minutes)
    readings = measure_windows(Tallies(installation.pk), watched, align(since - HISTORY, watched.minutes), until)
    known = _since_first(readings)
    windows, episodes = _replay(watched, known, since)
    return Backtest(
        rule=watched.name,
        words=watched.words,
        minutes=watched.minutes,
        since=since,
        until=until,
        windows=windows,
        episodes=episodes,
        warnings=list(_warnings(watched, windows)),
    )


def _since_first(readings: Mapping[datetime, Reading]) -> dict[datetime, Reading]:
    """The windows from the first one on in which there was anything."""
    seen = [start for start, reading in readings.items() if reading.sample]
    first = min(seen, default=None)
    return {} if first is None else {start: reading for start, reading in readings.items() if start >= first}


def _replay(
    watched: WatchedRule, readings: Mapping[datetime, Reading], since: datetime
) -> tuple[list[BacktestWindow], list[BacktestEpisode]]:
    windows: list[BacktestWindow] = []
    episodes: list[BacktestEpisode] = []
    episode: Episode | None = None
    width = timedelta(minutes=watched.minutes)
    for start, reading, verdict in _judged(watched, readings, since):
        is_breach = verdict is not None and verdict.breach is not None
        band = None if verdict is None else verdict.band
        windows.append(
            BacktestWindow(
                start,
                reading.value,
                reading.sample,
                None if band is None else band.low,
                None if band is None else band.high,
                is_breach,
            )
        )
        episode, transition = advance(episode, is_breach=is_breach, is_judged=verdict is not None and verdict.is_judged)
        if transition is Transition.OPENED and verdict is not None:
            episodes.append(BacktestEpisode(start, start + width, 1, verdict.words))
        elif transition is Transition.CONTINUED:
            last = episodes[-1]
            episodes[-1] = last._replace(end=start + width, breaches=last.breaches + 1)
    return windows, episodes


def _judged(
    watched: WatchedRule, readings: Mapping[datetime, Reading], since: datetime
) -> Iterator[tuple[datetime, Reading, Verdict | None]]:
    """Every window from ``since`` on with the verdict at its time."""
    points = [
        Point(start, reading.value, reading.sample) for start, reading in readings.items() if reading.value is not None
    ]
    detector = None if watched.threshold is not None else watched.detector
    if isinstance(detector, Surprise):
        yield from _surprised(detector, watched, readings, since)
        return
    history = IndexedHistory(points)
    for start, reading in readings.items():
        if start >= since:
            yield start, reading, _verdict(watched, history, start, reading)


def _verdict(watched: WatchedRule, history: IndexedHistory, start: datetime, reading: Reading) -> Verdict | None:
    if reading.value is None:
        return None
    before = [] if watched.is_quick(reading) else history.before(watched.method, start)
    return watched.judge(reading, before, Point(start, reading.value, reading.sample))


def _surprised(
    detector: Surprise, watched: WatchedRule, readings: Mapping[datetime, Reading], since: datetime
) -> Iterator[tuple[datetime, Reading, Verdict | None]]:
    """As ``Surprise.judge``, but with one scorer for the whole series."""
    scorer = SurpriseScorer(timedelta(minutes=watched.minutes))
    seen: list[Point] = []
    for start, reading in readings.items():
        verdict = None
        if reading.value is not None:
            point = Point(start, reading.value, reading.sample)
            scored = scorer.score(start, reading.value)
            verdict = detector.verdict(scored, seen[-1:], point)
            seen.append(point)
        if start >= since:
            yield start, reading, verdict


def _warnings(watched: WatchedRule, windows: list[BacktestWindow]) -> Iterator[str]:
    """Why the rule could hardly ever tell anything, given what came in."""
    if not windows:
        yield "no events came in these days: nobody knows what the rule would do"
        return
    breaches = sum(window.is_breach for window in windows)
    enough = sum(window.sample >= watched.minimum_sample for window in windows)
    if watched.needs_sample and not enough:
        most = max(window.sample for window in windows)
        yield (
            f"it can never fire: no window had the {watched.minimum_sample} events that it takes, "
            f"the fullest had {most}; lower the minimum sample or widen the window"
        )
    elif watched.needs_sample and enough < len(windows) / 10:
        yield f"it could judge {enough} of {len(windows)} windows only: the others had too few events"
    if breaches == len(windows):
        yield "it always fires: every window is in breach"
    elif breaches > len(windows) * OFTEN:
        yield f"it fires too often to be heard: {breaches} of {len(windows)} windows are in breach"
