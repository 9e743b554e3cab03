"""``studio create telemetry``: asked in a terminal, and answered by options."""

import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pexpect
import pytest
from hypothesis import given

from telemetry.core.codec import decode_spec
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.contractspec.writing import write_contract_spec
from tests.cli.conftest import ROOT, SIGIL, Studio
from tests.cli.interrupts import heed_interrupts
from tests.core import strategies
from tests.formats.compilers import TYPESCRIPT, check_typescript

# Seconds until a question must have come. No test asserts that anything is faster.
PATIENCE = 60
# What is asked, and what somebody types for the seed's example; "" takes what is in brackets.
SEED = [
    ("Name", "sigil.telemetry"),
    ("Version", ""),
    ("Title", "Sigil telemetry"),
    ("Description", "Core Sigil product telemetry"),
    ("Domain", ""),
    ("Owners", "@team.analytics"),
    ("Tags", "telemetry"),
    ("Stability", ""),
    ("Days that events are kept", "30"),
    ("Share of subjects kept", "1"),
    ("Milliseconds between checks", ""),
    ("Add a provider", "y"),
    ("Provider", "posthog"),
    ("Setting", "projectApiKey"),
    ("projectApiKey", "${POSTHOG_KEY}"),
    ("Setting", ""),
    ("Another provider", ""),
    ("Event", "sigil.telemetry.workflow_step"),
    ("Version", ""),
    ("What happened", "Workflow step executed"),
    ("Who did it", "Actor executing the workflow"),
    ("Why it is collected", ""),
    ("Privacy", ""),
    *[
        ("Property", "workflow"),
        ("Type", ""),
        ("Required", "y"),
        ("Personal data", ""),
        ("Redact it", ""),
        ("Description", ""),
    ],
    *[
        ("Property", "step"),
        ("Type", "s"),
        ("Required", "y"),
        ("Personal data", ""),
        ("Redact it", ""),
        ("Description", ""),
    ],
    *[
        ("Property", "durationMs"),
        ("Type", "number"),
        ("Required", ""),
        ("Personal data", ""),
        ("Redact it", ""),
        ("Description", ""),
    ],
    *[
        ("Property", "userId"),
        ("Type", ""),
        ("Required", ""),
        ("Personal data", "y"),
        ("Redact it", ""),
        ("Description", ""),
    ],
    ("Property", ""),
    ("Days that it is kept", ""),
    ("Share of subjects kept", ""),
    ("Watch its metrics", "y"),
    ("Values that a window needs", ""),
    ("Metric", ""),
    ("Lowest", ""),
    ("Highest", "1500"),
    ("Another threshold", ""),
    ("Then", "alert, trigger_regen"),
    ("Tags", ""),
    ("Another event", ""),
]
OPTIONS = [
    *("--name", "sigil.telemetry", "--title", "Sigil telemetry", "--description", "Core Sigil product telemetry"),
    *("--owners", "@team.analytics", "--tags", "telemetry", "--retention-days", "30", "--sampling-rate", "1"),
    *("--provider", "posthog:projectApiKey=${POSTHOG_KEY}"),
    *("--event", "sigil.telemetry.workflow_step=Workflow step executed", "--who", "Actor executing the workflow"),
    *("--property", "workflow:string:required", "--property", "step:string:required"),
    *("--property", "durationMs:number", "--property", "userId:string:pii,redact"),
    *("--threshold", "durationMs:..1500", "--minimum-sample", "10", "--action", "alert,trigger_regen"),
]

Terminal = Callable[..., "pexpect.spawn[str]"]


@pytest.fixture
def terminal(tmp_path: Path) -> Iterator[Terminal]:
    """Starts the wizard in a terminal of its own, in an empty directory."""
    started: list[pexpect.spawn[str]] = []

    def start(*arguments: str) -> "pexpect.spawn[str]":
        child: pexpect.spawn[str] = pexpect.spawn(
            sys.executable,
            ["-m", "telemetry.cli", "create", "telemetry", *arguments],
            cwd=str(tmp_path),
            env={**os.environ, "PYTHONPATH": str(ROOT), "TERM": "dumb", "COLUMNS": "160"},
            encoding="utf-8",
            timeout=PATIENCE,
            dimensions=(50, 160),
            preexec_fn=heed_interrupts,
        )
        started.append(child)
        return child

    yield start
    for child in started:
        child.close(force=True)


def answer(child: "pexpect.spawn[str]", question: str, text: str) -> None:
    """Type the answer, once the question is there."""
    child.expect_exact(question)
    child.expect(r": $")
    child.sendline(text)


