"""Generated code: typed, deterministic, and marked with what it was generated from."""

import importlib.util
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from telemetry.core.codec import checksum
from telemetry.core.registry import TelemetryRegistry
from telemetry.core.spec import Deprecation, Semantics, TelemetrySpec
from telemetry.formats.clients import LANGUAGES, generate, is_untouched, read_mark
from telemetry.sdk import InMemoryProvider, TelemetryTracker
from tests.core import strategies
from tests.core.builders import make_event, make_property, make_sigil_spec, make_spec
from tests.formats.compilers import PEDANTIC, check_kotlin, check_python, check_typescript, syntax_errors

# Text that ends comments, opens templates, or escapes quotes, in one language or another.
HOSTILE = 'a */ /* b """ c \\ " \' ` ${d} \\(e) // f <!-- g --> | h\u2028i \x1b[31m $j \N{GRINNING FACE}'
ODD = make_spec(
    make_event(
        "class",
        properties={
            "class": make_property(required=True, description=HOSTILE),
            "self": make_property("number", unit="ms"),
            "a b": make_property("timestamp", required=True),
            "a_b": make_property("timestamp"),
            "$": make_property("json", required=True),
            "any thing": make_property("json"),
            "kind": make_property(required=True, allowed_values=("a", "A", "", HOSTILE, "1", "class")),
            "level": make_property("number", allowed_values=(1.0, 2.0)),
            "share": make_property("number", allowed_values=(0.5,)),
            "flag": make_property("boolean", required=True, pii=True),
            "sent": make_property(),
            "properties": make_property(),
        },
    ),
    make_event("step", 1, deprecation=Deprecation(reason=HOSTILE, replaced_by="step@2"), properties={}),
    make_event("step", 2, properties={}),
    make_event("step v1", 1, properties={}),
    make_event("$", 1, properties={}),
    name="odd.spec",
)


@pytest.mark.parametrize("language", LANGUAGES)
def test_code_is_marked_with_the_spec_and_its_checksum(language: str) -> None:
    spec = make_sigil_spec()

    code = generate(spec, language)

    mark = read_mark(code)
    assert mark is not None
    assert (mark.language, mark.name, mark.version) == (language, "sigil.telemetry", 1)
    assert mark.spec_checksum == checksum(spec)
    assert is_untouched(code)
    assert is_untouched(code.replace("\n", "\r\n"))
    assert not is_untouched(code.replace("workflow", "workFlow", 1))


@given(spec=strategies.specs())
def test_the_same_spec_gives_the_same_code(spec: TelemetrySpec) -> None:
    for language in LANGUAGES:
        assert generate(spec, language) == generate(spec, language)
        assert is_untouched(generate(spec, language))


@given(spec=strategies.specs())
def test_code_of_any_spec_is_of_its_language(spec: TelemetrySpec) -> None:
    compile(generate(spec, "python"), "generated", "exec")
    json.loads(generate(spec, "json-schema"))
    for language in ("kotlin", "swift"):
        assert syntax_errors(language, generate(spec, language)) == []


@pytest.mark.parametrize("language", ["kotlin", "swift"])
def test_odd_names_and_texts_are_of_the_language(language: str) -> None:
    assert syntax_errors(language, generate(ODD, language)) == []


@pytest.mark.parametrize("language", ["python", "typescript", "kotlin", "swift"])
def test_no_text_leaves_its_comment(language: str) -> None:
    # Given text with a line break in every place that a comment shows, as a unit once had it.
    broken = "first\nleaked_code()\r\u2028leaked_code()"
    number = make_property("number", description=broken, unit="ms\nleaked_code()")
    event = make_event(
        "step",
        semantics=Semantics(what=broken, who=broken, why=broken),
        properties={"durationMs": number},
        deprecation=Deprecation(reason=broken),
    )

    lines = generate(make_spec(event), language).splitlines()

    assert any("leaked_code()" in line for line in lines)
    assert [line for line in lines if line.strip().startswith("leaked_code()")] == []


@pytest.fixture(scope="module")
def many_specs() -> list[TelemetrySpec]:
    """Some dozen specs, drawn once, since a compiler takes a second to start."""
    drawn: list[TelemetrySpec] = [ODD, make_sigil_spec()]

    @settings(max_examples=30, phases=[Phase.generate], database=None, suppress_health_check=list(HealthCheck))
    @given(spec=strategies.specs())
    def draw(spec: TelemetrySpec) -> None:
        drawn.append(spec)

    draw()
    return drawn


def test_python_passes_strict_mypy(tmp_path: Path, many_specs: list[TelemetrySpec]) -> None:
    files = {f"client_{index}.py": generate(spec, "python") for index, spec in enumerate(many_specs)}

    assert check_python(tmp_path, files) == ""


def test_typescript_passes_the_strict_compiler(tmp_path: Path, many_specs: list[TelemetrySpec]) -> None:
    files = {f"client-{index}.ts": generate(spec, "typescript") for index, spec in enumerate(many_specs)}

    assert check_typescript(tmp_path, files, *PEDANTIC) == ""


def test_kotlin_passes_the_compiler(tmp_path: Path, many_specs: list[TelemetrySpec]) -> None:
    files = {f"Client{index}.kt": generate(spec, "kotlin") for index, spec in enumerate(many_specs)}

    said = check_kotlin(tmp_path, files)

    if said is None:
        pytest.skip("no kotlinc on this machine: the grammar alone was checked")
    assert said == ""


