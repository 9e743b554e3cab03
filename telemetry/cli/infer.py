"""``studio infer``: a draft spec from a sample of events."""

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from telemetry.cli.annotations import say_annotations
from telemetry.cli.files import write_file
from telemetry.cli.lint import annotate_findings, summary_of
from telemetry.cli.positions import Positions
from telemetry.cli.remote import KeyOption, StudioOption, installation_id, open_studio
from telemetry.cli.sources import STANDARD_INPUT, SpecFile
from telemetry.cli.terminal import console, printable
from telemetry.core.codec import convert_document, spec_to_yaml
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.inferring import Inference, Inferrer
from telemetry.formats.sources import invalid

__all__ = ["infer"]

# A line of an event is a few KiB; what is longer is cut, and so no event.
_LONGEST_LINE: Final = 1024 * 1024
_MOST_SHOWN: Final = 5


def infer(
    name: Annotated[str, typer.Option(help="Name of the spec.")],
    source: Annotated[
        str | None, typer.Argument(help="Events as JSON, one in each line; - is standard input.", metavar="FILE")
    ] = None,
    output: Annotated[str, typer.Option("--output", "-o", help="Where the draft goes, as YAML.", metavar="FILE")] = (
        STANDARD_INPUT
    ),
    privacy: Annotated[PrivacyLevel, typer.Option(help="Level of the events, for a FILE.")] = PrivacyLevel.INTERNAL,
    installation: Annotated[
        str | None,
        typer.Option(help="In place of a FILE: what came there lately; its id, or TENANT/APP/ENVIRONMENT."),
    ] = None,
    days: Annotated[int, typer.Option(min=1, max=90, help="With --installation: of how many days.")] = 7,
    sample: Annotated[int, typer.Option(min=1, max=1000, help="With --installation: events of each kind.")] = 200,
    event: Annotated[str, typer.Option(help="With --installation: of this event alone.", metavar="NAME")] = "",
    report: Annotated[
        str | None, typer.Option(help="With --installation: where what is uncertain goes, as JSON.", metavar="FILE")
    ] = None,
    studio: StudioOption = None,
    key: KeyOption = None,
) -> None:
    """Make a draft of a spec from events that were sent: types, required properties, listed values, personal data.

    What looks personal is marked, and none of its values is written anywhere.
    """
    if (source is None) == (installation is None):
        raise invalid("missing_key", "give a FILE with events, or --installation, one of the two", what="call")
    if source is not None:
        inferrer = Inferrer()
        inferrer.read(_lines_of(source))
        inference = inferrer.finish(name=name, privacy=privacy)
        _write(output, inference.spec, lambda: _say(source, output, inference))
        return
    remote = open_studio(studio, key)
    asked = {"name": name, "days": str(days), "sample": str(sample), **({"event": event} if event else {})}
    found = remote.inferred_spec(installation_id(remote, installation or ""), asked)
    spec = convert_document(found.pop("spec"), TelemetrySpec, what="draft")
    if report is not None:
        write_file(report, json.dumps(found, indent=2, ensure_ascii=False).encode())
    _write(output, spec, lambda: _say_draft(installation or "", output, spec, found))


def _write(output: str, spec: TelemetrySpec, say: Callable[[], None]) -> None:
    """The draft is written, and told of together with what lint finds in it."""
    text = spec_to_yaml(spec)
    write_file(output, text.encode())
    say()
    findings = list(annotate_findings(SpecFile(output, spec, Positions(text.encode()))))
    say_annotations(findings, summary=summary_of(findings, 1))


def _say_draft(installation: str, output: str, spec: TelemetrySpec, found: Mapping[str, Any]) -> None:
    out = console(is_error=True)
    count = len(spec.events)
    out.print(printable(f"{installation}: {found['eventsRead']} events of {count} kinds -> {output}"))
    for each in found["uncertainties"]:
        out.print(printable(f"  {each['path'] or 'the whole'}: {each['message']}"))
    _say_suspects(found["suspects"])


def _lines_of(source: str) -> Iterator[bytes]:
    """The lines of the file, each cut where no event goes on; raises ``InvalidDocument`` if it cannot be read."""
    try:
        if source == STANDARD_INPUT:
            yield from iter(lambda: sys.stdin.buffer.readline(_LONGEST_LINE), b"")
            return
        with Path(source).open("rb") as file:
            yield from iter(lambda: file.readline(_LONGEST_LINE), b"")
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise InvalidDocument([FieldError("unreadable", "", reason)], what=f"file {source}") from None


def _say(source: str, output: str, inference: Inference) -> None:
    out = console(is_error=True)
    count = len(inference.spec.events)
    out.print(printable(f"{source}: {inference.events_seen} events of {count} kinds -> {output}"))
    if inference.skipped_count:
        out.print(printable(f"{inference.skipped_count} lines were left out:"))
        for line, reason in inference.skipped[:_MOST_SHOWN]:
            out.print(printable(f"  line {line} {reason}"))
    _say_suspects(inference.suspects)


def _say_suspects(places: Sequence[str]) -> None:
    out = console(is_error=True)
    if places:
        out.print("Marked as personal data; have a look:")
    for place in places:
        out.print(printable(f"  {place}"))