def answer_seed(child: "pexpect.spawn[str]") -> None:
    """Answer as the seed's example says, up to the preview."""
    for question, text in SEED:
        answer(child, question, text)
    child.expect_exact("The spec")


@pytest.mark.parametrize(
    ("format_", "file"),
    [("yaml", "sigil.telemetry.yaml"), ("py", "sigil_telemetry.py"), ("ts", "sigil.telemetry.ts")],
)
def test_the_wizard_writes_the_seeds_spec_in_each_form(
    terminal: Terminal, studio: Studio, tmp_path: Path, format_: str, file: str
) -> None:
    child = terminal("--format", format_)
    answer_seed(child)

    child.expect_exact(f"Write {file}")
    child.sendline("")
    child.expect_exact(f"Written: {file}")
    child.expect(pexpect.EOF)
    child.wait()

    assert child.exitstatus == 0
    called = studio("diff", SIGIL, file, "--fail-on", "safe")
    assert (called.code, called.out) == (0, "0 breaking, 0 risky, 0 safe\n")


def test_a_wrong_answer_is_explained_and_asked_for_again(terminal: Terminal) -> None:
    child = terminal()

    answer(child, "Name", "Sigil Telemetry")
    child.expect_exact("must be lower-case words joined by dots")
    answer(child, "Name", "sigil.telemetry")
    answer(child, "Version", "0")
    child.expect_exact("must be at least 1")
    answer(child, "Version", "one")
    child.expect_exact("must be a number")
    answer(child, "Version", "?")
    child.expect_exact("a published version never changes")
    answer(child, "Version", "2")
    answer(child, "Title", "")
    for question in ("Description", "Domain"):
        answer(child, question, "")
    answer(child, "Owners", "@team, team")
    child.expect_exact("'team' must be @ and a name")


def test_going_back_changes_answers_and_keeps_the_others(terminal: Terminal, tmp_path: Path) -> None:
    child = terminal("--format", "yaml")
    for question, text in SEED[:4]:
        answer(child, question, text)
    # From the domain back to the description, and on to the title.
    answer(child, "Domain", "<")
    child.expect_exact("[Core Sigil product telemetry]")
    child.expect(r": $")
    child.sendline("<")
    child.expect_exact("[Sigil telemetry]")
    child.expect(r": $")
    child.sendline("Sigil, telemetry")
    answer(child, "Description", "")
    for question, text in SEED[4:]:
        answer(child, question, text)
    answer(child, "Write sigil.telemetry.yaml", "y")
    child.expect(pexpect.EOF)

    spec = decode_spec((tmp_path / "sigil.telemetry.yaml").read_bytes())
    assert (spec.meta.title, spec.meta.description) == ("Sigil, telemetry", "Core Sigil product telemetry")


def test_an_answer_is_edited_at_the_end_and_only_what_follows_from_it_is_asked(
    terminal: Terminal, tmp_path: Path
) -> None:
    child = terminal()
    answer_seed(child)

    answer(child, "Write sigil.telemetry.yaml", "e")
    child.expect(r"(\d+)  Personal data: y")
    number = child.match.group(1)  # type: ignore[union-attr]
    answer(child, "Change which", "999")
    child.expect_exact("must be a number from 1 to")
    answer(child, "Change which", number)
    answer(child, "Personal data", "n")
    child.expect_exact("The spec")
    answer(child, "Write sigil.telemetry.yaml", "y")
    child.expect(pexpect.EOF)

    [event] = decode_spec((tmp_path / "sigil.telemetry.yaml").read_bytes()).events
    assert event.properties["userId"].pii is None
    assert event.properties["userId"].redact is True
    assert list(event.properties) == ["workflow", "step", "durationMs", "userId"]


@pytest.mark.parametrize("end", ["\x04", "\x03"], ids=["end of input", "interrupt"])
def test_whoever_stops_writes_nothing(terminal: Terminal, tmp_path: Path, end: str) -> None:
    child = terminal(*OPTIONS)

    answer(child, "Version", "")
    child.expect_exact("Domain")
    child.send(end)

    child.expect_exact("Nothing was written.")
    child.expect(pexpect.EOF)
    child.wait()
    assert child.exitstatus == 130
    assert list(tmp_path.iterdir()) == []


def test_whoever_quits_at_the_end_writes_nothing(terminal: Terminal, tmp_path: Path) -> None:
    child = terminal()
    answer_seed(child)

    answer(child, "Write sigil.telemetry.yaml", "q")

    child.expect_exact("Nothing was written.")
    child.expect(pexpect.EOF)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("file", ["a.yaml", "a.py", "a.ts"])
