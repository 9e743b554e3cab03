"""How well the detectors find labelled anomalies, by the Numenta Anomaly Benchmark's own scoring.

``python benchmarks/nab.py DIR`` reads ``DIR/combined_windows.json`` and the series beside it, prints the scores of our
detector and of simple baselines under the benchmark's three profiles, the published leaderboard for comparison, and
ends with one line of JSON: ``standard``, ``low_fp`` and ``low_fn`` of ours.

A detector sees one value after another and gives each a score. The first 15 % of a series (at most 750 values) are
free. In each labelled window the best detection counts, more the earlier it comes; each false one costs 0.11 (0.22
under ``low_fp``), a missed window 1 (2 under ``low_fn``). One threshold per detector serves all series and is chosen to
score best, as the benchmark does. Detecting nothing scores 0, detecting every window at its start 100.

Source: Lavin & Ahmad, Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark, 2015.
"""

import csv
import json
import math
import sys
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from pathlib import Path
from typing import NamedTuple

# As a script, Python looks for imports in this directory only, and the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from telemetry.core.anomaly import HoldDown, SurpriseScorer

FREE_SHARE, FREE_MOST = 0.15, 750
# What the benchmark's authors publish for the standard profile, over all of its 58 series.
LEADERBOARD = {
    "ARTime": 74.9,
    "Numenta HTM": 70.1,
    "CAD OSE": 69.9,
    "earthgecko Skyline": 58.2,
    "KNN-CAD": 58.0,
    "Random Cut Forest": 51.7,
    "windowed Gaussian": 39.6,
}

Window = tuple[int, int]


class Series(NamedTuple):
    """One labelled series; windows are first and last index, both included, in the order of time."""

    name: str
    starts: list[datetime]
    values: list[float]
    windows: list[Window]

    @property
    def free(self) -> int:
        """How many values at the beginning do not count."""
        return min(math.floor(FREE_SHARE * len(self.values)), FREE_MOST)


class Profile(NamedTuple):
    """What a false detection and a missed window cost; a true one gains 1 at most."""

    false_positive: float
    false_negative: float


PROFILES = {"standard": Profile(0.11, 1.0), "low_fp": Profile(0.22, 1.0), "low_fn": Profile(0.11, 2.0)}


class Candidate(NamedTuple):
    """A value that could be called an anomaly: its score, its window if it lies in one, and what calling it gains."""

    score: float
    window: tuple[str, int] | None
    gain: float


def read_series(directory: Path) -> list[Series]:
    """Every labelled series that is there."""
    labels = json.loads((directory / "combined_windows.json").read_text())
    return [_read(directory / name, name, spans) for name, spans in labels.items() if (directory / name).exists()]


def _read(path: Path, name: str, spans: list[tuple[str, str]]) -> Series:
    with path.open(newline="") as file:
        rows = [(datetime.fromisoformat(row["timestamp"]), float(row["value"])) for row in csv.DictReader(file)]
    starts = [start for start, _ in rows]
    windows = []
    for first, last in spans:
        begin, end = datetime.fromisoformat(first), datetime.fromisoformat(last)
        inside = [index for index, start in enumerate(starts) if begin <= start <= end]
        windows.append((inside[0], inside[-1]))
    return Series(name, starts, [value for _, value in rows], windows)


def sigmoid(position: float) -> float:
    """1 well before 0, -1 well after it. Source: the benchmark's ``scaledSigmoid``."""
    return -1.0 if position > 3.0 else 2.0 / (1.0 + math.exp(5.0 * position)) - 1.0


def candidates(series: Series, scores: Sequence[float], profile: Profile) -> Iterable[Candidate]:
    """Each value that a threshold could pick, with what it then gains or costs."""
    ahead = deque(enumerate(series.windows))
    behind: Window | None = None
    for index, score in enumerate(scores):
        while ahead and index > ahead[0][1][1]:
            behind = ahead.popleft()[1]
        if index < series.free or score <= 0.0:
            continue
        if ahead and index >= ahead[0][1][0]:
            number, (first, last) = ahead[0]
            position = -(last - index + 1) / (last - first + 1)
            yield Candidate(score, (series.name, number), sigmoid(position) / sigmoid(-1.0))
        else:
            after = math.inf if behind is None else (index - behind[1]) / max(1, behind[1] - behind[0])
            yield Candidate(score, None, sigmoid(after) * profile.false_positive)


