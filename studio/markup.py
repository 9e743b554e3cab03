"""Small pieces of HTML that lists, forms and pages share."""

import json
from collections.abc import Sequence
from datetime import datetime

from django.contrib.humanize.templatetags.humanize import naturaltime
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from telemetry.core.enums import Layer, PrivacyLevel

__all__ = [
    "ABSENT",
    "PRIVACY_TONES",
    "chip",
    "code",
    "counted",
    "document",
    "layer_chip",
    "link",
    "named",
    "noun",
    "number",
    "percent",
    "privacy_chip",
    "signed",
    "sparkline",
    "status_chip",
    "when",
    "when_by",
    "with_code",
    "words",
]

# What stands where there is no value.
ABSENT = "\N{EN DASH}"

PRIVACY_TONES = {
    PrivacyLevel.PUBLIC: "green",
    PrivacyLevel.INTERNAL: "blue",
    PrivacyLevel.PII: "amber",
    PrivacyLevel.SENSITIVE: "red",
}

# Tones of the states of specs, configs, keys and people; a state that is not named is grey.
STATUS_TONES = {
    "published": "green",
    "active": "green",
    "draft": "amber",
    "preview": "blue",
    "expires soon": "amber",
    "expired": "red",
    "revoked": "red",
    "unpublished changes": "amber",
    "never published": "amber",
}

LAYER_TONES = {Layer.TENANT: "ink", Layer.FLOOR: "violet", Layer.EXCEPTION: "amber"}
LAYER_ICONS = {Layer.FLOOR: "lock", Layer.EXCEPTION: "lock_open"}


def chip(word: str, tone: str = "grey", *, icon: str = "", title: str = "") -> SafeString:
    """A word on a tone: grey, green, blue, amber, red, violet or ink."""
    symbol = format_html('<span class="material-symbols-outlined" aria-hidden="true">{}</span>', icon) if icon else ""
    hint = format_html(' title="{}"', title) if title else ""
    return format_html('<span class="chip chip--{}"{}>{}{}</span>', tone, hint, symbol, word)


def privacy_chip(level: str) -> SafeString:
    """The privacy level, the same everywhere."""
    return chip(level, PRIVACY_TONES[PrivacyLevel(level)])


def status_chip(status: str) -> SafeString:
    """A state as a word on its tone."""
    return chip(status, STATUS_TONES.get(status, "grey"))


def layer_chip(layer: str) -> SafeString:
    """The layer that set a value; the floor carries a lock, an exception from it an open one."""
    known = Layer(layer)
    return chip(known.value, LAYER_TONES.get(known, "grey"), icon=LAYER_ICONS.get(known, ""))


def when(instant: datetime | None, absent: str = ABSENT) -> SafeString:
    """How long ago or ahead, with the exact instant on hover: UTC, which the browser turns into the reader's zone."""
    if instant is None:
        return format_html('<span class="quiet">{}</span>', absent)
    exact = date_format(instant.astimezone(timezone.get_current_timezone()), "j M Y, H:i:s e")
    return format_html('<time datetime="{}" title="{}">{}</time>', instant.isoformat(), exact, naturaltime(instant))


def when_by(instant: datetime | None, label: str) -> SafeString:
    """When something was done, and who did it."""
    return when(instant) if not label else format_html("{} by {}", when(instant), label)


def named(name: str, technical: str) -> SafeString:
    """A name for people with the one for machines in grey behind it."""
    return format_html('{} <span class="code quiet">{}</span>', name, technical)


def document(text: str) -> SafeString:
    """A JSON document, indented for people."""
    shown = json.dumps(json.loads(text), indent=2, ensure_ascii=False)
    return format_html('<div class="panel"><pre class="document" tabindex="0">{}</pre></div>', shown)


def code(text: str) -> SafeString:
    """Text that a machine reads: names, paths, checksums."""
    return format_html('<span class="code wrap-anywhere">{}</span>', text)


def with_code(text: str) -> SafeString:
    """Running text in which what stands between backticks is for machines."""
    parts = enumerate(text.split("`"))
    return format_html_join(
        "", "{}", ((format_html("<code>{}</code>", each) if place % 2 else each,) for place, each in parts)
    )


def link(address: str, text: str) -> SafeString:
    """A link in running text or in a column."""
    return format_html('<a class="link" href="{}">{}</a>', address, text)


def words(values: object) -> SafeString:
    """Each value of an iterable as a grey chip, in its order."""
    found = list(values) if isinstance(values, list | tuple) else []
    if not found:
        return format_html('<span class="quiet">{}</span>', ABSENT)
    return format_html('<span class="chips">{}</span>', format_html_join("", "{}", ((chip(str(v)),) for v in found)))


def noun(count: int, one: str) -> str:
    """The word for so many: its plural, which ends in s, unless there is exactly one."""
    return one if count == 1 else f"{one}s"


def counted(count: int, one: str) -> str:
    """The count with its word."""
    return f"{count} {noun(count, one)}"


def sparkline(values: Sequence[int], title: str) -> SafeString:
    """A bar for each value, the highest as high as the line; ``title`` says in words what they show."""
    highest = max(values, default=0) or 1
    # A day with anything at all shows.
    heights = [0 if value == 0 else max(2, round(value / highest * 20)) for value in values]
    bars = format_html_join(
        "",
        '<rect x="{}" y="{}" width="5" height="{}"></rect>',
        ((place * 7, 20 - height, height) for place, height in enumerate(heights)),
    )
    return format_html(
        '<svg class="sparkline" viewBox="0 0 {} 20" role="img" aria-label="{}"><title>{}</title>'
        '<line x1="0" y1="20" x2="{}" y2="20"></line>{}</svg>',
        len(values) * 7 - 2,
        title,
        title,
        len(values) * 7 - 2,
        bars,
    )


def number(value: int) -> SafeString:
    """A count, in figures of equal width."""
    return format_html('<span class="figures">{}</span>', f"{value:,}".replace(",", "\N{NARROW NO-BREAK SPACE}"))


def signed(value: int) -> SafeString:
    """How much more or less, with its sign."""
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
    return format_html("{}{}", sign, number(abs(value)))


def percent(rate: float | None) -> str:
    """A ratio 0-1 as percent, exact to a thousandth of a percent, without trailing zeros."""
    if rate is None:
        return ABSENT
    return f"{rate * 100:.3f}".rstrip("0").rstrip(".") + " %"
