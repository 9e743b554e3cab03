"""Judging metrics: limits inside one process, and detectors that learn from a metric's own history.

``AnomalyMonitor`` watches thresholds and rules as events pass. The detectors judge one closed window of a metric after
another: ``Limits`` knows bounds, ``SeasonalBaseline`` the same hour of other weeks, ``LevelShift`` a lasting change,
``Silence`` an expected cadence, ``Surprise`` how rare a value is. All are pure: the same history gives the same
verdict.
"""

from telemetry.core.anomaly.anomaly import Anomaly, Observed
from telemetry.core.anomaly.level_shift import LevelShift
from telemetry.core.anomaly.limits import Limits
from telemetry.core.anomaly.monitor import AnomalyMonitor
from telemetry.core.anomaly.seasonal import SeasonalBaseline
from telemetry.core.anomaly.series import Band, Detector, MetricKind, Point, Side, Verdict
from telemetry.core.anomaly.silence import Silence
from telemetry.core.anomaly.surprise import HoldDown, Surprise, SurpriseScore, SurpriseScorer
from telemetry.core.anomaly.window_tally import Seen

__all__ = [
    "Anomaly",
    "AnomalyMonitor",
    "Band",
    "Detector",
    "HoldDown",
    "LevelShift",
    "Limits",
    "MetricKind",
    "Observed",
    "Point",
    "SeasonalBaseline",
    "Seen",
    "Side",
    "Silence",
    "Surprise",
    "SurpriseScore",
    "SurpriseScorer",
    "Verdict",
]
