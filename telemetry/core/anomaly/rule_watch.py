"""The rules of many events inside one process: which windows they ask for, and what breaks them."""

from collections import OrderedDict
from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Final

from telemetry.core.anomaly.anomaly import Anomaly, Observed
from telemetry.core.anomaly.event_series import EventSeries
from telemetry.core.anomaly.series import Band, Side
from telemetry.core.anomaly.window_tally import Seen
from telemetry.core.spec import AnomalyDetection, AnomalyRule

__all__ = ["RuleWatch"]

# Events, each by the width of its windows: the one that was seen least lately makes room.
_MOST_SERIES: Final = 256


class RuleWatch:
    """Counts events in the windows that their rules ask for. Not safe to share between threads."""

    def __init__(self) -> None:
        self._series: OrderedDict[tuple[str, int, timedelta], _Watched] = OrderedDict()
        # The widths that each event's rules ask for.
        self._widths: dict[tuple[str, int], tuple[timedelta, ...]] = {}
        self.ignored = 0

    @property
    def knows_any(self) -> bool:
        """Whether any event has rules."""
        return bool(self._widths)

    def observe(
        self,
        event: Observed,
        detection: AnomalyDetection,
        metrics: Mapping[str, float],
        occurred_at: datetime,
        now: datetime,
        window: timedelta,
        seen: Seen,
    ) -> Iterator[Anomaly]:
        """The event is counted; the anomalies of its windows that have closed by ``now``.

        ``window`` is the width for rules that name none. Events of closed windows are counted in ``ignored``.
        """
        widths = tuple(dict.fromkeys(_width_of(rule, window) for rule in detection.rules))
        identity = (event.name, event.version)
        if self._widths.get(identity) != widths:
            self._keep(identity, widths)
        for width in widths:
            watched = self._watched(event, detection, width, window)
            yield from watched.close(now)
            if not watched.series.count(metrics, seen, occurred_at):
                self.ignored += 1

    def forget(self, event: Observed) -> None:
        """The event has no rules any more, if it had some: nothing is judged of it."""
        self._keep((event.name, event.version), ())

    def close(self, now: datetime) -> Iterator[Anomaly]:
        """The anomalies of all windows that have closed by ``now``."""
        for watched in self._series.values():
            yield from watched.close(now)

    def _keep(self, identity: tuple[str, int], widths: tuple[timedelta, ...]) -> None:
        """The event's rules ask for windows of these widths now, and for no others."""
        for width in self._widths.pop(identity, ()):
            if width not in widths:
                self._series.pop((*identity, width), None)
        if widths:
            self._widths[identity] = widths

    def _watched(self, event: Observed, detection: AnomalyDetection, width: timedelta, window: timedelta) -> "_Watched":
        """The event's series of windows of this width, by the rules of now."""
        key = (event.name, event.version, width)
        watched = self._series.get(key)
        if watched is None:
            watched = self._series[key] = _Watched(event, detection, width, window)
            if len(self._series) > _MOST_SERIES:
                name, version, _ = next(iter(self._series))
                self._keep((name, version), ())
        self._series.move_to_end(key)
        watched.obey(detection, window)
        return watched


class _Watched:
    """An event's series of windows of one width, and what its rules ask to be done."""

    def __init__(self, event: Observed, detection: AnomalyDetection, width: timedelta, window: timedelta) -> None:
        self._name, self._version, self._width = event.name, event.version, width
        self._detection = detection
        self.series = EventSeries(_rules_of(detection, width, window), width, detection.minimum_sample)

    def obey(self, detection: AnomalyDetection, window: timedelta) -> None:
        """These are the rules, if they are others than before."""
        if detection is not self._detection:
            self._detection = detection
            self.series.adopt(_rules_of(detection, self._width, window), detection.minimum_sample)

    def close(self, now: datetime) -> Iterator[Anomaly]:
        """The anomalies of the windows that have closed by now."""
        for rule, point, verdict in self.series.close(now):
            is_low = verdict.breach is Side.LOW
            band = verdict.band or Band()
            limit = band.low if is_low else band.high
            yield Anomaly(
                event_name=self._name,
                event_version=self._version,
                metric=rule.metric or rule.statistic.value,
                value=point.value,
                bound="min" if is_low else "max",
                limit=point.value if limit is None else limit,
                sample=point.sample,
                window_start=point.start,
                window_end=point.start + self._width,
                actions=self._detection.actions if rule.actions is None else rule.actions,
                rule=rule.name,
                words=verdict.words,
            )


def _width_of(rule: AnomalyRule, window: timedelta) -> timedelta:
    return window if rule.window_minutes is None else timedelta(minutes=rule.window_minutes)


def _rules_of(detection: AnomalyDetection, width: timedelta, window: timedelta) -> tuple[AnomalyRule, ...]:
    return tuple(rule for rule in detection.rules if _width_of(rule, window) == width)
