"""Judging closed windows of one rule, each once, and again when events came late."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Final

from django.db.models import QuerySet

from telemetry.core.anomaly.history import HISTORY, earlier_starts, reads_everything, recent_windows
from telemetry.core.anomaly.series import Band, Point, Verdict
from telemetry.models import JudgedWindow
from telemetry.selectors.metric_windows import EventKey, window_summaries
from telemetry.services.anomalies.watching import EMPTY, Reading, WatchedRule
from telemetry.tallies.summary import TallySummary
from tenants.models import Installation

__all__ = ["Tallies", "backfill", "judge_windows", "measure_windows", "rejudge_windows", "starts_between"]

_WORDS_LENGTH: Final = 300
_NOTHING: Final = "nothing to judge"


def starts_between(since: datetime, until: datetime, minutes: int) -> list[datetime]:
    """The starts of the windows in [since, until), both aligned."""
    width = timedelta(minutes=minutes)
    return [since + index * width for index in range(max(0, (until - since) // width))]


class Tallies:
    """The windows of an installation, read once for all rules that ask for the same ones."""

    def __init__(self, installation_id: int) -> None:
        self._installation_id = installation_id
        self._read: dict[tuple[EventKey, int, datetime, datetime], tuple[bool, dict[datetime, TallySummary]]] = {}

    def windows(self, watched: WatchedRule, since: datetime, until: datetime) -> dict[datetime, TallySummary]:
        """The windows of the rule's event in [since, until) that have any tallies; one query at most."""
        key = (watched.event, watched.minutes, since, until)
        with_details, found = self._read.get(key, (False, None))
        if found is None or (watched.needs_details and not with_details):
            found = window_summaries(
                self._installation_id,
                watched.event,
                since,
                until,
                minutes=watched.minutes,
                with_details=watched.needs_details,
            )
            self._read[key] = (watched.needs_details, found)
        return found


def measure_windows(
    tallies: Tallies, watched: WatchedRule, since: datetime, until: datetime
) -> dict[datetime, Reading]:
    """What the rule reads in each window in [since, until), both aligned; one query at most."""
    summaries = tallies.windows(watched, since, until)
    return read_windows(watched, summaries, starts_between(since, until, watched.minutes))


def read_windows(
    watched: WatchedRule, summaries: Mapping[datetime, TallySummary], starts: Iterable[datetime]
) -> dict[datetime, Reading]:
    """What the rule reads in these windows; one without tallies is empty."""
    return {start: watched.read(summaries.get(start, EMPTY)) for start in starts}