USE_KOTLIN = """\
package telemetry.sigiltelemetry

fun use(tracker: Tracker<Boolean>) {
    val sigil = SigilTelemetry(tracker)
    val sent: Boolean = sigil.workflowStep(workflow = "onboarding", step = "verify", durationMs = 3.0)
    println(sent)
    WRONG
}
"""


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ("", ""),
        ('sigil.workflowStep(workflow = "a")', "No value passed for parameter 'step'"),
        ('sigil.workflowStep(workflow = 1, step = "a")', "type mismatch"),
        ('sigil.workflowStep(workflow = "a", step = "b", nickname = "c")', "No parameter with name 'nickname' found"),
        ("sigil.workflow()", "Unresolved reference 'workflow'"),
    ],
)
def test_what_the_spec_does_not_allow_is_a_type_error_in_kotlin(tmp_path: Path, wrong: str, said: str) -> None:
    files = {"Client.kt": generate(make_sigil_spec(), "kotlin"), "Use.kt": USE_KOTLIN.replace("WRONG", wrong)}

    found = check_kotlin(tmp_path, files, apart=False)

    if found is None:
        pytest.skip("no kotlinc on this machine")
    assert said.lower() in found.lower()
    assert bool(found) == bool(wrong)


USE_PYTHON = """\
from typing import assert_type
from client import SigilTelemetry
from telemetry.core.events import Outcome
from telemetry.sdk import TelemetryTracker
from telemetry.sdk.hold import Held

def use(tracker: TelemetryTracker) -> None:
    sigil = SigilTelemetry(tracker)
    assert_type(sigil.workflow_step(workflow="onboarding", step="verify", duration_ms=3), Outcome | Held)
    sigil.workflow_step(workflow="onboarding")
    sigil.workflow_step(workflow=1, step="verify")
    sigil.workflow_step(workflow="onboarding", step="verify", nickname="a")
    sigil.workflow()
"""


def test_what_the_spec_does_not_allow_is_a_type_error_in_python(tmp_path: Path) -> None:
    files = {"client.py": generate(make_sigil_spec(), "python"), "use.py": USE_PYTHON}

    found = [line.split(": ", 2) for line in check_python(tmp_path, files).splitlines()]

    assert [(place, message.rsplit("  [", 1)[1][:-1]) for place, kind, message in found if kind == "error"] == [
        ("use.py:10", "call-arg"),
        ("use.py:11", "arg-type"),
        ("use.py:12", "call-arg"),
        ("use.py:13", "attr-defined"),
    ]


USE_TYPESCRIPT = """\
import { SigilTelemetry, type Tracker } from "./client.js";

export function use(tracker: Tracker<boolean>): void {
  const sigil = new SigilTelemetry(tracker);
  const sent: boolean = sigil.workflowStep({ workflow: "onboarding", step: "verify", durationMs: 3 }, { userId: "u" });
  sigil.workflowStep({ workflow: "onboarding" });
  sigil.workflowStep({ workflow: 1, step: "verify" });
  sigil.workflowStep({ workflow: "onboarding", step: "verify", nickname: "a" });
  sigil.workflow(sent);
}
"""


def test_what_the_spec_does_not_allow_is_a_type_error_in_typescript(tmp_path: Path) -> None:
    files = {"client.ts": generate(make_sigil_spec(), "typescript"), "use.ts": USE_TYPESCRIPT}

    found = check_typescript(tmp_path, files, *PEDANTIC)

    assert [line.split("(")[1].split(",")[0] for line in found.splitlines() if line.startswith("use.ts")] == list(
        "6789"
    )
    assert "client.ts" not in found


def load(folder: Path, spec: TelemetrySpec) -> Any:
    """The generated module, imported."""
    file = folder / "generated_client.py"
    file.write_text(generate(spec, "python"))
    found = importlib.util.spec_from_file_location("generated_client", file)
    assert found is not None
    assert found.loader is not None
    module = importlib.util.module_from_spec(found)
    sys.modules[module.__name__] = module
    found.loader.exec_module(module)
    return module


def test_a_generated_client_sends_what_the_tracker_takes(tmp_path: Path) -> None:
    spec, memory = ODD, InMemoryProvider()
    module = load(tmp_path, spec)
    with TelemetryTracker(registry=TelemetryRegistry([spec]), providers=[memory]) as tracker:
        client = module.OddSpec(tracker)

        instant = datetime(2026, 11, 22, 12, tzinfo=UTC)
        outcome = client.class_(class_="x", a_b=instant, value={"a": 1}, kind="A", flag=True, level=2)

    assert outcome
    [dispatch] = memory.dispatches
    assert ("odd.spec", 1, checksum(spec)) == (module.SPEC, module.SPEC_VERSION, module.SPEC_CHECKSUM)
    assert (dispatch.name, dispatch.version) == ("class", 1)
    assert dispatch.properties == {
        "class": "x",
        "a b": "2026-11-22T12:00:00+00:00",
        "$": {"a": 1},
        "kind": "A",
        "flag": False,
        "level": 2,
    }


@given(data=st.data())
def test_the_generated_schema_admits_what_the_tracker_takes(data: st.DataObject) -> None:
    spec = data.draw(strategies.specs(max_events=1).filter(lambda each: each.events))
    schema = json.loads(generate(spec, "json-schema"))
    [definition] = schema["$defs"].values()
    required = {name for name, each in spec.events[0].properties.items() if each.required}

    jsonschema.Draft202012Validator.check_schema(schema)
    assert set(definition.get("required", ())) == required
    assert set(definition["properties"]) == set(spec.events[0].properties)


def test_markdown_shows_each_property_in_a_row_of_its_own() -> None:
    code = generate(ODD, "markdown")

    rows = [line for line in code.splitlines() if line.startswith("| ")]
    assert len(rows) == 1 + len(ODD.events[0].properties)
    assert all(len(row.replace("\\|", "").split("|")) == 6 for row in rows)
