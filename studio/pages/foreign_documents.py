"""Documents of other formats on their way into a draft: what they say as a spec, and what did not fit."""

from pathlib import PurePosixPath
from typing import Any, Final, NamedTuple

from telemetry.core.codec import parse_document, spec_to_yaml
from telemetry.core.errors import FieldError, InvalidDocument
from telemetry.core.spec import TelemetrySpec
from telemetry.formats.building import ImportOptions
from telemetry.formats.catalogue import FORMATS, Format, guess_format, import_files
from telemetry.formats.losses import Loss, LossReport
from telemetry.formats.sources import SourceFile

__all__ = ["CHOICES", "GUESS", "Converted", "convert", "shown_losses"]

# What stands for a guess, and for a spec as the downloads have it.
GUESS: Final = ""
OWN: Final = "spec"
CHOICES: Final = (
    (GUESS, "Find out by itself"),
    (OWN, "A spec, YAML or JSON"),
    *((each.name, each.title) for each in FORMATS.values()),
)
# More than a person reads at once; the command line writes all of them into a file.
SHOWN_LOSSES: Final = 200


class Converted(NamedTuple):
    """A foreign document as a spec in our own form, and what it lost."""

    spec: TelemetrySpec
    text: str
    report: LossReport
    title: str


def convert(document: bytes | str, *, file_name: str, format_: str, options: ImportOptions) -> Converted | None:
    """The document as a spec; ``None`` for one that is a spec already, or of no format that is known.

    Raises ``InvalidDocument`` if it cannot be read as what it is, or holds several plans.
    """
    data = document.encode() if isinstance(document, str) else document
    file = SourceFile(PurePosixPath(file_name or "document").name, data)
    chosen = _chosen(file, format_)
    if chosen is None:
        return None
    _, imported = import_files([file], options, format_=chosen.name)
    if len(imported.specs) != 1:
        names = ", ".join(spec.meta.name for spec in imported.specs[:5])
        message = f"holds {len(imported.specs)} plans ({names}); the command line makes a spec of each: studio import"
        raise InvalidDocument([FieldError("too_many", "", message)], what="document")
    spec = imported.specs[0]
    return Converted(spec, spec_to_yaml(spec), imported.report, chosen.title)


def _chosen(file: SourceFile, format_: str) -> Format | None:
    if format_ in FORMATS:
        return FORMATS[format_]
    if format_ == OWN or _is_own(file.data):
        return None
    try:
        return guess_format([file])
    except InvalidDocument:
        return None


def _is_own(data: bytes) -> bool:
    try:
        plain = parse_document(data, what="document")
    except InvalidDocument:
        return False
    return isinstance(plain, dict) and "meta" in plain


def shown_losses(report: LossReport) -> dict[str, Any]:
    """What the template shows of the report: sums, and each place, the first 200 of them."""
    return {
        "counts": [(action.value, count) for action, count in report.counts.items()],
        "losses": [(_place(loss), loss) for loss in report.losses[:SHOWN_LOSSES]],
        "more_losses": max(0, len(report.losses) - SHOWN_LOSSES),
    }


def _place(loss: Loss) -> str:
    """Where it stands in the source, or else where the result needs it."""
    line = f" (line {loss.line})" if loss.line else ""
    return f"{loss.path or loss.target or 'the whole'}{line}"
