"""When an episode begins, goes on and is over."""

import pytest

from telemetry.core.anomaly.episodes import Episode, Transition, advance

OPENED, CONTINUED, RESOLVED = Transition


def transitions(windows: str) -> list[Transition | None]:
    """``x`` is a breach, ``.`` a normal window, ``?`` one without enough to judge."""
    episode: Episode | None = None
    found = []
    for window in windows:
        episode, transition = advance(episode, is_breach=window == "x", is_judged=window != "?")
        found.append(transition)
    return found


@pytest.mark.parametrize(
    ("windows", "expected"),
    [
        ("..", [None, None]),
        ("x", [OPENED]),
        ("xx.x", [OPENED, CONTINUED, None, CONTINUED]),
        ("x...", [OPENED, None, None, RESOLVED]),
        ("x..x..", [OPENED, None, None, CONTINUED, None, None]),
        ("x...x", [OPENED, None, None, RESOLVED, OPENED]),
        ("x" + "?" * 12, [OPENED, *[None] * 11, RESOLVED]),
        ("x.." + "?" * 4, [OPENED, None, None, None, None, None, RESOLVED]),
    ],
)
def test_an_episode_lasts_until_three_normal_windows_or_twelve_silent_ones(
    windows: str, expected: list[Transition | None]
) -> None:
    assert transitions(windows) == expected


def test_an_episode_counts_its_breaches() -> None:
    episode, _ = advance(Episode(breaches=2, calm=8), is_breach=True, is_judged=True)

    assert episode == Episode(breaches=3, calm=0)
