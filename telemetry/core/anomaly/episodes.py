"""From verdicts to episodes: when one begins, goes on and is over; the same for incidents and for backtests."""

from enum import StrEnum
from typing import Final, NamedTuple

__all__ = ["CALM_TO_RESOLVE", "Episode", "Transition", "advance"]

# Three normal windows in a row end an episode, so that a metric at its limit is one incident and not ten; so do twelve
# in which there was nothing to judge, since an event that is gone would keep its incident open for ever.
CALM_TO_RESOLVE: Final = 12
_CALM_OF_NORMAL: Final = 4
_CALM_OF_NOTHING: Final = 1


class Transition(StrEnum):
    """What a window did to an episode."""

    OPENED = "opened"
    CONTINUED = "continued"
    RESOLVED = "resolved"


class Episode(NamedTuple):
    """A breach that lasts: its windows in breach, and how calm it has been since the last of them (0-11)."""

    breaches: int = 0
    calm: int = 0


def advance(episode: Episode | None, *, is_breach: bool, is_judged: bool) -> tuple[Episode | None, Transition | None]:
    """The episode after one more window, ``None`` for none, and what happened, ``None`` for nothing.

    ``is_judged`` says whether there was enough to tell.
    """
    if is_breach:
        if episode is None:
            return Episode(breaches=1), Transition.OPENED
        return Episode(breaches=episode.breaches + 1), Transition.CONTINUED
    if episode is None:
        return None, None
    calm = episode.calm + (_CALM_OF_NORMAL if is_judged else _CALM_OF_NOTHING)
    if calm >= CALM_TO_RESOLVE:
        return None, Transition.RESOLVED
    return Episode(episode.breaches, calm), None
