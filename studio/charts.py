"""Charts drawn by the server: they need no script, and follow the theme through the classes of their parts."""

from collections.abc import Sequence
from typing import NamedTuple

from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from studio.markup import number

__all__ = ["Bar", "Layer", "stacked_bars"]

# Units of the drawing, which is stretched to the width of its panel.
_HEIGHT = 100
_WIDTH = 10


class Layer(NamedTuple):
    """One part of each bar, from the bottom up: its word in the legend, and the class that colours it."""

    word: str
    tone: str


class Bar(NamedTuple):
    """One bar: what stands below it, and the value of each layer."""

    label: str
    values: Sequence[int]


def stacked_bars(bars: Sequence[Bar], layers: Sequence[Layer], *, title: str) -> SafeString:
    """Bars side by side, each of layers on top of each other; the highest as high as the chart.

    Hovering over a bar tells its numbers; ``title`` says in words what is shown.
    """
    highest = max((sum(bar.values) for bar in bars), default=0)
    drawn = format_html_join("", "{}", ((_bar(place, bar, layers, highest or 1),) for place, bar in enumerate(bars)))
    chart = format_html(
        '<svg viewBox="0 0 {} {}" preserveAspectRatio="none" role="img" aria-label="{}">{}</svg>',
        max(1, len(bars)) * _WIDTH,
        _HEIGHT,
        title,
        drawn,
    )
    return format_html(
        '<figure class="bars">{}<div class="bars__body"><span class="bars__highest">{}</span>{}</div>{}</figure>',
        _legend(bars, layers),
        number(highest),
        chart,
        _labels(bars),
    )


def _bar(place: int, bar: Bar, layers: Sequence[Layer], highest: int) -> SafeString:
    parts, bottom = [], float(_HEIGHT)
    for layer, value in zip(layers, bar.values, strict=True):
        # Anything at all shows.
        height = max(1.0, value / highest * _HEIGHT) if value else 0.0
        bottom -= height
        parts.append((layer.tone, place * _WIDTH + 1, f"{max(0.0, bottom):.2f}", _WIDTH - 2, f"{height:.2f}"))
    words = ", ".join(f"{value} {layer.word}" for layer, value in zip(layers, bar.values, strict=True) if value)
    return format_html(
        '<g><title>{}: {}</title><rect class="bars__slot" x="{}" y="0" width="{}" height="{}"></rect>{}</g>',
        bar.label,
        words or "nothing",
        place * _WIDTH,
        _WIDTH,
        _HEIGHT,
        format_html_join("", '<rect class="bars__part--{}" x="{}" y="{}" width="{}" height="{}"></rect>', parts),
    )


def _legend(bars: Sequence[Bar], layers: Sequence[Layer]) -> SafeString:
    totals = [sum(bar.values[place] for bar in bars) for place in range(len(layers))]
    shown = ((layer.tone, layer.word, number(total)) for layer, total in zip(layers, totals, strict=True))
    entries = format_html_join("", '<li><span class="bars__key bars__part--{}"></span>{} {}</li>', shown)
    return format_html('<ul class="bars__legend">{}</ul>', entries)


def _labels(bars: Sequence[Bar]) -> SafeString:
    """What stands below the first bar, the middle and the last."""
    if not bars:
        return format_html("")
    shown = [bars[0].label, bars[len(bars) // 2].label, bars[-1].label]
    return format_html('<div class="bars__labels">{}</div>', format_html_join("", "<span>{}</span>", zip(shown)))