def test_options_alone_make_the_seeds_spec(studio: Studio, tmp_path: Path, file: str) -> None:
    called = studio("create", "telemetry", "--no-input", *OPTIONS, "--output", file)

    assert (called.code, called.out) == (0, "")
    assert studio("diff", SIGIL, file, "--fail-on", "safe").code == 0


def test_all_options_of_events_are_answers(studio: Studio) -> None:
    called = studio(
        *("create", "telemetry", "--no-input", "--name", "shop", "--output", "-", "--check-interval-ms", "60000"),
        *("--event", "placed=Order placed", "--event", "paid@3=Order paid", "--privacy", "paid=pii"),
        *("--why", "placed=To count orders = sales", "--event-tags", "paid=a,b"),
        *("--property", "placed=total:number:required", "--property", "paid=email::pii"),
        *("--property-description", "placed=total:In euros: all of it", "--retention", "paid=90:archive"),
        *("--sampling", "placed=0.5", "--condition", "placed=properties.total > 100.0"),
        *("--threshold", "placed=total:1..", "--threshold", "placed=total:..9"),
    )

    spec = decode_spec(called.out)
    placed, paid = spec.events
    assert called.code == 0
    assert (placed.semantics.why, paid.version, paid.privacy, paid.tags) == (
        "To count orders = sales",
        3,
        "pii",
        ("a", "b"),
    )
    assert placed.properties["total"].description == "In euros: all of it"
    assert paid.properties["email"].pii is True
    assert (paid.retention.days, paid.retention.policy) == (90, "archive")  # type: ignore[union-attr]
    assert placed.sampling.conditions == ("properties.total > 100.0",)  # type: ignore[union-attr]
    assert [(each.min, each.max) for each in placed.anomaly_detection.thresholds] == [(1, None), (None, 9)]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "--name: is required without a terminal"),
        (("--name", "Shop"), "--name: must be lower-case words"),
        (("--name", "shop"), "--event: is required without a terminal"),
        (("--name", "shop", "--event", "a=A", "--privacy", "secret"), "--event: must be one of: public, internal"),
        (("--name", "shop", "--event", "a=A", "--event", "b=B", "--who", "x"), "--who: must begin with the name"),
        (("--name", "shop", "--event", "a=A", "--property", "x:string:wanted"), "--property: must be NAME:TYPE"),
        (("--name", "shop", "--event", "a=A", "--property", "x:date"), "--property: must be one of: string, number"),
        (("--name", "shop", "--event", "a=A", "--sampling", "2"), "--sampling: must be at most 1"),
        (("--name", "shop", "--event", "a=A", "--sampling", "1", "--condition", "x ="), "--condition: "),
        (("--name", "shop", "--provider", "posthog:key"), "--provider: must be TYPE:SETTING=VALUE"),
    ],
)
def test_an_option_that_is_wrong_or_missing_is_named(
    studio: Studio, tmp_path: Path, options: tuple[str, ...], message: str
) -> None:
    called = studio("create", "telemetry", "--no-input", *options)

    assert (called.code, called.out) == (2, "")
    assert message in called.err
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_exists_is_kept(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("mine")

    refused = studio("create", "telemetry", "--no-input", *OPTIONS, "--output", "a.yaml")

    assert refused.code == 2
    assert "exists already" in refused.err
    assert (tmp_path / "a.yaml").read_text() == "mine"
    assert studio("create", "telemetry", "--no-input", *OPTIONS, "--output", "a.yaml", "--force").code == 0


def test_typescript_passes_the_compiler_with_the_origins_interface(studio: Studio, tmp_path: Path) -> None:
    studio("create", "telemetry", "--no-input", *OPTIONS, "--output", "a.ts", "--types-from", "./origin.js")
    files = {"a.ts": (tmp_path / "a.ts").read_text(), "origin.ts": (TYPESCRIPT / "origin.ts").read_text()}

    assert check_typescript(tmp_path, files) == ""


def test_typescript_of_any_spec_passes_the_compiler_with_the_origins_interface(tmp_path: Path) -> None:
    specs: list[TelemetrySpec] = []

    @given(spec=strategies.specs())
    def draw(spec: TelemetrySpec) -> None:
        specs.append(spec)

    draw()
    files = {
        f"spec-{index}.ts": write_contract_spec(spec, types="./origin.js").files[0].data.decode()
        for index, spec in enumerate(specs[:40])
    }

    assert check_typescript(tmp_path, files | {"origin.ts": (TYPESCRIPT / "origin.ts").read_text()}) == ""
