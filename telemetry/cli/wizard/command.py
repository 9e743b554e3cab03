"""The command ``studio create telemetry``: from answers to a file."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.text import Text

from telemetry.cli.annotations import say_annotations
from telemetry.cli.files import spec_file_name, write_file
from telemetry.cli.lint import annotate_findings, summary_of
from telemetry.cli.positions import Positions
from telemetry.cli.sources import STANDARD_INPUT, SpecFile
from telemetry.cli.terminal import console, printable
from telemetry.cli.wizard.answers import NotAnAnswer, Question
from telemetry.cli.wizard.flags import EventFlags, answers_of_events, answers_of_providers
from telemetry.cli.wizard.session import BACK, CONFIRM, Session, Stopped
from telemetry.cli.wizard.spec_questions import ask_spec
from telemetry.core.codec import spec_to_yaml
from telemetry.core.spec import TelemetrySpec
from telemetry.core.validation import validate_spec
from telemetry.formats.contractspec.writing import TYPES, write_contract_spec
from telemetry.formats.python_module import write_python_module
from telemetry.formats.sources import invalid

__all__ = ["create_telemetry"]

_INTERRUPTED: Final = 130
_CONFIRMATIONS: Final = {"y": "write", "yes": "write", "e": "edit", "edit": "edit", "q": "quit", "quit": "quit"}


class FileFormat(StrEnum):
    """What is written."""

    YAML = "yaml"
    PYTHON = "py"
    TYPESCRIPT = "ts"


def create_telemetry(
    name: Annotated[str | None, typer.Option(help="Name of the spec.")] = None,
    version: Annotated[str | None, typer.Option(help="Version of the spec.")] = None,
    title: Annotated[str | None, typer.Option(help="Title of the spec.")] = None,
    description: Annotated[str | None, typer.Option(help="Description of the spec.")] = None,
    domain: Annotated[str | None, typer.Option(help="Domain of the spec.")] = None,
    owners: Annotated[str | None, typer.Option(help="Owners with @, parted by commas.")] = None,
    tags: Annotated[str | None, typer.Option(help="Tags, parted by commas.")] = None,
    stability: Annotated[str | None, typer.Option(help="How settled the spec is.")] = None,
    retention_days: Annotated[str | None, typer.Option(help="Days that events are kept.")] = None,
    sampling_rate: Annotated[str | None, typer.Option(help="Share of subjects kept, 0 to 1.")] = None,
    check_interval_ms: Annotated[str | None, typer.Option(help="Milliseconds between checks of anomaly rules.")] = None,
    provider: Annotated[list[str] | None, typer.Option(help="TYPE:SETTING=VALUE,SETTING=VALUE")] = None,
    event: Annotated[list[str] | None, typer.Option(help="NAME=WHAT or NAME@VERSION=WHAT")] = None,
    who: Annotated[list[str] | None, typer.Option(help="EVENT=TEXT")] = None,
    why: Annotated[list[str] | None, typer.Option(help="EVENT=TEXT")] = None,
    privacy: Annotated[list[str] | None, typer.Option(help="EVENT=LEVEL")] = None,
    event_tags: Annotated[list[str] | None, typer.Option(help="EVENT=TAG,TAG")] = None,
    property_: Annotated[
        list[str] | None,
        typer.Option("--property", help="EVENT=NAME:TYPE:required,pii,redact; the end may be left out"),
    ] = None,
    property_description: Annotated[list[str] | None, typer.Option(help="EVENT=NAME:TEXT")] = None,
    retention: Annotated[list[str] | None, typer.Option(help="EVENT=DAYS:POLICY")] = None,
    sampling: Annotated[list[str] | None, typer.Option(help="EVENT=RATE")] = None,
    condition: Annotated[list[str] | None, typer.Option(help="EVENT=CONDITION")] = None,
    threshold: Annotated[list[str] | None, typer.Option(help="EVENT=METRIC:LOWEST..HIGHEST")] = None,
    minimum_sample: Annotated[list[str] | None, typer.Option(help="EVENT=NUMBER")] = None,
    action: Annotated[list[str] | None, typer.Option(help="EVENT=ACTION,ACTION")] = None,
    output: Annotated[
        str | None, typer.Option("--output", "-o", help="NAME.telemetry.yaml unless said.", metavar="FILE")
    ] = None,
    format_: Annotated[
        FileFormat | None, typer.Option("--format", help="What is written; as the ending of FILE says unless said.")
    ] = None,
    types_from: Annotated[str, typer.Option(help="The module that has the types, for TypeScript.")] = TYPES,
    no_input: Annotated[bool, typer.Option("--no-input", help="Ask nothing: options and defaults answer.")] = False,
    force: Annotated[bool, typer.Option("--force", help="Overwrite a file that exists.")] = False,
) -> None:
    """Make a new telemetry spec: meta, providers, events, properties, retention, sampling and anomaly rules.

    Options answer questions beforehand; without a terminal, or with --no-input, they and the defaults answer all.
    """
    said = {
        "meta.name": name,
        "meta.version": version,
        "meta.title": title,
        "meta.description": description,
        "meta.domain": domain,
        "meta.owners": owners,
        "meta.tags": tags,
        "meta.stability": stability,
        "config.default_retention_days": retention_days,
        "config.default_sampling_rate": sampling_rate,
        "config.check_interval_ms": check_interval_ms,
    }
    given = (event, who, why, privacy, event_tags, property_, property_description, retention, sampling, condition)
    flags = EventFlags(*(each or [] for each in (*given, threshold, minimum_sample, action)))
    answers = {key: value for key, value in said.items() if value is not None}
    answers |= dict(answers_of_providers(provider or ()))
    answers |= dict(answers_of_events(flags))
    session = Session(answers, is_interactive=sys.stdin.isatty() and not no_input)
    target = _Target(output, format_, types_from, force)
    try:
        spec = session.run(lambda asking: _ask_and_confirm(asking, target))
    except (Stopped, KeyboardInterrupt):
        console(is_error=True).print("\nNothing was written.")
        raise typer.Exit(_INTERRUPTED) from None
    file = target.file_of(spec)
    write_file(file, target.write(spec))
    session.say(f"Written: {file}", style="bold green")


class _Target:
    """Where the spec goes, and in which form."""

    def __init__(self, output: str | None, format_: FileFormat | None, types: str, force: bool) -> None:
        self._output = output
        self._types = types
        self._force = force
        ending = Path(output or "").suffix.removeprefix(".")
        self._format = format_ or (FileFormat(ending) if ending in tuple(FileFormat) else FileFormat.YAML)

    def file_of(self, spec: TelemetrySpec) -> str:
        """The name of the file."""
        stem = spec.meta.name.removesuffix(".telemetry")
        names = {
            FileFormat.YAML: spec_file_name(spec.meta.name),
            FileFormat.PYTHON: f"{stem.replace('.', '_').replace('-', '_')}_telemetry.py",
            FileFormat.TYPESCRIPT: f"{stem}.telemetry.ts",
        }
        return self._output or names[self._format]

    def write(self, spec: TelemetrySpec) -> bytes:
        """The content of the file."""
        if self._format is FileFormat.PYTHON:
            return write_python_module(spec).files[0].data
        if self._format is FileFormat.TYPESCRIPT:
            return write_contract_spec(spec, types=self._types).files[0].data
        return spec_to_yaml(spec).encode()

    def exists(self, spec: TelemetrySpec) -> bool:
        """Whether a file that must not be overwritten is there."""
        file = self.file_of(spec)
        return file != STANDARD_INPUT and not self._force and Path(file).exists()


def _ask_and_confirm(session: Session, target: _Target) -> TelemetrySpec:
    """The spec, once somebody has seen it and wants it written."""
    spec = ask_spec(session)
    validate_spec(spec)
    if not session.is_interactive:
        if target.exists(spec):
            raise invalid("exists", "exists already; overwrite it with --force", what=f"file {target.file_of(spec)}")
        return spec
    asked = [question for question in session.asked if question.key in session.answers]
    _preview(spec)
    said = session.ask(_confirmation(spec, target))
    if said == "quit":
        raise Stopped
    if said == "edit":
        _edit(session, asked)
    return spec


def _preview(spec: TelemetrySpec) -> None:
    """The document as it would be written, and what lint finds in it."""
    text = spec_to_yaml(spec)
    out = console(is_error=True)
    out.print(Text("\nThe spec\n", style="bold"))
    out.print(printable(text))
    found = list(annotate_findings(SpecFile("spec", spec, Positions(text.encode()))))
    say_annotations(found, summary=summary_of(found, 1))


def _confirmation(spec: TelemetrySpec, target: _Target) -> Question[str]:
    verb, default = ("Overwrite", None) if target.exists(spec) else ("Write", "y")
    words = f"y, e to edit, {BACK} to go back, q to quit"
    return Question(CONFIRM, f"{verb} {target.file_of(spec)}", _read_confirmation, default, "y writes the file.", words)


def _read_confirmation(text: str) -> str:
    said = _CONFIRMATIONS.get(text.lower())
    if said is None:
        raise NotAnAnswer("must be y, e or q")
    return said


def _edit(session: Session, asked: Sequence[Question[object]]) -> None:
    """One of the answers is asked for anew, and what follows from it."""
    out = console(is_error=True)
    out.print(Text("\nYour answers\n", style="bold"))
    for number, question in enumerate(asked, start=1):
        answer = session.answers[question.key] or "-"
        out.print(printable(f"  {number:>3}  {question.text.strip()}: {answer}"))

    def read(text: str) -> int:
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:9]) <= len(asked):
            raise NotAnAnswer(f"must be a number from 1 to {len(asked)}")
        return int(text)

    session.change(asked[session.ask_once(Question("edit", "Change which", read, words="its number")) - 1].key)
