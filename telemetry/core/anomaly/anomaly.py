"""What a monitor tells: an event with its rules, and one breach of them."""

from datetime import datetime
from typing import Literal, Protocol

import msgspec

from telemetry.core.enums import AnomalyAction
from telemetry.core.spec import AnomalyDetection

__all__ = ["Anomaly", "Observed"]


class Observed(Protocol):
    """An event with its rules: an effective event, or an event definition."""

    @property
    def name(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def anomaly_detection(self) -> AnomalyDetection | None: ...


class Anomaly(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One breach: a metric's value strictly beyond a limit, or a window that breaks a rule.

    ``sample`` counts the metric's values in the window [``window_start``, ``window_end``), UTC, with this one. Of a
    rule, ``rule`` is its name and ``words`` says what is wrong; ``metric`` is its property, or its statistic for those
    of the event itself; ``limit`` is the end of the band that was expected.
    """

    event_name: str
    event_version: int
    metric: str
    value: float
    bound: Literal["min", "max"]
    limit: float
    sample: int
    window_start: datetime
    window_end: datetime
    actions: tuple[AnomalyAction, ...]
    rule: str = ""
    words: str = ""