def backfill(installation: Installation, tallies: Tallies, watched: WatchedRule, until: datetime) -> int:
    """The windows before ``until`` are there for comparison, as far back as any method looks; how many there are.

    They begin with the first tally of the event, so that a young event is not taken for a silent one. Two queries.
    """
    since = until - (HISTORY // timedelta(minutes=watched.minutes)) * timedelta(minutes=watched.minutes)
    summaries = tallies.windows(watched, since, until)
    if not summaries:
        return 0
    readings = read_windows(watched, summaries, starts_between(min(summaries), until, watched.minutes))
    rows = [_row(installation, watched, start, reading, None) for start, reading in readings.items()]
    for row in rows:
        row.is_history = True
    JudgedWindow.objects.bulk_create(rows, ignore_conflicts=True, batch_size=2_000)
    return len(rows)


def judge_windows(
    installation: Installation, watched: WatchedRule, readings: Mapping[datetime, Reading]
) -> list[JudgedWindow]:
    """The windows as they are judged, oldest first, to be stored by the caller.

    It holds the installation's evaluation, so that nobody else judges them at the same time.
    """
    rows = []
    known = _History(installation, watched, min(readings)) if readings else None
    for start in sorted(readings):
        reading = readings[start]
        verdict = None if known is None else _verdict(watched, known, start, reading)
        rows.append(_row(installation, watched, start, reading, verdict))
        if known is not None:
            known.add(start, reading)
    return rows


def rejudge_windows(
    installation: Installation, watched: WatchedRule, readings: Mapping[datetime, Reading]
) -> list[tuple[JudgedWindow, str]]:
    """Windows whose reading is another than when they were judged are judged again: each with the breach it had before.

    Windows that were measured for comparison only take the new value.
    """
    changed = []
    for row in _rows(installation, watched).filter(start__in=list(readings)):
        reading = readings[row.start]
        if (row.value, row.sample) == (reading.value, reading.sample):
            continue
        before = row.breach
        known = _History(installation, watched, row.start)
        verdict = None if row.is_history else _verdict(watched, known, row.start, reading)
        _fill(row, reading, verdict)
        row.judgements += 1
        row.save()
        if not row.is_history:
            changed.append((row, before))
    return changed


def _verdict(watched: WatchedRule, known: "_History", start: datetime, reading: Reading) -> Verdict | None:
    if reading.value is None:
        return None
    history = [] if watched.is_quick(reading) else known.before(start)
    return watched.judge(reading, history, Point(start, reading.value, reading.sample))


class _History:
    """The windows before those that are judged, as far as the rule's method reads them."""

    def __init__(self, installation: Installation, watched: WatchedRule, first: datetime) -> None:
        self._installation, self._watched, self._first = installation, watched, first
        self._added: list[Point] = []
        self._stored: list[Point] | None = None

    def add(self, start: datetime, reading: Reading) -> None:
        """The window is history for those after it."""
        if reading.value is not None:
            self._added.append(Point(start, reading.value, reading.sample))

    def before(self, start: datetime) -> list[Point]:
        """What the method reads for the window at ``start``, oldest first. At most two queries; those of methods that
        read everything are asked once."""
        method = self._watched.method
        if reads_everything(method):
            if self._stored is None:
                rows = _rows(self._installation, self._watched)
                self._stored = _points(rows.filter(start__lt=self._first, start__gte=self._first - HISTORY))
            return [point for point in (*self._stored, *self._added) if point.start >= start - HISTORY]
        count = recent_windows(method)
        if not count:
            return []
        recent = [*self._recent(count), *self._added][-count:]
        wanted = earlier_starts(method, [point.start for point in recent], start)
        oldest = recent[0].start if recent else start
        rows = _rows(self._installation, self._watched).filter(start__in=[each for each in wanted if each < oldest])
        return [*_points(rows), *recent]

    def _recent(self, count: int) -> Sequence[Point]:
        if self._stored is None:
            rows = _rows(self._installation, self._watched).filter(start__lt=self._first, value__isnull=False)
            self._stored = list(reversed(_points(rows.order_by("-start")[:count])))
        return self._stored


def _rows(installation: Installation, watched: WatchedRule) -> QuerySet[JudgedWindow]:
    return JudgedWindow.objects.filter(
        installation=installation,
        event_name=watched.event.name,
        event_version=watched.event.version,
        rule=watched.name,
        minutes=watched.minutes,
    )


def _points(rows: QuerySet[JudgedWindow]) -> list[Point]:
    """The windows in which there was something to read."""
    found = rows.values_list("start", "value", "sample")
    return [Point(start, value, sample) for start, value, sample in found if value is not None]


def _row(
    installation: Installation, watched: WatchedRule, start: datetime, reading: Reading, verdict: Verdict | None
) -> JudgedWindow:
    row = JudgedWindow(
        tenant_id=installation.tenant_id,
        installation=installation,
        event_name=watched.event.name,
        event_version=watched.event.version,
        rule=watched.name,
        minutes=watched.minutes,
        start=start,
    )
    _fill(row, reading, verdict)
    return row


def _fill(row: JudgedWindow, reading: Reading, verdict: Verdict | None) -> None:
    band = (None if verdict is None else verdict.band) or Band()
    row.value, row.sample = reading.value, reading.sample
    row.breach = "" if verdict is None or verdict.breach is None else verdict.breach.value
    row.is_judged = verdict is not None and verdict.is_judged
    row.low, row.expected, row.high = band.low, band.expected, band.high
    row.score = 0.0 if verdict is None else verdict.score
    row.words = (_NOTHING if verdict is None else verdict.words)[:_WORDS_LENGTH]
