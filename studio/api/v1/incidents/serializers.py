"""What incidents, deeds on them and backtests look like."""

from datetime import datetime
from typing import Annotated, Literal, cast
from uuid import UUID

import msgspec

from studio.api.shapes import Page, Shape
from telemetry.core.spec import AnomalyDetection
from telemetry.models import Incident, IncidentEntry, IncidentStatus
from telemetry.selectors.incidents import IncidentFilter
from telemetry.services.anomalies.backtest import Backtest

__all__ = [
    "BacktestAnswer",
    "BacktestRequest",
    "IncidentAssignment",
    "IncidentComment",
    "IncidentDeed",
    "IncidentDetail",
    "IncidentItem",
    "IncidentMute",
    "IncidentPage",
    "IncidentQuery",
    "filter_of",
    "write_backtest",
    "write_detail",
    "write_incident",
]

# The words of the model's choices: Django's kind of enumeration has no JSON schema.
State = Literal["open", "acknowledged", "muted", "resolved"]
Side = Literal["low", "high"]


class IncidentQuery(Shape, frozen=True, kw_only=True):
    """Which incidents: those that fit every parameter; without `state`, those that are not resolved. Pages count from
    1."""

    search: Annotated[str, msgspec.Meta(max_length=200, description="Part of an event's or a rule's name.")] = ""
    installation: UUID | None = None
    event: Annotated[str, msgspec.Meta(max_length=200)] = ""
    state: tuple[State, ...] = ()
    opened_since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    page: Annotated[int, msgspec.Meta(ge=1, le=100_000)] = 1
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 25


class IncidentItem(Shape, frozen=True, kw_only=True):
    """One breach that lasts: of one rule, at one event of one installation.

    `breaches` counts windows; `firstWindow` is where the first of them starts, `lastBreachAt` where the last one ends.
    `group` is the earliest incident of the installation that was open when this one began.
    """

    id: int
    tenant: str
    app: str
    environment: str
    installation: UUID
    event: str
    event_version: int
    rule: str
    rule_words: str
    minutes: int
    actions: tuple[str, ...]
    side: Side
    state: State
    first_window: datetime
    last_breach_at: datetime
    breaches: int
    peak_value: float | None
    peak_words: str
    opened_at: datetime
    muted_until: datetime | None
    resolved_at: datetime | None
    assignee: str | None
    group: int | None


class IncidentPage(Page[IncidentItem], frozen=True, kw_only=True):
    """Some of the incidents."""


class HistoryEntry(Shape, frozen=True, kw_only=True):
    """One thing that happened to an incident, or was said about it; `by` is empty for the studio itself."""

    kind: str
    at: datetime
    by: str
    text: str


class IncidentDetail(Shape, frozen=True, kw_only=True):
    """An incident and its history, the newest first."""

    incident: IncidentItem
    history: tuple[HistoryEntry, ...]


class IncidentComment(Shape, frozen=True, kw_only=True):
    """What somebody says about an incident."""

    text: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class IncidentAssignment(Shape, frozen=True, kw_only=True):
    """Whose incident it is, by their name to sign in; null for nobody's."""

    assignee: Annotated[str, msgspec.Meta(min_length=1, max_length=150)] | None


class IncidentDeed(Shape, frozen=True, kw_only=True):
    """Nothing more is to be said: an empty object."""


class IncidentMute(Shape, frozen=True, kw_only=True):
    """Until when nobody is told of an incident: 30 days ahead at most."""

    until: Annotated[datetime, msgspec.Meta(tz=True)]


class BacktestRequest(Shape, frozen=True, kw_only=True):
    """Which rules are tried on which event of the installation, over how many days."""

    event: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    event_version: Annotated[int, msgspec.Meta(ge=1, le=2_147_483_647)]
    anomaly_detection: AnomalyDetection
    days: Annotated[int, msgspec.Meta(ge=1, le=30)] = 30


class BacktestEpisodeItem(Shape, frozen=True, kw_only=True):
    """One incident that there would have been."""

    start: datetime
    end: datetime
    breaches: int
    words: str


class BacktestItem(Shape, frozen=True, kw_only=True):
    """What one rule or threshold would have done in [since, until)."""

    rule: str
    words: str
    minutes: int
    since: datetime
    until: datetime
    windows: int
    windows_in_breach: int
    incidents: tuple[BacktestEpisodeItem, ...]
    warnings: tuple[str, ...]


class BacktestAnswer(Shape, frozen=True, kw_only=True):
    """What the rules would have done, thresholds first; nothing is stored."""

    rules: tuple[BacktestItem, ...]


def filter_of(query: IncidentQuery) -> IncidentFilter:
    """The query in the words of the selector."""
    return IncidentFilter(
        text=query.search,
        installation=query.installation,
        event=query.event,
        states=tuple(IncidentStatus(state) for state in query.state),
        opened_since=query.opened_since,
    )


def write_incident(row: Incident) -> IncidentItem:
    """A row of ``telemetry.selectors.incidents``."""
    installation = row.installation
    return IncidentItem(
        id=row.pk,
        tenant=installation.tenant.slug,
        app=installation.app.slug,
        environment=installation.environment,
        installation=installation.public_id,
        event=row.event_name,
        event_version=row.event_version,
        rule=row.rule,
        rule_words=row.rule_words,
        minutes=row.minutes,
        actions=tuple(row.actions),
        side=cast("Side", row.side),
        state=cast("State", row.status),
        first_window=row.first_window,
        last_breach_at=row.last_breach_at,
        breaches=row.breaches,
        peak_value=row.peak_value,
        peak_words=row.peak_words,
        opened_at=row.opened_at,
        muted_until=row.muted_until,
        resolved_at=row.resolved_at,
        assignee=None if row.assignee is None else row.assignee.get_username(),
        group=row.group_id,
    )


def write_detail(row: Incident, entries: list[IncidentEntry]) -> IncidentDetail:
    """The incident with its history."""
    history = tuple(
        HistoryEntry(kind=entry.kind, at=entry.at, by=entry.actor_label, text=entry.text) for entry in entries
    )
    return IncidentDetail(incident=write_incident(row), history=history)


def write_backtest(found: list[Backtest]) -> BacktestAnswer:
    """The answer of ``telemetry.services.anomalies.backtest``, without single windows."""
    return BacktestAnswer(
        rules=tuple(
            BacktestItem(
                rule=each.rule,
                words=each.words,
                minutes=each.minutes,
                since=each.since,
                until=each.until,
                windows=len(each.windows),
                windows_in_breach=sum(window.is_breach for window in each.windows),
                incidents=tuple(
                    BacktestEpisodeItem(start=one.start, end=one.end, breaches=one.breaches, words=one.words)
                    for one in each.episodes
                ),
                warnings=tuple(each.warnings),
            )
            for each in found
        )
    )
