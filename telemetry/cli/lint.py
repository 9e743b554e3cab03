"""``studio lint``: the findings of the editor and the API, from files."""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Final

import typer

from telemetry.cli.annotations import Annotation, Level, OutputFormat, RuleText, write_annotations
from telemetry.cli.contracts import ContractsOption, contracts_of, read_contracts
from telemetry.cli.positions import Positions
from telemetry.cli.sources import SpecFile, decode_file, read_bytes, read_spec
from telemetry.cli.terminal import FOUND_SOMETHING, INPUT_IS_WRONG
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.event_specs import EventSpec
from telemetry.core.lint import RULES, Finding, Severity, lint_spec
from telemetry.core.spec import TelemetrySpec

__all__ = ["FailOn", "annotate_findings", "is_failure", "lint", "summary_of", "write_findings"]


class FailOn(StrEnum):
    """The least severity that makes the exit code 1."""

    ERROR = "error"
    WARNING = "warning"
    INFO = "info"
    NEVER = "never"


LEVELS: Final = {Severity.ERROR: Level.ERROR, Severity.WARNING: Level.WARNING, Severity.INFO: Level.NOTE}
# Where text cannot be read on, the message says.
_SAID_PLACE: Final = re.compile(r"\(line (\d+), column (\d+)\)\Z")
_RANKS: Final = {Level.NOTE: 0, Level.WARNING: 1, Level.ERROR: 2}
_LEAST: Final = {FailOn.ERROR: 2, FailOn.WARNING: 1, FailOn.INFO: 0, FailOn.NEVER: 3}


def lint(
    files: Annotated[list[str], typer.Argument(help="Specs as YAML or JSON; - is standard input.", metavar="FILE...")],
    format_: Annotated[OutputFormat, typer.Option("--format", help="For whom findings are written.")] = (
        OutputFormat.TEXT
    ),
    fail_on: Annotated[FailOn, typer.Option(help="Exit with 1 from this severity on.")] = FailOn.ERROR,
    published: Annotated[
        str | None, typer.Option(help="The version that the spec would replace.", metavar="FILE")
    ] = None,
    event_specs: ContractsOption = None,
) -> None:
    """Say where specs do not follow the rules in docs/lint.

    Exit code 2 when a file is no valid spec; the other files are linted all the same.
    """
    before = None if published is None else read_spec(published).spec
    contracts = read_contracts(event_specs or ())
    annotations: list[Annotation] = []
    is_broken = False
    for name in files:
        data = b""
        try:
            data = read_bytes(name)
            annotations += annotate_findings(decode_file(name, data), published=before, contracts=contracts)
        except InvalidDocument as error:
            annotations += _broken_rules(name, Positions(data), error.errors)
            is_broken = True
    write_findings(annotations, format_, count=len(files))
    if is_broken:
        raise typer.Exit(INPUT_IS_WRONG)
    if is_failure(annotations, fail_on):
        raise typer.Exit(FOUND_SOMETHING)


def annotate_findings(
    file: SpecFile, *, published: TelemetrySpec | None = None, contracts: Collection[EventSpec] = ()
) -> Iterator[Annotation]:
    """What lint says today (UTC) about the spec, each finding with its line."""
    known = contracts_of(file.spec, contracts)
    for finding in lint_spec(file.spec, today=datetime.now(UTC).date(), published=published, event_specs=known):
        yield _annotate(file, finding)


def _annotate(file: SpecFile, finding: Finding) -> Annotation:
    line, column = file.positions.find(finding.path)
    return Annotation(
        file=file.name,
        line=line,
        column=column,
        level=LEVELS[finding.severity],
        word=finding.severity.value,
        rule=finding.rule,
        path=finding.path,
        message=finding.message,
        hint=finding.hint,
    )


def _broken_rules(name: str, positions: Positions, errors: Sequence[FieldError]) -> Iterator[Annotation]:
    """What makes a document no valid spec, each rule at its place as far as the document can be read."""
    for error in errors:
        said = _SAID_PLACE.search(error.message)
        line, column = (int(said[1]), int(said[2])) if said else positions.find(error.path)
        yield Annotation(
            file=name,
            line=line,
            column=column,
            level=Level.ERROR,
            word=Severity.ERROR.value,
            rule=error.code,
            path=error.path,
            message=error.message,
        )


def write_findings(annotations: Sequence[Annotation], format_: OutputFormat, *, count: int) -> None:
    """The findings of ``count`` files, on standard output."""
    rules = {name: RuleText(rule.summary, rule.hint) for name, rule in RULES.items()}
    write_annotations(annotations, format_, rules=rules, summary=summary_of(annotations, count))


def summary_of(annotations: Sequence[Annotation], count: int) -> str:
    """How many findings of each severity, in one line."""
    found = {level: sum(each.level is level for each in annotations) for level in Level}
    files = f"{count} file{'s' if count != 1 else ''}"
    errors, warnings = found[Level.ERROR], found[Level.WARNING]
    return (
        f"{files}: {errors} error{'s' if errors != 1 else ''}, "
        f"{warnings} warning{'s' if warnings != 1 else ''}, {found[Level.NOTE]} info"
    )


def is_failure(annotations: Sequence[Annotation], fail_on: FailOn) -> bool:
    """Whether one of the findings is severe enough to fail."""
    return any(_RANKS[each.level] >= _LEAST[fail_on] for each in annotations)
