"""What was noticed about an event, in one form whoever noticed it."""

from collections.abc import Mapping
from enum import StrEnum

import msgspec

from telemetry.core.values import EMPTY_MAPPING

__all__ = ["Fact", "Signal", "SignalKind"]

Fact = str | float | int | bool


class SignalKind(StrEnum):
    """What a signal is about; the facts that come with it, by name. Shares are ratios 0-1.

    ``rule_breach``: ``windows`` judged in ``days``, ``breaching`` of them; of what is measured ``p50``, ``p99``,
    ``p999``, ``least`` and ``greatest``; ``seasonality``; ``side`` (low or high). The subject is the anomaly rule.
    ``undeclared_property``: ``events`` in ``days``, their ``share`` of all, the ``type`` seen, and the ``detector`` and
    its ``strategy`` and ``level`` if it reads like personal data. The subject is the property.
    ``personal_data``: ``found`` of ``checked`` values, ``detector``, ``strategy``, ``level``.
    ``missing_property``: ``events`` in ``days``, ``share``, how many ``versions`` of the app send the event, and how
    many of them are ``faulty``, the ``faulty_version`` if it is one.
    ``volume``: ``per_day`` events on which sampling decides, ``kept_share``.
    ``unused_event``: ``days`` without any, ``reason`` (never_sent or never_read). ``unused_property``: ``events``
    without it in ``days``.
    ``retention``: ``kept_days``, ``oldest_read_days``, ``reads`` in ``days``, ``rows_beyond`` three times that age.
    ``sample``: ``windows``, the median of ``received`` and of ``kept`` events in one, ``minimum``.
    ``condition``: ``events`` judged, ``holding_share`` of them, ``is_certain`` if lint can tell without any.
    """

    RULE_BREACH = "rule_breach"
    UNDECLARED_PROPERTY = "undeclared_property"
    PERSONAL_DATA = "personal_data"
    MISSING_PROPERTY = "missing_property"
    VOLUME = "volume"
    UNUSED_EVENT = "unused_event"
    UNUSED_PROPERTY = "unused_property"
    RETENTION = "retention"
    SAMPLE = "sample"
    CONDITION = "condition"


class Signal(msgspec.Struct, frozen=True, kw_only=True, rename="camel"):
    """One thing that was noticed; it never carries a value of a property that is hidden.

    ``source`` is where, such as ``incident:7``: what comes from the same source again is the same evidence.
    ``strength`` compares signals of one cause: how many events, windows or days stand behind it. ``subject`` is the
    property or anomaly rule that it is about, empty for the event as a whole.
    """

    kind: SignalKind
    source: str
    event: str
    event_version: int
    subject: str = ""
    strength: float
    facts: Mapping[str, Fact] = EMPTY_MAPPING

    def number(self, name: str) -> float:
        """The fact as a number; 0 where it is missing, or no number."""
        found = self.facts.get(name, 0.0)
        return float(found) if isinstance(found, int | float) else 0.0

    def text(self, name: str) -> str:
        """The fact as text; empty where it is missing, or no text."""
        found = self.facts.get(name, "")
        return found if isinstance(found, str) else ""
