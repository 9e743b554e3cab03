"""``studio infer``: a draft spec from a sample of events."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from telemetry.cli.annotations import say_annotations
from telemetry.cli.files import write_file
from telemetry.cli.lint import annotate_findings, summary_of
from telemetry.cli.positions import Positions
from telemetry.cli.sources import STANDARD_INPUT, SpecFile
from telemetry.cli.terminal import console, printable
from telemetry.core.codec import spec_to_yaml
from telemetry.core.enums import PrivacyLevel
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.formats.inferring import Inference, Inferrer

__all__ = ["infer"]

# A line of an event is a few KiB; what is longer is cut, and so no event.
_LONGEST_LINE: Final = 1024 * 1024
_MOST_SHOWN: Final = 5


def infer(
    source: Annotated[
        str, typer.Argument(help="Events as JSON, one in each line; - is standard input.", metavar="FILE")
    ],
    name: Annotated[str, typer.Option(help="Name of the spec.")],
    output: Annotated[str, typer.Option("--output", "-o", help="Where the draft goes, as YAML.", metavar="FILE")] = (
        STANDARD_INPUT
    ),
    privacy: Annotated[PrivacyLevel, typer.Option(help="Level of the events.")] = PrivacyLevel.INTERNAL,
) -> None:
    """Make a draft of a spec from events that were sent: types, required properties, listed values, personal data.

    What looks personal is marked, and none of its values is written anywhere.
    """
    inferrer = Inferrer()
    inferrer.read(_lines_of(source))
    inference = inferrer.finish(name=name, privacy=privacy)
    text = spec_to_yaml(inference.spec)
    write_file(output, text.encode())
    _say(source, output, inference)
    found = list(annotate_findings(SpecFile(output, inference.spec, Positions(text.encode()))))
    say_annotations(found, summary=summary_of(found, 1))


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
    if inference.suspects:
        out.print("Marked as personal data; have a look:")
        for place in inference.suspects:
            out.print(printable(f"  {place}"))
