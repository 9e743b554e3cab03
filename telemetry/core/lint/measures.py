"""Names of numbers: which say what they count, and which leave it open."""

from typing import Final

from telemetry.core.lint.words import singular, word_set, words_of

__all__ = ["key_metric", "lacks_unit"]

# Quantities that mean nothing without a unit.
_QUANTITIES: Final = word_set(
    "duration latency elapsed time timeout delay wait interval age lifetime ttl uptime downtime",
    "size length width height depth distance radius weight mass speed velocity bandwidth throughput memory storage",
    "price amount cost revenue fee tax discount balance spend budget",
    "temperature bitrate frequency altitude pressure voltage energy power",
)
_UNITS: Final = word_set(
    # Time
    "ns nanos nanosecond us micros microsecond ms milli millis millisecond sec second mins minute hr hour day week",
    "month year epoch",
    # Size
    "bit byte kb mb gb tb kib mib gib kilobyte megabyte gigabyte char character line row page item px pixel em rem dpi",
    # Space and mass
    "mm cm km metre meter kilometre kilometer mile inch feet ft kg gram kilogram lb pound oz litre liter",
    # Money
    "eur usd gbp chf jpy cad aud sek nok dkk pln cny inr brl cent euro dollar",
    # Others
    "hz khz mhz ghz fps bps kbps mbps rpm kmh mph celsius fahrenheit kelvin degree volt amp watt kw kwh joule bar",
    "pascal per percent pct percentage ratio fraction",
)
# Letters that are units only where a name ends in them.
_LAST_UNITS: Final = word_set("s h m g b min")
# What is counted in ones, or has no dimension.
_COUNTED: Final = word_set(
    "count counter num number index rank position version id score rating level times probability rate share"
)
_KEY_METRICS: Final = {
    "duration": word_set("duration latency elapsed"),
    "error count": word_set("error failure fail exception crash fault"),
    "conversion": word_set("conversion converted"),
}


def lacks_unit(name: str) -> bool:
    """Whether a number of this name measures something, and the name does not say in what."""
    words = words_of(name)
    known = {*words, *map(singular, words)}
    if not words or known.isdisjoint(_QUANTITIES) or words[-1] in _LAST_UNITS:
        return False
    return known.isdisjoint(_UNITS) and known.isdisjoint(_COUNTED)


def key_metric(name: str) -> str | None:
    """Which kind of key metric a number of this name is, in words; ``None`` when it is none.

    Source: "Configure anomaly detection on key metrics (duration, error count, conversion)", the seed's best practices.
    """
    words = frozenset(map(singular, words_of(name)))
    return next((kind for kind, known in _KEY_METRICS.items() if not words.isdisjoint(known)), None)
