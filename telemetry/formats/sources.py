"""Files of other formats: their bytes, and the plain data that they hold as JSON or YAML."""

from collections.abc import Sequence
from pathlib import PurePosixPath
from typing import Final, NamedTuple

from telemetry.core.documents import decode_text, read_json
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.spec import TelemetrySpec
from telemetry.core.yaml_documents import read_yaml
from telemetry.formats.losses import LossReport

__all__ = ["MAXIMUM_SOURCE_BYTES", "Exported", "Imported", "SourceFile", "invalid", "read_plain", "read_text"]

# Plans of others are wordier than specs: the largest that we have seen has 1 MiB.
MAXIMUM_SOURCE_BYTES: Final = 16 * 1024 * 1024
# A level of an event is two or three levels of its schema. Python itself ends at some hundred.
_MAXIMUM_DEPTH: Final = 100


class SourceFile(NamedTuple):
    """A file to be read. Its name is relative to what was asked for, with ``/`` between folders."""

    name: str
    data: bytes

    @property
    def stem(self) -> str:
        """The name without folders and suffixes: ``plan`` for ``a/plan.v2.json``."""
        return PurePosixPath(self.name).name.split(".")[0]


class Imported(NamedTuple):
    """Valid specs, and what the source lost on the way; ``report.specs`` names them in this order."""

    specs: tuple[TelemetrySpec, ...]
    report: LossReport


class Exported(NamedTuple):
    """Files by name, and what the spec lost on the way; a single file's name is a suggestion."""

    files: Sequence[SourceFile]
    report: LossReport


def invalid(code: str, message: str, *, path: str = "", what: str = "document") -> InvalidDocument:
    """The error for a source with one broken rule."""
    return InvalidDocument([FieldError(code, path, message)], what=what)


def read_text(file: SourceFile) -> str:
    """The text of the file; ``InvalidDocument``, whose message names the file, if it is none."""
    try:
        return decode_text(file.data, maximum_bytes=MAXIMUM_SOURCE_BYTES)
    except InvalidDocument as error:
        raise InvalidDocument(error.errors, what=f"file {file.name}") from None


def read_plain(file: SourceFile) -> object:
    """The plain data of a JSON or YAML file: JSON if it begins with a bracket.

    Raises ``InvalidDocument``, whose message names the file.
    """
    text = read_text(file)
    try:
        if text.lstrip()[:1] in ("{", "["):
            value = read_json(text)
            _refuse_depth(value)
            return value
        return read_yaml(text, maximum_depth=_MAXIMUM_DEPTH, has_aliases=True)
    except InvalidDocument as error:
        raise InvalidDocument(error.errors, what=f"file {file.name}") from None


def _refuse_depth(value: object) -> None:
    level = [value]
    for _ in range(_MAXIMUM_DEPTH + 1):
        level = [item for each in level for item in _items(each)]
    if level:
        raise invalid("too_deep", f"must be at most {_MAXIMUM_DEPTH} levels deep")


def _items(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(value.values())
    return value if isinstance(value, list) else []
