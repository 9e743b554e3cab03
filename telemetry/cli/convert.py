"""``studio import`` and ``studio export``: specs from and to formats of others, each with what was lost."""

import json
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

from telemetry.cli.annotations import say_annotations
from telemetry.cli.contracts import ContractsOption, read_contracts
from telemetry.cli.files import read_source, spec_file_name, write_file, write_files
from telemetry.cli.lint import FailOn, annotate_findings, is_failure, summary_of
from telemetry.cli.positions import Positions
from telemetry.cli.sources import STANDARD_INPUT, SpecFile, read_spec
from telemetry.cli.terminal import FOUND_SOMETHING, console, printable
from telemetry.core.codec import spec_to_yaml
from telemetry.core.enums import PrivacyLevel
from telemetry.formats.building import ImportOptions
from telemetry.formats.catalogue import FORMATS, import_files
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import SourceFile, invalid

__all__ = ["export_spec", "import_specs"]

_MOST_SHOWN = 12
FormatName = Annotated[str | None, typer.Option("--from", help=f"One of {', '.join(FORMATS)}.", metavar="FORMAT")]


def import_specs(
    source: Annotated[str, typer.Argument(help="A file, a folder, or - for standard input.", metavar="FILE")],
    format_: FormatName = None,
    output: Annotated[str, typer.Option("--output", "-o", help="Where the spec goes, as YAML.", metavar="FILE")] = (
        STANDARD_INPUT
    ),
    report: Annotated[str | None, typer.Option(help="Where the loss report goes, as JSON.", metavar="FILE")] = None,
    also: Annotated[list[str] | None, typer.Option(help="More files or folders, to which FILE may refer.")] = None,
    name: Annotated[str | None, typer.Option(help="Name of the spec.")] = None,
    version: Annotated[int | None, typer.Option(help="Version of the spec.")] = None,
    owner: Annotated[list[str] | None, typer.Option(help="Owner of the spec, with @; may be repeated.")] = None,
    privacy: Annotated[PrivacyLevel, typer.Option(help="Level of events whose source names none.")] = (
        PrivacyLevel.INTERNAL
    ),
    fail_on: Annotated[FailOn, typer.Option(help="Exit with 1 if lint finds something from here on.")] = FailOn.NEVER,
    event_specs: ContractsOption = None,
) -> None:
    """Make a spec of a plan in another format; say what did not fit, and what lint finds in the result.

    The format is guessed when it is left out.
    """
    if format_ is not None and format_ not in FORMATS:
        raise typer.BadParameter(f"must be one of {', '.join(FORMATS)}", param_hint="--from")
    contracts = read_contracts(event_specs or ())
    files = [*read_source(source), *(file for each in also or () for file in read_source(each))]
    options = ImportOptions(
        name=name, version=version, owners=tuple(owner or ()), privacy=privacy, fallback_name=_name_of(source)
    )
    chosen, imported = import_files(files, options, format_=format_)
    specs = [SourceFile(spec_file_name(spec.meta.name), spec_to_yaml(spec).encode()) for spec in imported.specs]
    written = write_files(output, _unique(specs, source))
    if report is not None:
        write_file(report, json.dumps(imported.report.to_plain(), indent=2, ensure_ascii=False).encode() + b"\n")
    events = sum(len(spec.events) for spec in imported.specs)
    _say(f"{source}: {chosen.title}, {events} event{'s' if events != 1 else ''} -> {', '.join(written)}")
    _say_losses(imported.report, report)
    found = [
        annotation
        for spec, file, path in zip(imported.specs, specs, written, strict=True)
        for annotation in annotate_findings(SpecFile(path, spec, Positions(file.data)), contracts=contracts)
    ]
    say_annotations(found, summary=summary_of(found, len(specs)))
    if is_failure(found, fail_on):
        raise typer.Exit(FOUND_SOMETHING)


def _name_of(source: str) -> str | None:
    """What a spec is called after: the folder, or the file without its endings."""
    return None if source == STANDARD_INPUT else Path(source).resolve().name.split(".")[0] or None


def _unique(specs: Sequence[SourceFile], source: str) -> Sequence[SourceFile]:
    if not specs:
        raise invalid("empty", "has no plan", what=f"source {source}")
    names = Counter(spec.name for spec in specs)
    twice = [name for name, count in names.items() if count > 1]
    if twice:
        raise invalid("duplicate_spec", f"has {names[twice[0]]} plans that are named alike", what=f"source {source}")
    return specs


def export_spec(
    source: Annotated[str, typer.Argument(help="A spec; - is standard input.", metavar="SPEC")],
    format_: Annotated[str, typer.Option("--to", help=f"One of {', '.join(FORMATS)}.", metavar="FORMAT")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Where it goes; a folder, if there are several files.", metavar="FILE")
    ] = STANDARD_INPUT,
    report: Annotated[str | None, typer.Option(help="Where the loss report goes, as JSON.", metavar="FILE")] = None,
) -> None:
    """Write a spec in another format; say what did not fit."""
    if format_ not in FORMATS:
        raise typer.BadParameter(f"must be one of {', '.join(FORMATS)}", param_hint="--to")
    exported = FORMATS[format_].write(read_spec(source).spec)
    losses = LossReport(format=format_, sources=(source,), specs=exported.report.specs, losses=exported.report.losses)
    written = write_files(output, exported.files)
    if report is not None:
        write_file(report, json.dumps(losses.to_plain(), indent=2, ensure_ascii=False).encode() + b"\n")
    _say(f"{source} -> {', '.join(written[:3])}{f' and {len(written) - 3} more' if len(written) > 3 else ''}")
    _say_losses(losses, report)


def _say(line: str) -> None:
    console(is_error=True).print(printable(line))


def _say_losses(report: LossReport, file: str | None) -> None:
    """How many parts did not fit, and why, on standard error; each of them is in the file."""
    out = console(is_error=True)
    if not report.losses:
        out.print("Everything fits.")
        return
    counts = ", ".join(f"{count} {action}" for action, count in report.counts.items())
    where = f"each is in {file}" if file is not None else "--report FILE lists each"
    out.print(Text(printable(f"What did not fit: {counts}; {where}."), style="bold"))
    reasons = Counter((loss.action, loss.reason) for loss in report.losses)
    for (action, reason), count in reasons.most_common(_MOST_SHOWN):
        out.print(printable(f"  {count:>5}  {action:<12}  {reason}"))
    if len(reasons) > _MOST_SHOWN:
        out.print(f"         and {len(reasons) - _MOST_SHOWN} more reasons")
