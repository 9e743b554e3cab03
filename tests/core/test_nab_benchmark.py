"""The benchmark's scoring: what it gives for nothing, for everything early, and for false alarms."""

import json
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from benchmarks.nab import PROFILES, Series, benchmark_score

ROOT = Path(__file__).resolve().parents[2]
LABELLED = ROOT.parent / "shared" / "data" / "nab"
START = datetime(2026, 1, 1, tzinfo=UTC)
SERIES = Series("one", [START + index * timedelta(minutes=5) for index in range(1000)], [0.0] * 1000, [(500, 599)])


def score(detections: list[int], profile: str = "standard", series: Series = SERIES) -> float:
    scores = [1.0 if index in detections else 0.0 for index in range(len(series.values))]
    return benchmark_score([series], {series.name: scores}, PROFILES[profile])


def test_detecting_nothing_scores_nothing_and_a_window_at_its_start_scores_all() -> None:
    assert score([]) == 0.0
    assert score([500]) == pytest.approx(100.0, abs=0.01)


def test_a_later_detection_scores_less_and_only_the_best_of_a_window_counts() -> None:
    assert score([500]) > score([550]) > score([599]) > 50.0
    assert score([500, 550, 599]) == score([500])


def test_a_false_alarm_costs_what_the_profile_says() -> None:
    # One point of the two that the scale is made of is a window that was missed.
    assert score([300, 500]) == pytest.approx(100.0 - 100.0 * 0.11 / 2, abs=0.01)
    assert score([300, 500], "low_fp") == pytest.approx(100.0 - 100.0 * 0.22 / 2, abs=0.01)


def test_detections_in_the_first_part_are_free() -> None:
    assert score([10, 149, 500]) == score([500])


def test_the_threshold_leaves_out_what_costs_more_than_it_gains() -> None:
    scores = [0.0] * 1000
    scores[500], scores[300] = 2.0, 1.0

    assert benchmark_score([SERIES], {"one": scores}, PROFILES["standard"]) == score([500])


@pytest.mark.skipif(not LABELLED.is_dir(), reason="the labelled series are not here")
def test_the_detectors_reach_the_goal_on_the_labelled_series() -> None:
    printed = subprocess.check_output([sys.executable, "benchmarks/nab.py", str(LABELLED)], cwd=ROOT, text=True)

    measured = json.loads(printed.splitlines()[-1])
    assert measured["standard"] >= 70.0
    assert measured["low_fp"] >= 60.0
    assert measured["low_fn"] >= 70.0


def test_a_folder_without_labels_is_refused(tmp_path: Path) -> None:
    refused = subprocess.run(
        [sys.executable, "benchmarks/nab.py", str(tmp_path)], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert refused.returncode == 2
    assert "combined_windows.json" in refused.stderr
