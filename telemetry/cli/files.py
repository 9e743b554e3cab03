"""Files of other formats on disk, and what is written there."""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from telemetry.cli.sources import STANDARD_INPUT, read_bytes
from telemetry.cli.terminal import write
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.formats.sources import MAXIMUM_SOURCE_BYTES, SourceFile, invalid

__all__ = ["read_source", "spec_file_name", "write_file", "write_files"]

# A registry of schemas has some thousand files; a whole disk has more.
_MOST_FILES: Final = 20_000
_IGNORED: Final = ("node_modules", "__pycache__")


def spec_file_name(name: str) -> str:
    """What the file of a spec is called: ``sigil.telemetry.yaml`` for sigil or sigil.telemetry."""
    return f"{name.removesuffix('.telemetry')}.telemetry.yaml"


def read_source(name: str) -> list[SourceFile]:
    """The file, or all files of the folder and the folders in it, in the order of their names.

    Hidden files and folders, and installed packages, are left out. Raises ``InvalidDocument`` for what cannot be read.
    """
    folder = Path(name)
    if name == STANDARD_INPUT or not folder.is_dir():
        return [SourceFile(Path(name).name, read_bytes(name, maximum_bytes=MAXIMUM_SOURCE_BYTES))]
    paths = [path for path in sorted(folder.rglob("*")) if path.is_file() and _is_wanted(path.relative_to(folder))]
    if not paths:
        raise invalid("empty", "has no files", what=f"folder {name}")
    if len(paths) > _MOST_FILES:
        raise invalid("too_many", f"must have at most {_MOST_FILES} files", what=f"folder {name}")
    return [
        SourceFile(path.relative_to(folder).as_posix(), read_bytes(str(path), maximum_bytes=MAXIMUM_SOURCE_BYTES))
        for path in paths
    ]


def _is_wanted(path: Path) -> bool:
    return not any(part.startswith(".") or part in _IGNORED for part in path.parts)


def write_file(name: str, data: bytes) -> None:
    """The file holds the data; ``-`` is standard output. Raises ``InvalidDocument`` when the system refuses."""
    if name == STANDARD_INPUT:
        write(data.decode())
        return
    try:
        path = Path(name)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    except OSError as error:
        reason = (error.strerror or type(error).__name__).lower()
        raise InvalidDocument([FieldError("unwritable", "", reason)], what=f"file {name}") from None


def write_files(name: str, files: Sequence[SourceFile]) -> list[str]:
    """The names of what was written: one file as ``name``, several, or one into a folder, below it.

    Raises ``InvalidDocument`` if several are to become one file.
    """
    is_folder = name.endswith("/") or Path(name).is_dir()
    if len(files) == 1 and not is_folder:
        write_file(name, files[0].data)
        return [name]
    if name == STANDARD_INPUT or Path(name).is_file():
        raise invalid("not_a_folder", f"must be a folder: there are {len(files)} files", what=f"output {name}")
    written = [(Path(name) / file.name).as_posix() for file in files]
    for target, file in zip(written, files, strict=True):
        write_file(target, file.data)
    return written
