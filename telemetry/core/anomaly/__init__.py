"""Judging metrics: limits inside one process, and detectors that learn from a metric's own history.

``AnomalyMonitor`` watches thresholds as events pass. The detectors judge one closed window of a metric after another:
``Limits`` knows bounds, ``SeasonalBaseline`` the same hour of other weeks, ``LevelShift`` a lasting change, ``Silence``
an expected cadence, ``Surprise`` how rare a value is. All are pure: the same history gives the same verdict.
"""

from telemetry.core.anomaly.level_shift import LevelShift
from telemetry.core.anomaly.limits import Limits
from telemetry.core.anomaly.monitor import Anomaly, AnomalyMonitor, Observed
from telemetry.core.anomaly.seasonal import SeasonalBaseline
from telemetry.core.anomaly.series import Band, Detector, MetricKind, Point, Side, Verdict
from telemetry.core.anomaly.silence import Silence
from telemetry.core.anomaly.surprise import HoldDown, Surprise, SurpriseScore, SurpriseScorer

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
    "Side",
    "Silence",
    "Surprise",
    "SurpriseScore",
    "SurpriseScorer",
    "Verdict",
]
