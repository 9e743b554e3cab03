"""Small pieces of HTML: words on tones, times with their instant, text that stays text."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from studio import markup
from telemetry.core.enums import Layer, PrivacyLevel


@pytest.mark.parametrize(
    ("level", "tone"), [("public", "green"), ("internal", "blue"), ("pii", "amber"), ("sensitive", "red")]
)
def test_a_privacy_level_is_a_word_on_its_own_tone(level: str, tone: str) -> None:
    assert markup.privacy_chip(level) == f'<span class="chip chip--{tone}">{level}</span>'


def test_every_level_and_every_layer_has_a_chip() -> None:
    for level in PrivacyLevel:
        assert level.value in markup.privacy_chip(level)
    for layer in Layer:
        assert layer.value in markup.layer_chip(layer)


def test_the_floor_carries_a_lock_that_is_not_read_aloud() -> None:
    assert '<span class="material-symbols-outlined" aria-hidden="true">lock</span>' in markup.layer_chip("floor")
    assert "lock" not in markup.layer_chip("tenant")


@pytest.mark.parametrize(
    "make",
    [
        markup.chip,
        markup.code,
        markup.status_chip,
        lambda text: markup.words([text]),
        lambda text: markup.named(text, text),
        lambda text: markup.link("/x", text),
        lambda text: markup.when_by(timezone.now(), text),
        lambda text: markup.document(f'{{"a": "{text}"}}'),
    ],
)
def test_text_of_people_is_text_and_never_markup(make: object) -> None:
    shown = make("<b onclick=x>")  # type: ignore[operator]  # each is a function of a text

    assert "<b" not in shown
    assert "&lt;b" in shown


def test_a_time_is_relative_with_the_exact_instant_for_hover_and_scripts() -> None:
    instant = datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)

    shown = markup.when(instant)

    assert '<time datetime="2020-02-03T04:05:06+00:00" title="3 Feb 2020, 04:05:06 UTC">' in shown
    assert "years" in shown
    assert "from now" in markup.when(timezone.now() + timedelta(days=3))


def test_no_time_is_said_as_asked() -> None:
    assert markup.when(None, "never") == '<span class="quiet">never</span>'


@pytest.mark.parametrize(
    ("rate", "shown"),
    [(1.0, "100 %"), (0.333, "33.3 %"), (0.0005, "0.05 %"), (0.0, "0 %"), (1 / 3, "33.333 %"), (None, markup.ABSENT)],
)
def test_rates_are_percent_without_trailing_zeros(rate: float | None, shown: str) -> None:
    assert markup.percent(rate) == shown


@pytest.mark.parametrize(("count", "shown"), [(0, "0 keys"), (1, "1 key"), (2, "2 keys")])
def test_counts_come_with_the_word_for_so_many(count: int, shown: str) -> None:
    assert markup.counted(count, "key") == shown


def test_large_counts_are_grouped() -> None:
    assert "1\N{NARROW NO-BREAK SPACE}234\N{NARROW NO-BREAK SPACE}567" in markup.number(1_234_567)


def test_nothing_is_shown_as_a_dash() -> None:
    assert markup.words([]) == f'<span class="quiet">{markup.ABSENT}</span>'
