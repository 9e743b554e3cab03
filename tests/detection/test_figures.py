"""How much the detectors find of a labelled sample, and how often they are wrong: the figures that the docs state."""

import json
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from benchmarks.personal_sample import sample
from benchmarks.pii import EACH, SEED, Figures, judge, summary
from telemetry.detection.detector import Detector

ROOT = Path(__file__).resolve().parents[2]
JUDGED = [detector for detector in Detector if detector is not Detector.PERSONAL_NAME]


@cache
def figures() -> Figures:
    return judge(sample(SEED, each=EACH))


@pytest.mark.parametrize("detector", JUDGED)
def test_at_least_ninety_nine_of_a_hundred_are_found(detector: Detector) -> None:
    assert figures().recall(detector) >= 0.99


@pytest.mark.parametrize("detector", JUDGED)
def test_at_most_one_of_a_hundred_values_without_personal_data_is_taken_for_it(detector: Detector) -> None:
    assert figures().false_positive_rate(detector) <= 0.01


def test_ids_hashes_times_prices_and_words_are_never_taken_for_anything() -> None:
    harmless = {"machine ids", "hashes", "timestamps", "seconds since 1970", "prices", "words", "user agents"}

    assert {form for form, _ in figures().mistakes} & harmless == set()
    assert harmless <= set(figures().asked)


def test_the_sample_has_the_numbers_that_pass_by_chance() -> None:
    by_chance = figures().mistakes["16 digits, check digit by chance", Detector.PAYMENT_CARD]

    # One of ten passes the check digit, and about one of five of those begins like a card.
    assert 0 < by_chance < 0.05 * EACH
    assert figures().mistakes["16 digits, check digit wrong", Detector.PAYMENT_CARD] == 0


def test_the_same_seed_gives_the_same_sample() -> None:
    assert sample(7, each=3) == sample(7, each=3) != sample(8, each=3)


def test_the_table_in_the_documentation_is_what_the_benchmark_says() -> None:
    text = (ROOT / "docs" / "privacy-detectors.md").read_text()
    said = summary(figures())

    for detector in JUDGED:
        row = f"| `{detector}` | {said['recall'][detector]:.2%} | {said['false_positive_rate'][detector]:.2%} |"
        assert row in re.sub(r" +", " ", text), row


def test_the_benchmark_ends_with_one_line_of_figures(tmp_path: Path) -> None:
    script = ROOT / "benchmarks" / "pii.py"

    ended = subprocess.run([sys.executable, str(script)], cwd=tmp_path, capture_output=True, text=True, check=True)

    line = json.loads(ended.stdout.splitlines()[-1])
    assert {key: line[key] for key in summary(figures())} == summary(figures())
    assert line["microseconds"]["event_of_busy_property"] > 0
