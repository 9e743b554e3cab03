"""Files that commands read: specs with the places of their parts."""

import sys
from pathlib import Path
from typing import Final

import msgspec

from telemetry.cli.positions import Positions
from telemetry.core.codec import decode_spec
from telemetry.core.documents import MAXIMUM_BYTES
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions
from telemetry.formats.catalogue import import_files
from telemetry.formats.losses import Action
from telemetry.formats.sources import SourceFile

__all__ = ["STANDARD_INPUT", "SpecFile", "decode_file", "read_bytes", "read_spec"]

STANDARD_INPUT: Final = "-"
# Specs that are code, as the wizard and exports write them.
_CODE: Final = (".ts", ".py")


class SpecFile(msgspec.Struct, frozen=True):
    """A spec, the name of the file that holds it, and where its parts are."""

    name: str
    spec: TelemetrySpec
    positions: Positions


def read_bytes(name: str, *, maximum_bytes: int = MAXIMUM_BYTES) -> bytes:
    """What the file holds, at most one byte more than the maximum; ``-`` is standard input.

    Raises ``InvalidDocument`` with the code ``unreadable`` when the system does not let it be read.
    """
    try:
        if name == STANDARD_INPUT:
            return sys.stdin.buffer.read(maximum_bytes + 1)
        with Path(name).open("rb") as file:
            return file.read(maximum_bytes + 1)
    except OSError as error:
        raise InvalidDocument([FieldError("unreadable", "", _reason(error))], what=f"file {name}") from None


def read_spec(name: str) -> SpecFile:
    """The valid spec in a file; ``InvalidDocument``, whose message names the file, when there is none."""
    return decode_file(name, read_bytes(name))


def decode_file(name: str, data: bytes) -> SpecFile:
    """The valid spec that the file's bytes describe; errors as for ``read_spec``."""
    if name.endswith(_CODE):
        return _evaluate(name, data)
    try:
        spec = decode_spec(data)
    except InvalidDocument as error:
        raise InvalidDocument(error.errors, what=f"telemetry spec in {name}") from None
    return SpecFile(name, spec, Positions(data))


def _evaluate(name: str, data: bytes) -> SpecFile:
    """The one spec in a file of code, which must say nothing that a spec cannot say."""
    _, imported = import_files([SourceFile(name, data)], ImportOptions())
    losses = [loss for loss in imported.report.losses if loss.action is Action.DROPPED]
    errors = [FieldError("does_not_fit", loss.path, f"{loss.reason} (line {loss.line}, column 1)") for loss in losses]
    if len(imported.specs) != 1:
        errors = [FieldError("too_many", "", "must have one spec; import the file to get each of them")]
    if errors:
        raise InvalidDocument(errors, what=f"telemetry spec in {name}")
    return SpecFile(name, imported.specs[0], Positions(b""))


def _reason(error: OSError) -> str:
    return (error.strerror or type(error).__name__).lower()
