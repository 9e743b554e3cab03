"""What retention and sampling of an event mean in numbers, once it is sent."""

from typing import NamedTuple

from studio import markup
from telemetry.selectors.event_traffic import EventTraffic

__all__ = ["Settings", "TrafficWords", "traffic_words"]


class TrafficWords(NamedTuple):
    """One or two sentences about each; empty where nothing can be told."""

    retention: str = ""
    sampling: str = ""


class Settings(NamedTuple):
    """Days and rate (ratio 0-1) as they are typed or inherited; ``None`` for what cannot be read."""

    days: int | None
    rate: float | None


def traffic_words(
    traffic: EventTraffic | None, typed: Settings, saved: Settings, *, otherwise_rate: float, has_conditions: bool
) -> TrafficWords:
    """What the settings of the form mean, beside those that are saved.

    ``otherwise_rate`` (ratio 0-1) holds for events for which a condition does not hold.
    """
    if traffic is None:
        return TrafficWords()
    return TrafficWords(_retention(traffic, typed, saved), _sampling(traffic, typed, otherwise_rate, has_conditions))


def _retention(traffic: EventTraffic, typed: Settings, saved: Settings) -> str:
    if typed.days is None:
        return ""
    per_day = traffic.stored_per_day
    text = f"About {_about(per_day)} a day are stored ({_span(traffic)}): {_days(typed.days)} hold about "
    text += f"{_about(per_day * typed.days)}"
    if saved.days is None or saved.days == typed.days:
        return f"{text}."
    return f"{text}, the saved {_days(saved.days)} about {_about(per_day * saved.days)}."


def _sampling(traffic: EventTraffic, typed: Settings, otherwise_rate: float, has_conditions: bool) -> str:
    if typed.rate is None:
        return ""
    per_day = traffic.sampled_per_day
    text = f"Keeps about {_number(per_day * typed.rate)} of {_about(per_day)} a day"
    if has_conditions:
        text += f" where the conditions hold, about {_number(per_day * otherwise_rate)} where they do not"
    kept = traffic.stored_per_day / per_day if per_day else 0.0
    return f"{text}. So far {markup.percent(round(kept, 3))} were kept ({_span(traffic)})."


def _span(traffic: EventTraffic) -> str:
    return f"on average over {_days(traffic.days)}"


def _days(days: int) -> str:
    return markup.counted(days, "day")


def _about(count: float) -> str:
    return f"{_number(count)} event{'' if round(count) == 1 else 's'}"


def _number(count: float) -> str:
    """Rounded to two figures that matter, as nobody counts on more."""
    whole = round(count)
    digits = max(0, len(str(whole)) - 2)
    return f"{round(whole, -digits):,}".replace(",", "\N{NARROW NO-BREAK SPACE}")