def benchmark_score(corpus: Sequence[Series], scores: Mapping[str, Sequence[float]], profile: Profile) -> float:
    """The score under the best threshold: 0 for detecting nothing, 100 for every window at its start."""
    windows = sum(1 for series in corpus for _, last in series.windows if last >= series.free)
    found = [each for series in corpus for each in candidates(series, scores[series.name], profile)]
    found.sort(key=lambda each: -each.score)
    total = best = -profile.false_negative * windows
    nothing, best_in_window = total, dict[tuple[str, int], float]()
    for index, each in enumerate(found):
        if each.window is None:
            total += each.gain
        else:
            held = best_in_window.get(each.window, -profile.false_negative)
            best_in_window[each.window] = max(held, each.gain)
            total += best_in_window[each.window] - held
        # Equal scores lie on the same side of any threshold.
        if index + 1 == len(found) or found[index + 1].score < each.score:
            best = max(best, total)
    return 100.0 * (best - nothing) / (windows - nothing) if windows else 0.0


def surprise(series: Series) -> list[float]:
    """Ours: the surprise of each value, once per episode."""
    scorer, hold_down = SurpriseScorer(_width(series)), HoldDown()
    pairs = zip(series.starts, series.values, strict=True)
    return [hold_down.passes(scorer.score(start, value).score) for start, value in pairs]


def _width(series: Series) -> timedelta:
    return series.starts[1] - series.starts[0]


def windowed_gaussian(series: Series) -> list[float]:
    """Baseline: -log10 of the two-sided tail of a normal distribution fitted to the last 100 values."""
    last, scores = deque[float](maxlen=100), []
    for value in series.values:
        scores.append(_tail(value, last))
        last.append(value)
    return scores


def differenced(series: Series) -> list[float]:
    """Baseline: the same on differences, over the last 30: the default of a widely used product."""
    last, scores, before = deque[float](maxlen=30), [], series.values[0]
    for value in series.values:
        scores.append(_tail(value - before, last))
        last.append(value - before)
        before = value
    return scores


def smoothed(series: Series) -> list[float]:
    """Baseline: deviations from an exponentially weighted mean, in exponentially weighted standard deviations."""
    weight, mean, variance, scores = 0.05, series.values[0], 0.0, []
    for value in series.values:
        deviation = math.sqrt(variance)
        scores.append(abs(value - mean) / deviation if deviation > 0.0 else 0.0)
        variance = (1.0 - weight) * (variance + weight * (value - mean) ** 2)
        mean += weight * (value - mean)
    return scores


def _tail(value: float, last: Sequence[float]) -> float:
    if len(last) < 10:
        return 0.0
    mean = math.fsum(last) / len(last)
    deviation = math.sqrt(math.fsum((each - mean) ** 2 for each in last) / len(last)) or 1e-6
    probability = math.erfc(abs(value - mean) / deviation / math.sqrt(2.0))
    return -math.log10(probability) if probability > 1e-300 else 300.0


def held_down(detector: Callable[[Series], list[float]]) -> Callable[[Series], list[float]]:
    """The detector, alerting once per episode as ours does: tells the model's part of a score from the hold-down's."""

    def detect(series: Series) -> list[float]:
        hold_down = HoldDown()
        return [hold_down.passes(score) for score in detector(series)]

    return detect


DETECTORS: dict[str, Callable[[Series], list[float]]] = {
    "surprise (ours)": surprise,
    "windowed Gaussian": windowed_gaussian,
    "windowed Gaussian, held down": held_down(windowed_gaussian),
    "differenced z": differenced,
    "differenced z, held down": held_down(differenced),
    "smoothed mean": smoothed,
    "smoothed mean, held down": held_down(smoothed),
    "nothing": lambda series: [0.0] * len(series.values),
}


def measure(corpus: Sequence[Series]) -> dict[str, dict[str, float]]:
    """The scores by detector and profile."""
    results = {}
    for name, detector in DETECTORS.items():
        scores = {series.name: detector(series) for series in corpus}
        results[name] = {title: benchmark_score(corpus, scores, profile) for title, profile in PROFILES.items()}
    return results


def main(arguments: Sequence[str]) -> int:
    """Print the table and the line of JSON."""
    if len(arguments) != 1 or not (Path(arguments[0]) / "combined_windows.json").is_file():
        print(
            "usage: python benchmarks/nab.py DIR, a folder with combined_windows.json and its series", file=sys.stderr
        )
        return 2
    corpus = read_series(Path(arguments[0]))
    windows = sum(len(series.windows) for series in corpus)
    print(f"{len(corpus)} series, {sum(len(series.values) for series in corpus)} values, {windows} labelled windows\n")
    print(f"{'':32}{'standard':>10}{'low FP':>10}{'low FN':>10}")
    results = measure(corpus)
    for name, scores in results.items():
        print(f"{name:32}" + "".join(f"{scores[profile]:>10.1f}" for profile in PROFILES))
    print("\npublished, over all 58 series of the benchmark:")
    for name, score in LEADERBOARD.items():
        print(f"{name:32}{score:>10.1f}")
    print()
    print(json.dumps({profile: round(score, 1) for profile, score in results["surprise (ours)"].items()}))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
