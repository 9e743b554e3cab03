"""Evaluating installations: who is due is claimed, each closed window of each rule is judged once."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Final

from django.conf import settings
from django.db import connection, transaction
from django.db.models import Max
from django.utils import timezone

from telemetry.core.errors import Conflict
from telemetry.models import EvaluationState, JudgedWindow
from telemetry.selectors.metric_windows import EventKey, align, late_minutes
from telemetry.services.anomalies.judging import Tallies, backfill, judge_windows, measure_windows, rejudge_windows
from telemetry.services.anomalies.watching import Reading, WatchedRule, watched_rules
from telemetry.services.configs import effective_config
from telemetry.services.incidents.growing import OpenCases
from tenants.context import ALL, tenant_context
from tenants.models import Installation

__all__ = ["evaluate_due", "evaluate_installation", "forget_old_windows"]

# After an outage, windows older than this are measured for comparison only: an alarm of last week helps nobody.
STALE: Final = timedelta(days=1)
# Events that come so late are still counted in; the balance holds them in any case.
LATE: Final = timedelta(days=1)
# A transaction that counted events may commit a little after the instant that it noted.
OVERLAP: Final = timedelta(minutes=5)

CREATE_STATES: Final = """
INSERT INTO telemetry_evaluationstate (tenant_id, installation_id, due_at)
SELECT tenant_id, id, TIMESTAMPTZ '1970-01-01 00:00:00Z' FROM tenants_installation installation
WHERE NOT EXISTS (SELECT FROM telemetry_evaluationstate state WHERE state.installation_id = installation.id)
ON CONFLICT DO NOTHING
"""


def evaluate_due(*, now: datetime | None = None, most: int = 100) -> int:
    """Up to ``most`` installations that are due are evaluated, each in a transaction of its own; how many there were.

    Safe to run many times at once: a row that somebody else holds is passed over. An installation whose evaluation
    fails stays due and holds nobody up; the first such error is raised in the end.
    """
    with tenant_context(ALL), transaction.atomic():
        _create_states()
    done, failed, first_error = 0, set[int](), None
    while done + len(failed) < most:
        instant = now or timezone.now()
        try:
            installation_id = _claim_and_evaluate(instant, failed)
        except _EvaluationFailed as failure:
            failed.add(failure.installation_id)
            first_error = first_error or failure
            continue
        if installation_id is None:
            break
        done += 1
    if first_error is not None:
        raise first_error
    return done


class _EvaluationFailed(Exception):
    """An installation could not be evaluated; the cause says why."""

    def __init__(self, installation_id: int) -> None:
        super().__init__(f"installation {installation_id} could not be evaluated")
        self.installation_id = installation_id


def _create_states() -> None:
    with connection.cursor() as cursor:
        cursor.execute(CREATE_STATES)


def _claim_and_evaluate(now: datetime, but_not: Iterable[int]) -> int | None:
    with tenant_context(ALL):
        due = EvaluationState.objects.select_for_update(skip_locked=True).filter(due_at__lte=now)
        state = due.exclude(installation_id__in=list(but_not)).order_by("due_at").first()
        if state is None:
            return None
        try:
            with transaction.atomic():
                evaluate_installation(state, now=now)
        except Exception as error:
            raise _EvaluationFailed(state.installation_id) from error
    return state.installation_id


def evaluate_installation(state: EvaluationState, *, now: datetime) -> None:
    """Each window of each rule that has closed by ``now`` is judged and in its incident; the state says when again.

    The caller holds the state's row lock and its transaction. A window closes ``STUDIO_ANOMALY_LAG_SECONDS`` after its
    end; what came later than that is judged again at the next evaluation, up to a day later. Queries grow with the
    number of rules, not of events.
    """
    installation = Installation.objects.select_related("tenant", "app").get(pk=state.installation_id)
    closed_at = now - timedelta(seconds=settings.STUDIO_ANOMALY_LAG_SECONDS)
    rules = _rules(installation)
    last = _last_starts(installation, rules)
    tallies, cases = Tallies(installation.pk), OpenCases(installation, now)
    if state.checked_at is not None:
        _judge_late(cases, tallies, rules, last, state.checked_at)
    judged = [
        (watched, _judge_rule(installation, tallies, watched, last.get(_key(watched)), closed_at, now))
        for watched in rules
    ]
    JudgedWindow.objects.bulk_create((row for _, rows in judged for row in rows), batch_size=2_000)
    for watched, rows in judged:
        cases.grow(watched, rows)
    state.checked_at = now
    width = timedelta(minutes=min((watched.minutes for watched in rules), default=5))
    state.due_at = align(closed_at, int(width.total_seconds() // 60)) + width + (now - closed_at)
    state.save(update_fields=["checked_at", "due_at"])


def _rules(installation: Installation) -> list[WatchedRule]:
    try:
        return watched_rules(effective_config(installation))
    except Conflict:
        # No spec is bound or published: there is nothing to judge.
        return []


def _key(watched: WatchedRule) -> tuple[EventKey, str, int]:
    return watched.event, watched.name, watched.minutes


def _last_starts(installation: Installation, rules: list[WatchedRule]) -> dict[tuple[EventKey, str, int], datetime]:
    """Where the last stored window of each rule starts."""
    if not rules:
        return {}
    rows = (
        JudgedWindow.objects.filter(installation=installation)
        .order_by()
        .values_list("event_name", "event_version", "rule", "minutes")
        .annotate(last=Max("start"))
    )
    return {(EventKey(name, version), rule, minutes): last for name, version, rule, minutes, last in rows}


def _judge_rule(
    installation: Installation,
    tallies: Tallies,
    watched: WatchedRule,
    last: datetime | None,
    closed_at: datetime,
    now: datetime,
) -> list[JudgedWindow]:
    width = timedelta(minutes=watched.minutes)
    until = align(closed_at, watched.minutes)
    if last is None:
        # The window that has just closed is the first that counts.
        since = until - width
        backfill(installation, tallies, watched, since)
    else:
        since = last + width
        stale = align(now - STALE, watched.minutes)
        if since < stale:
            backfill(installation, tallies, watched, stale)
            since = stale
    if since >= until:
        return []
    return judge_windows(installation, watched, measure_windows(tallies, watched, since, until))


def _judge_late(
    cases: OpenCases,
    tallies: Tallies,
    rules: list[WatchedRule],
    last: dict[tuple[EventKey, str, int], datetime],
    checked_at: datetime,
) -> None:
    """Windows in which events were counted after they were judged are judged again."""
    now, installation = cases.now, cases.installation
    minutes = late_minutes(installation.pk, now - LATE, now, received_since=checked_at - OVERLAP)
    for watched in rules:
        end = last.get(_key(watched))
        if end is None or watched.event not in minutes:
            continue
        starts = {align(minute, watched.minutes) for minute in minutes[watched.event]}
        readings: dict[datetime, Reading] = {}
        for start in sorted(start for start in starts if start <= end):
            readings |= measure_windows(tallies, watched, start, start + timedelta(minutes=watched.minutes))
        if readings:
            cases.amend(watched, rejudge_windows(installation, watched, readings))


def forget_old_windows(*, now: datetime, most: int = 20_000) -> int:
    """Windows that no method looks back to, and no page shows, are gone; how many there were, at most ``most``."""
    with tenant_context(ALL):
        old = JudgedWindow.objects.filter(start__lt=now - timedelta(days=settings.STUDIO_ANOMALY_HISTORY_DAYS))
        ids = list(old.order_by("start").values_list("pk", flat=True)[:most])
        return JudgedWindow.objects.filter(pk__in=ids).delete()[0]
