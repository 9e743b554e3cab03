"""A metric over time as SVG, drawn by the server: it needs no script and follows the tokens of colour."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from telemetry.core.anomaly.series import shown

__all__ = ["ChartMarker", "ChartPoint", "timeline"]

WIDTH: Final = 900
HEIGHT: Final = 240
VOLUME: Final = 48
LEFT: Final = 64
TOP: Final = 22


class ChartPoint(NamedTuple):
    """One window of a metric: what was read, what was taken for normal, and whether it was a breach."""

    at: datetime
    value: float | None
    low: float | None = None
    high: float | None = None
    is_breach: bool = False


class ChartMarker(NamedTuple):
    """An instant that explains something."""

    at: datetime
    words: str


class _Scale(NamedTuple):
    """Turns instants and values into places; the value axis begins at 0 unless values lie below."""

    since: datetime
    until: datetime
    lowest: float
    highest: float

    def x(self, at: datetime) -> float:
        span = (self.until - self.since).total_seconds() or 1.0
        return LEFT + (WIDTH - LEFT) * (at - self.since).total_seconds() / span

    def y(self, value: float) -> float:
        inside = min(max(value, self.lowest), self.highest)
        return TOP + HEIGHT * (1.0 - (inside - self.lowest) / ((self.highest - self.lowest) or 1.0))


def timeline(
    points: Sequence[ChartPoint],
    *,
    title: str,
    markers: Sequence[ChartMarker] = (),
    volume: Sequence[tuple[datetime, int]] = (),
    volume_minutes: int = 60,
) -> SafeString:
    """The metric over its band, its breaches as dots, markers as lines, and the volume as bars of so many minutes.

    ``title`` says in words what is seen. Empty for fewer than two points.
    """
    known = [point for point in points if point.value is not None]
    if len(known) < 2:
        return SafeString("")
    scale = _scale(known)
    parts = [
        _grid(scale),
        _band(scale, known),
        _markers(scale, markers),
        format_html('<polyline class="metric__line" points="{}"></polyline>', _line(scale, known)),
        format_html_join(
            "",
            '<circle class="metric__breach" cx="{}" cy="{}" r="4"><title>{}</title></circle>',
            (
                (_round(scale.x(point.at)), _round(scale.y(point.value or 0.0)), _words(point))
                for point in known
                if point.is_breach
            ),
        ),
        _volume(scale, volume, volume_minutes),
        _hours(scale),
    ]
    return format_html(
        '<svg class="metric" viewBox="0 0 {} {}" role="img" aria-label="{}"><title>{}</title>{}</svg>',
        WIDTH + 8,
        TOP + HEIGHT + VOLUME + 40,
        title,
        title,
        SafeString("".join(parts)),
    )


def _scale(points: Sequence[ChartPoint]) -> _Scale:
    values = [point.value for point in points if point.value is not None]
    # A band may be far wider than the metric: it is cut off rather than flattening what is looked at.
    bounds = [bound for point in points for bound in (point.low, point.high) if bound is not None]
    highest = max(values)
    near = [bound for bound in bounds if bound <= 2.0 * abs(highest) + 1e-9]
    lowest, highest = min([0.0, *values]), max([*values, *near])
    return _Scale(points[0].at, points[-1].at, lowest, highest * 1.05 if highest > 0 else highest + 1.0)


def _round(place: float) -> str:
    return f"{place:.1f}"


def _line(scale: _Scale, points: Sequence[ChartPoint]) -> str:
    return " ".join(f"{scale.x(point.at):.1f},{scale.y(point.value or 0.0):.1f}" for point in points)


def _band(scale: _Scale, points: Sequence[ChartPoint]) -> SafeString:
    banded = [point for point in points if point.low is not None or point.high is not None]
    if len(banded) < 2:
        return SafeString("")
    upper = [f"{scale.x(p.at):.1f},{scale.y(scale.highest if p.high is None else p.high):.1f}" for p in banded]
    lower = [f"{scale.x(p.at):.1f},{scale.y(scale.lowest if p.low is None else p.low):.1f}" for p in reversed(banded)]
    return format_html('<polygon class="metric__band" points="{}"></polygon>', " ".join([*upper, *lower]))


def _grid(scale: _Scale) -> SafeString:
    steps = [scale.lowest + (scale.highest - scale.lowest) * share for share in (0.0, 0.5, 1.0)]
    return format_html_join(
        "",
        '<line class="metric__grid" x1="{0}" y1="{1}" x2="{2}" y2="{1}"></line>'
        '<text class="metric__text" x="{3}" y="{1}" dy="4" text-anchor="end">{4}</text>',
        ((LEFT, _round(scale.y(step)), WIDTH, LEFT - 8, shown(step)) for step in steps),
    )


def _markers(scale: _Scale, markers: Sequence[ChartMarker]) -> SafeString:
    inside = [marker for marker in markers if scale.since <= marker.at <= scale.until]
    return format_html_join(
        "",
        '<line class="metric__marker" x1="{0}" y1="{1}" x2="{0}" y2="{2}"><title>{3}</title></line>'
        '<text class="metric__text metric__text--marker" x="{0}" y="12" text-anchor="middle">{3}</text>',
        ((_round(scale.x(marker.at)), TOP, TOP + HEIGHT, marker.words) for marker in inside),
    )


def _volume(scale: _Scale, volume: Sequence[tuple[datetime, int]], minutes: int) -> SafeString:
    inside = [(at, count) for at, count in volume if scale.since <= at <= scale.until and count]
    if not inside:
        return SafeString("")
    most, base = max(count for _, count in inside), TOP + HEIGHT + VOLUME + 8
    span = max(1.0, (scale.until - scale.since).total_seconds() / 60)
    width = max(1.0, (WIDTH - LEFT) / span * minutes * 0.8)
    return format_html_join(
        "",
        '<rect class="metric__volume" x="{}" y="{}" width="{}" height="{}"><title>{} events</title></rect>',
        (
            (
                _round(scale.x(at)),
                _round(base - VOLUME * count / most),
                _round(min(width, WIDTH - scale.x(at))),
                _round(VOLUME * count / most),
                count,
            )
            for at, count in inside
        ),
    )


def _hours(scale: _Scale) -> SafeString:
    middle = scale.since + (scale.until - scale.since) / 2
    places = ((scale.since, "start"), (middle, "middle"), (scale.until, "end"))
    return format_html_join(
        "",
        '<text class="metric__text" x="{}" y="{}" text-anchor="{}">{}</text>',
        ((_round(scale.x(at)), TOP + HEIGHT + VOLUME + 28, anchor, f"{at:%d %b %H:%M} UTC") for at, anchor in places),
    )


def _words(point: ChartPoint) -> str:
    return f"{shown(point.value or 0.0)} at {point.at:%d %b %H:%M} UTC"
