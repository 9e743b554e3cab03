"""Incidents for tests of alerts, raised by the code that raises them, and what channels were told of them."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

from telemetry.core.anomaly.series import MetricKind
from telemetry.core.enums import AnomalyAction, AnomalyMethod
from telemetry.models import Incident, JudgedWindow, Notification
from telemetry.selectors.metric_windows import EventKey
from telemetry.services.alerts.delivering import notify_once
from telemetry.services.anomalies.watching import WatchedRule
from telemetry.services.incidents.growing import OpenCases
from tenants.context import ALL, tenant_context
from tenants.models import Installation

__all__ = ["Case", "notify_all", "told"]

WIDTH = timedelta(minutes=5)


class Case:
    """One rule of one event at one installation, whose windows a test judges by hand, five minutes wide."""

    def __init__(
        self,
        installation: Installation,
        *,
        rule: str = "slow",
        event: str = "sigil.telemetry.workflow_step",
        actions: Sequence[AnomalyAction] = (AnomalyAction.ALERT,),
        now: datetime | None = None,
    ) -> None:
        self.installation = installation
        self.now = now or datetime.now(UTC)
        self.watched = WatchedRule(
            event=EventKey(event, 1),
            name=rule,
            words=f"{rule}: there are too many",
            minutes=5,
            minimum_sample=1,
            actions=tuple(actions),
            method=AnomalyMethod.LIMITS,
            kind=MetricKind.COUNT,
            rule=None,
            threshold=None,
        )

    def judge(self, breach: str = "high", *, at: datetime | None = None) -> None:
        """One window with this breach, empty for none, is judged at the instant, by default now."""
        now = at or self.now
        window = JudgedWindow(
            tenant_id=self.installation.tenant_id,
            installation=self.installation,
            event_name=self.watched.event.name,
            event_version=1,
            rule=self.watched.name,
            minutes=5,
            start=now - WIDTH,
            value=4711.0,
            sample=10,
            breach=breach,
            is_judged=True,
            words="10 of 10 values are above the maximum of 5",
        )
        with tenant_context(ALL):
            OpenCases(self.installation, now).grow(self.watched, [window])

    def end(self, *, at: datetime | None = None) -> None:
        """Three normal windows: the incident is over."""
        for _ in range(3):
            self.judge("", at=at)

    def incident(self) -> Incident:
        """Its last incident."""
        with tenant_context(ALL):
            found = Incident.objects.filter(installation=self.installation, rule=self.watched.name).order_by("-id")
            return found.select_related("installation__tenant", "installation__app")[0]


def told(**wanted: Any) -> list[tuple[str, str, str]]:
    """Kind, state and reason of the notifications, in the order in which they were written."""
    with tenant_context(ALL):
        rows = Notification.objects.filter(**wanted).order_by("id")
        return [(row.kind, row.state, row.reason) for row in rows]


def notify_all(*channels: Any, most: int = 100) -> None:
    """Rounds for each channel until there is nothing to do for now."""
    for channel in channels:
        for _ in range(most):
            if not notify_once(channel.pk):
                break
        else:
            raise AssertionError("does not come to an end")
