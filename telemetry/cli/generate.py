"""``studio generate`` and ``studio status``: code from specs, and whether it still fits them."""

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from telemetry.cli.files import write_file
from telemetry.cli.remote import KeyOption, StudioOption, open_studio
from telemetry.cli.sources import STANDARD_INPUT, decode_file, read_bytes, read_spec
from telemetry.cli.terminal import FOUND_SOMETHING, console, printable
from telemetry.core.codec import checksum, decode_spec
from telemetry.core.errors import UnknownSpec
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.clients import LANGUAGES, is_untouched, read_mark
from telemetry.formats.clients import generate as generate_code
from telemetry.formats.sources import invalid

__all__ = ["generate", "status"]


def generate(
    language: Annotated[str, typer.Argument(help=f"One of {', '.join(LANGUAGES)}.", metavar="LANGUAGE")],
    source: Annotated[str, typer.Argument(help="A spec; - is standard input.", metavar="SPEC")],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Where the code goes, a file or a folder.", metavar="FILE")
    ] = STANDARD_INPUT,
) -> None:
    """Write typed code: a function per event, a type per property, the spec's checksum on top.

    The same spec gives the same code; `status` says when the spec has changed.
    """
    if language not in LANGUAGES:
        raise typer.BadParameter(f"must be one of {', '.join(LANGUAGES)}", param_hint="LANGUAGE")
    spec = read_spec(source).spec
    is_folder = output.endswith("/") or Path(output).is_dir()
    target = str(Path(output) / LANGUAGES[language].file_name(spec.meta.name)) if is_folder else output
    write_file(target, generate_code(spec, language).encode())
    if target != STANDARD_INPUT:
        console(is_error=True).print(printable(f"{source} -> {target}"))


class _Made(NamedTuple):
    """A file that was made from a spec, or is one: the spec's name, and its checksum in hex."""

    file: str
    name: str
    checksum: str
    is_touched: bool


def status(
    files: Annotated[list[str], typer.Argument(help="Generated code, or specs.", metavar="FILE...")],
    spec: Annotated[list[str] | None, typer.Option(help="Specs to compare with, as files.", metavar="SPEC")] = None,
    studio: StudioOption = None,
    key: KeyOption = None,
) -> None:
    """Say whether code, or spec files, are of the specs in other files, or published in a studio.

    Exit code 1 when one of them is not.
    """
    made = [_read(file) for file in files]
    wanted = _wanted(made, spec, studio, key)
    out = console()
    differs = False
    for each in made:
        expected, where = wanted[each.name]
        is_same = each.checksum == expected
        differs = differs or not is_same
        said = "is up to date with" if is_same else "differs from"
        touched = "; it was changed by hand" if each.is_touched else ""
        out.print(printable(f"{each.file}: {each.name} {said} {where}{touched}"))
    if differs:
        raise typer.Exit(FOUND_SOMETHING)


def _read(file: str) -> _Made:
    data = read_bytes(file)
    text = data.decode(errors="replace")
    mark = read_mark(text)
    if mark is not None:
        return _Made(file, mark.name, mark.spec_checksum, not is_untouched(text))
    spec = decode_file(file, data).spec
    return _Made(file, spec.meta.name, checksum(spec), False)


def _wanted(
    made: Iterable[_Made], specs: list[str] | None, url: str | None, key: str | None
) -> dict[str, tuple[str, str]]:
    """By name of the spec: the checksum that is expected, and where it comes from."""
    if specs:
        found = {spec.meta.name: (checksum(spec), file) for file in specs for spec in [read_spec(file).spec]}
        for each in made:
            if each.name not in found:
                raise invalid("unknown_spec", f"is made from {each.name}, which --spec does not have", what=each.file)
        return found
    remote = open_studio(url, key)
    wanted: dict[str, tuple[str, str]] = {}
    for name in dict.fromkeys(each.name for each in made):
        version = remote.published_version(name)
        if version is None:
            raise UnknownSpec(f"{remote.url} has no published version of {name}")
        published: TelemetrySpec = decode_spec(remote.version(name, version))
        wanted[name] = checksum(published), f"version {version} in {remote.url}"
    return wanted
