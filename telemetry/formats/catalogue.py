"""All formats that can be imported and exported, by name, and the guess which one a file has."""

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Final, NamedTuple

from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import TelemetrySpec
from telemetry.formats import contractspec, csv_table, glean, iglu, otel, python_module, rudderstack, segment
from telemetry.formats.building import ImportOptions
from telemetry.formats.json_schema import documents as json_schema
from telemetry.formats.losses import Action, Loss, LossReport
from telemetry.formats.sources import Exported, Imported, SourceFile, invalid, read_plain

__all__ = ["FORMATS", "Format", "guess_format", "import_files"]


class Format(NamedTuple):
    """A format: how it is read, written and known.

    ``recognise`` gets a file and what it holds as JSON or YAML (``None`` if it holds neither) and never raises.
    ``read`` raises ``InvalidDocument``, and nothing else, for what it cannot read; ``write`` never raises.
    """

    name: str
    title: str
    recognise: Callable[[SourceFile, object], bool]
    read: Callable[[Sequence[SourceFile], ImportOptions], Imported]
    write: Callable[[TelemetrySpec], Exported]


_ALL: Final = (
    Format(
        python_module.NAME,
        "Python modules with the types of the core",
        python_module.is_python_module,
        python_module.read_python_modules,
        python_module.write_python_module,
    ),
    Format(
        contractspec.NAME,
        "TypeScript files of ContractSpec",
        contractspec.is_contract_spec,
        contractspec.read_contract_specs,
        contractspec.write_contract_spec,
    ),
    Format(
        rudderstack.NAME,
        "RudderStack tracking plans, JSON or YAML",
        rudderstack.is_rudderstack_plan,
        rudderstack.read_rudderstack_plans,
        rudderstack.write_rudderstack_plan,
    ),
    Format(
        segment.NAME,
        "Segment tracking plans, of both APIs",
        segment.is_segment_plan,
        segment.read_segment_plans,
        segment.write_segment_plan,
    ),
    Format(iglu.NAME, "Snowplow Iglu self-describing schemas", iglu.is_iglu, iglu.read_iglu, iglu.write_iglu),
    Format(glean.NAME, "Mozilla Glean metrics and pings, YAML", glean.is_glean, glean.read_glean, glean.write_glean),
    Format(
        otel.NAME,
        "OpenTelemetry semantic conventions, YAML",
        otel.is_conventions,
        otel.read_conventions,
        otel.write_conventions,
    ),
    Format(
        json_schema.NAME,
        "JSON Schemas of events",
        json_schema.is_json_schema,
        json_schema.read_json_schemas,
        json_schema.write_json_schema,
    ),
    Format(
        csv_table.NAME,
        "Tables of events and properties",
        csv_table.is_table,
        csv_table.read_table,
        csv_table.write_table,
    ),
)
# In the order in which they are guessed: formats that build on others come before them.
FORMATS: Final[Mapping[str, Format]] = MappingProxyType({each.name: each for each in _ALL})
_STRANGE: Final = "the file is of another format"


def import_files(
    files: Sequence[SourceFile], options: ImportOptions, *, format_: str | None = None
) -> tuple[Format, Imported]:
    """The format and what is imported from the files, which belong together; without ``format_``, it is guessed.

    Of several files, those that are of another format are left out and reported. Raises ``InvalidDocument`` if no file
    can be read, or one that is of the format breaks its rules.
    """
    chosen = FORMATS[format_] if format_ is not None else guess_format(files)
    fitting = [file for file in files if chosen.recognise(file, _plain_of(file))] if len(files) > 1 else list(files)
    if not fitting:
        raise invalid("unknown_format", f"no file is of the format {chosen.name}", what="folder")
    imported = chosen.read(fitting, options)
    strange = tuple(
        Loss(action=Action.DROPPED, path="", reason=_STRANGE, file=file.name) for file in files if file not in fitting
    )
    report = imported.report
    names = tuple(file.name for file in files)
    losses = (*report.losses, *strange)
    return chosen, imported._replace(report=_with(report, names, losses))


def _with(report: LossReport, names: tuple[str, ...], losses: tuple[Loss, ...]) -> LossReport:
    return LossReport(format=report.format, sources=names, specs=report.specs, losses=losses)


def guess_format(files: Sequence[SourceFile]) -> Format:
    """The format of the files: the first that knows one of them. ``InvalidDocument`` if none does."""
    read = [(file, _plain_of(file)) for file in files]
    for format_ in FORMATS.values():
        if any(format_.recognise(file, plain) for file, plain in read):
            return format_
    known = ", ".join(FORMATS)
    raise invalid("unknown_format", f"is of no format that is known: {known}; name it with --from", what="source")


def _plain_of(file: SourceFile) -> object:
    try:
        return read_plain(file)
    except InvalidDocument:
        return None
