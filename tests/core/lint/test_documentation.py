"""Every rule has a page whose examples are true, and the table of rules is the code's."""

import re
import subprocess
import sys
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from telemetry.core.codec import convert_document
from telemetry.core.event_specs import EventSpec
from telemetry.core.lint import OPTIONAL_RULES, RULES, Finding, lint_spec
from telemetry.core.lint.catalogue import render_catalogue
from telemetry.core.spec import EventDefinition, LintOptOut, TelemetrySpec
from telemetry.core.yaml_documents import read_yaml
from tests.core.lint.cases import contract

ROOT = Path(__file__).parents[3]
PAGES = ROOT / "docs" / "lint"
TODAY = date(2026, 11, 22)
FENCE = re.compile(r"^```yaml(?: (?P<role>[a-z-]+))?\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


def page_of(rule: str) -> str:
    return (PAGES / f"{rule}.md").read_text(encoding="utf-8")


def examples_on(page: str) -> dict[str, Any]:
    """The data of each example by its role: bad, good, published, history, event-specs; the opt-out has none."""
    return {found["role"] or "opt-out": read_yaml(found["text"]) for found in FENCE.finditer(page)}


def findings_of(examples: dict[str, Any], role: str) -> tuple[Finding, ...]:
    published = examples.get("published")
    contracts = examples.get("event-specs")
    return lint_spec(
        spec_of(examples[role]),
        today=TODAY,
        published=None if published is None else spec_of(published),
        event_specs=None if contracts is None else [contract_of(each) for each in contracts],
        history=identities(examples.get("history", [])),
    )


def spec_of(document: Any) -> TelemetrySpec:
    return convert_document(document, TelemetrySpec, what="example")


def contract_of(shown: Any) -> EventSpec:
    """A contract as a page shows it: whole, or by its reference where nothing else of it matters."""
    if isinstance(shown, str):
        (name, version) = identities([shown])[0]
        return contract(name, version)
    return convert_document(shown, EventSpec, what="example")


def identities(references: list[str]) -> list[tuple[str, int]]:
    return [(name, int(version)) for name, version in (reference.rsplit("@", 1) for reference in references)]


def test_there_is_a_page_for_each_rule_and_no_other() -> None:
    assert {page.stem for page in PAGES.glob("*.md")} == {*RULES, "README"}


@pytest.mark.parametrize("rule", RULES)
def test_the_bad_example_breaks_that_rule_alone_and_the_good_one_none(rule: str) -> None:
    examples = examples_on(page_of(rule))

    assert {finding.rule for finding in findings_of(examples, "bad")} == {rule}
    assert findings_of(examples, "good") == ()


@pytest.mark.parametrize("rule", RULES.values(), ids=list(RULES))
def test_the_page_says_what_the_rule_says(rule: Any) -> None:
    page = page_of(rule.name)

    title = f"# {rule.name}\n\n**{rule.summary}** Severity: {rule.severity}. Theme: {rule.theme}.\n\n## Why\n"
    assert page.startswith(title)
    assert f"\n{rule.hint}\n" in page
    assert [line for line in page.splitlines() if line.startswith("## ")][-3:] == ["## Bad", "## Good", "## Opt out"]


@pytest.mark.parametrize("rule", RULES)
def test_the_page_shows_the_opt_out_wherever_it_works(rule: str) -> None:
    examples = examples_on(page_of(rule))
    place = findings_of(examples, "bad")[0].path

    is_possible = rule in OPTIONAL_RULES and place.startswith("events[")
    assert ("opt-out" in examples) is is_possible
    if is_possible:
        (shown,) = convert_document(
            {**examples["bad"]["events"][0], **examples["opt-out"]}, EventDefinition, what="event"
        ).lint_opt_outs
        assert shown.rule == rule
        for event in examples["bad"]["events"]:
            event["lintOptOuts"] = examples["opt-out"]["lintOptOuts"]
        # Where several events are shown, the opt-outs of those that follow the rule are left over.
        assert {finding.rule for finding in findings_of(examples, "bad")} <= {"opt_out_unused"}


def test_the_table_is_that_of_the_code() -> None:
    table = (PAGES / "README.md").read_text(encoding="utf-8")

    assert table == render_catalogue(), "run: python -m telemetry.core.lint.catalogue > docs/lint/README.md"
    assert [opt_out.rule in OPTIONAL_RULES for opt_out in _opt_outs_in(table)] == [True]


def _opt_outs_in(text: str) -> list[LintOptOut]:
    shown: list[Any] = [read_yaml(fence["text"]) for fence in FENCE.finditer(text)]
    return [convert_document(each, LintOptOut, what="opt-out") for data in shown for each in data["lintOptOuts"]]


def test_the_module_prints_the_table() -> None:
    printed = subprocess.run(
        [sys.executable, "-m", "telemetry.core.lint.catalogue"],
        capture_output=True,
        check=True,
        cwd=ROOT,
        encoding="utf-8",
    )

    assert (printed.stdout, printed.stderr) == (render_catalogue(), "")


def test_every_rule_explains_itself_in_code() -> None:
    for rule in RULES.values():
        assert rule.check.__doc__, rule.name
        assert rule.summary.endswith("."), rule.name
        assert rule.hint.endswith("."), rule.name
