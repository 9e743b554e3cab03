"""How much of what is personal the detectors find, how often they are wrong, and what looking costs.

``python benchmarks/pii.py [SEED]`` makes a labelled sample, asks the detectors about each value, and prints per form
how much was found (*recall*), per detector how many values without personal data it took for its own (*false positive
rate*), and the time per value. It ends with one line of JSON.

The sample is generated: it says how well each form is told from the forms that resemble it, not how often they occur
in the events of an app.
"""

import json
import sys
import time
from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

# As a script, Python looks for imports in this directory only, and the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.personal_sample import Labelled, sample
from telemetry.core.compiled import CompiledEvent
from telemetry.core.config import InstallationIdentity
from telemetry.core.enums import Environment, PrivacyLevel, PropertyType
from telemetry.core.events import Envelope
from telemetry.core.pipeline import compile_config
from telemetry.core.resolution import resolve_config
from telemetry.core.spec import EventDefinition, PropertyDefinition, Semantics, TelemetryMeta, TelemetrySpec
from telemetry.detection.detector import Detector
from telemetry.detection.inspector import Inspector, Look
from telemetry.detection.values import detect

SEED: Final = 20_261_122
EACH: Final = 200
TEXT: Final = PropertyDefinition(type=PropertyType.STRING)
PROPERTIES: Final[dict[str, Any]] = {
    "orderNumber": "ORD-2026-004711",
    "currency": "EUR",
    "paymentKind": "invoice",
    "note": "please ring twice",
    "total": 129.9,
    "items": [{"sku": "ABC-1234", "count": 2}, {"sku": "DEF-5678", "count": 1}],
    "isFirst": True,
    "campaign": "spring",
}
EXAMPLE: Final = TelemetrySpec(
    meta=TelemetryMeta(name="shop", version=1, title="Shop"),
    events=(
        EventDefinition(
            name="order_placed",
            version=1,
            semantics=Semantics(what="An order was placed"),
            privacy=PrivacyLevel.INTERNAL,
            properties={
                **dict.fromkeys(("orderNumber", "currency", "paymentKind", "note"), TEXT),
                "total": PropertyDefinition(type=PropertyType.NUMBER),
                "items": PropertyDefinition(type=PropertyType.JSON),
                "isFirst": PropertyDefinition(type=PropertyType.BOOLEAN),
            },
        ),
    ),
)
INSTALLATION: Final = InstallationIdentity(
    tenant="acme", app="shop", environment=Environment.PRODUCTION, sampling_salt="salt"
)
# Forms that nobody can tell without the name of the property; they are shown, and not part of the summary.
BEYOND: Final = frozenset({"phone/national, name does not tell", "national_id/plain, name does not tell"})


class Figures(NamedTuple):
    """What was counted: per form how many were found of how many, per detector its mistakes among the negatives."""

    found: Counter[str]
    asked: Counter[str]
    mistakes: Counter[tuple[str, Detector]]
    negatives: int

    def recall(self, detector: Detector) -> float:
        """The share found of all values of the detector's forms but those beyond it."""
        forms = [form for form in self.asked if form.startswith(f"{detector}/") and form not in BEYOND]
        return sum(self.found[form] for form in forms) / sum(self.asked[form] for form in forms)

    def false_positive_rate(self, detector: Detector) -> float:
        """The share of the values without personal data that the detector took for its own."""
        return sum(count for (_, one), count in self.mistakes.items() if one is detector) / self.negatives

    def rate_of_any(self) -> float:
        """The share of the values without personal data that any detector took for its own, at most."""
        return sum(self.mistakes.values()) / self.negatives


def judge(values: Iterable[Labelled]) -> Figures:
    """The detectors' answers beside the labels."""
    found: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    mistakes: Counter[tuple[str, Detector]] = Counter()
    negatives = 0
    for labelled in values:
        answer = detect(labelled.name, labelled.value)
        asked[labelled.form] += 1
        if labelled.expected is None:
            negatives += 1
            mistakes.update((labelled.form, detector) for detector in answer)
        else:
            found[labelled.form] += labelled.expected in answer
    return Figures(found, asked, mistakes, negatives)


def summary(figures: Figures) -> dict[str, Any]:
    """Recall and false positive rate (ratios 0-1) per detector, rounded to four places."""
    judged = [detector for detector in Detector if detector is not Detector.PERSONAL_NAME]
    return {
        "recall": {detector.value: round(figures.recall(detector), 4) for detector in judged},
        "false_positive_rate": {detector.value: round(figures.false_positive_rate(detector), 4) for detector in judged},
        "false_positive_rate_any": round(figures.rate_of_any(), 4),
    }


def microseconds_per_value(values: Iterable[Labelled]) -> float:
    """The cost of one look, the fastest of five rounds."""
    taken = list(values)
    best = float("inf")
    for _ in range(5):
        start = time.perf_counter()
        for labelled in taken:
            detect(labelled.name, labelled.value)
        best = min(best, time.perf_counter() - start)
    return best / len(taken) * 1e6


def microseconds_per_event(*, looks_per_minute: int) -> float:
    """What an inspector adds to one event of a batch, after 1,000 others in its minute; the fastest of five rounds."""
    rules = compile_config(resolve_config(EXAMPLE, installation=INSTALLATION)).find("order_placed", None)
    assert rules is not None
    envelope = Envelope(id="1", name="order_placed", occurred_at=datetime.now(UTC), properties=PROPERTIES)
    best = float("inf")
    for _ in range(5):
        look = Inspector(looks_per_minute=looks_per_minute).look(1, 0)
        _look_at_thousand(look, envelope, rules)
        start = time.perf_counter()
        _look_at_thousand(look, envelope, rules)
        best = min(best, time.perf_counter() - start)
    return best * 1000


def _look_at_thousand(look: Look, envelope: Envelope, rules: CompiledEvent) -> None:
    due = look.due(rules.name, rules.version, 1000)
    for place in range(1000):
        if place in due:
            look.at(envelope, rules, "1.0")


def main(seed: int) -> None:
    """Judge and print."""
    values = sample(seed, each=EACH)
    figures = judge(values)
    print(f"{'form':<46}{'found':>10}")
    for form, count in figures.asked.items():
        if "/" in form:
            note = "  (needs the name; not in the summary)" if form in BEYOND else ""
            print(f"{form:<46}{figures.found[form] / count:>10.1%}{note}")
    print(f"\n{'values without personal data':<46}{'wrong':>10}")
    for form in (form for form in figures.asked if "/" not in form):
        wrong = {detector: count for (name, detector), count in figures.mistakes.items() if name == form}
        words = ", ".join(f"{detector} {count}" for detector, count in sorted(wrong.items()))
        print(f"{form:<46}{sum(wrong.values()) / figures.asked[form]:>10.1%}  {words}".rstrip())
    costs = {
        "value": microseconds_per_value(values),
        "event": microseconds_per_event(looks_per_minute=10**9),
        "event_of_busy_property": microseconds_per_event(looks_per_minute=50),
    }
    print(f"\n{'microseconds':<46}{'each':>10}")
    print(f"{'a value of the sample':<46}{costs['value']:>10.1f}")
    print(f"{'an event of 8 properties, each looked at':<46}{costs['event']:>10.1f}")
    print(f"{'the same, looked at often enough this minute':<46}{costs['event_of_busy_property']:>10.1f}\n")
    rounded = {name: round(cost, 2) for name, cost in costs.items()}
    print(json.dumps({"seed": seed, "values": len(values), **summary(figures), "microseconds": rounded}))


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else SEED)
