"""Reading plans that are tables."""

import codecs
import csv
import io
import json
import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from telemetry.core.enums import PropertyType
from telemetry.core.errors import InvalidDocument
from telemetry.core.spec import Semantics
from telemetry.formats.building import EventDraft, ImportOptions, PropertyDraft, SpecDraft
from telemetry.formats.csv_table.columns import COLUMNS, FLAGS, NAME, column_of, unguard
from telemetry.formats.cursor import Cursor, Ledger
from telemetry.formats.fitting import fit_text, fits
from telemetry.formats.losses import LossReport
from telemetry.formats.sources import Imported, SourceFile, invalid, read_text

__all__ = ["is_table", "read_table"]

_WORDS: Final[Mapping[str, PropertyType]] = {
    **dict.fromkeys(("string", "str", "text", "varchar", "char", "uuid", "enum", "url", "email"), PropertyType.STRING),
    **dict.fromkeys(("number", "float", "double", "decimal", "numeric"), PropertyType.NUMBER),
    **dict.fromkeys(("integer", "int", "long", "bigint"), PropertyType.NUMBER),
    **dict.fromkeys(("boolean", "bool"), PropertyType.BOOLEAN),
    **dict.fromkeys(("timestamp", "datetime", "date-time"), PropertyType.TIMESTAMP),
    **dict.fromkeys(("json", "object", "array", "list", "map", "any", "record"), PropertyType.JSON),
}
_HEADINGS: Final = [column.heading for column in COLUMNS]
# Columns that are about the event, not about one of its properties.
_OF_EVENTS: Final = _HEADINGS[2 : _HEADINGS.index("property")]
# Columns whose cells are JSON, with the key that they are in the document of an event.
_JSON: Final = {"anomaly_detection": "anomalyDetection", "lint_opt_outs": "lintOptOuts"}
_GUESSED: Final = "the file is not UTF-8; it is read as Windows-1252, so letters beyond ASCII may be others"
_AGAIN: Final = "the first row of the event says something else"


def is_table(file: SourceFile, plain: object) -> bool:
    """Whether the file is a table of events: its name ends in .csv or .tsv, or its first line heads such a table."""
    if file.name.lower().endswith((".csv", ".tsv")):
        return True
    if plain is not None and not isinstance(plain, str):
        return False
    try:
        return "event" in _read_head(_rows_of(file))
    except InvalidDocument:
        return False


def read_table(files: Sequence[SourceFile], options: ImportOptions) -> Imported:
    """One spec with the events of all tables. Places in the report are ``/LINE/COLUMN``.

    Raises ``InvalidDocument`` if a file is no table, or none with a column for events.
    """
    ledger = Ledger(reasons=dict.fromkeys(_OF_EVENTS, _AGAIN))
    roots = [(file, ledger.open(_read_rows(file), file=file.name if len(files) > 1 else "")) for file in files]
    draft = SpecDraft(ledger, roots[0][1], options)
    for file, root in roots:
        if _in_utf8(file)[1]:
            root.remark(_GUESSED)
        _Table(draft).read(root)
    spec = draft.build(name=files[0].stem)
    names = tuple(file.name for file in files)
    return Imported((spec,), LossReport(format=NAME, sources=names, specs=(spec.meta.name,), losses=ledger.losses()))


def _rows_of(file: SourceFile) -> list[list[str]]:
    text = read_text(_in_utf8(file)[0])
    first = text.strip().split("\n", 1)[0]
    delimiter = max(",;\t|", key=first.count)
    try:
        return list(csv.reader(io.StringIO(text.lstrip(), newline=""), delimiter=delimiter, strict=True))
    except csv.Error as error:
        raise invalid("bad_syntax", f"is not valid CSV: {error}", what=f"file {file.name}") from None


def _in_utf8(file: SourceFile) -> tuple[SourceFile, bool]:
    """The file in UTF-8, and whether its encoding was a guess: spreadsheets also write UTF-16, which says so itself,
    and the encoding of the system, which does not.
    """
    if file.data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return file._replace(data=file.data.decode("utf-16", errors="replace").encode()), False
    try:
        file.data.decode()
    except UnicodeDecodeError:
        return file._replace(data=file.data.decode("cp1252", errors="replace").encode()), True
    return file, False


def _read_head(rows: list[list[str]]) -> list[str]:
    """The columns, by our headings where they are known."""
    return [column_of(heading) or heading.strip() for heading in rows[0]] if rows else []


def _read_rows(file: SourceFile) -> dict[str, dict[str, str]]:
    """The cells that are not empty, by the line (from 1) on which their row begins and by column."""
    rows = _rows_of(file)
    head = _read_head(rows)
    if "event" not in head:
        raise invalid("missing_key", "must have a column with the heading event", what=f"file {file.name}")
    repeated = {heading for heading in head if heading and head.count(heading) > 1}
    if repeated:
        raise invalid("duplicate_key", f"must have one column {min(repeated)} only", what=f"file {file.name}")
    found: dict[str, dict[str, str]] = {}
    line = 1 + _lines_in(rows[0])
    for row in rows[1:]:
        cells = {
            head[i] if i < len(head) and head[i] else f"column {i + 1}": unguard(cell) for i, cell in enumerate(row)
        }
        kept = {heading: cell for heading, cell in cells.items() if cell}
        if kept:
            found[str(line)] = kept
        line += _lines_in(row)
    return found


def _lines_in(row: list[str]) -> int:
    return 1 + sum(len(re.findall(r"\r\n|\r|\n", cell)) for cell in row)


class _Table:
    """One table that is being read into a draft."""

    def __init__(self, draft: SpecDraft) -> None:
        self._draft = draft
        # Of each event, by name and version: the draft, and its first row.
        self._events: dict[tuple[str, int], tuple[EventDraft, Cursor]] = {}

    def read(self, root: Cursor) -> None:
        """Add what each row says."""
        for _, row in root.fields():
            event = self._event_of(row)
            name = row.get("property")
            if name is None:
                continue
            place = event.properties if event is not None else self._draft.context
            definition = place.add(str(name.take()), name)
            if definition is not None:
                _read_property(row, definition)

    def _event_of(self, row: Cursor) -> EventDraft | None:
        """The row's event, new or known; a row without one is about the context."""
        name, version = row.get("event"), row.get("version")
        if name is None:
            return None
        text = str(name.take())
        number = _version_of(self._draft, version)
        known = self._events.get((text, number))
        if known is not None:
            _take_repeated(row, known[1])
            return known[0]
        event = self._draft.add_event(text, number, name)
        self._events[text, number] = event, row
        _read_event(row, event)
        return event


def _version_of(draft: SpecDraft, cursor: Cursor | None) -> int:
    if (
        cursor is not None
        and str(cursor.value).strip().isdecimal()
        and 1 <= int(str(cursor.value).strip()[:11]) < 2**31
    ):
        return int(str(cursor.take()).strip())
    return draft.version_of(cursor, target=f"{draft.next_target}.version")


def _read_event(row: Cursor, event: EventDraft) -> None:
    """The columns that are about the event."""
    _read_semantics(row, event)
    event.protect(row.get("privacy"))
    tags, owners = row.get("tags"), row.get("owners")
    for tag in _words_of(tags):
        event.tag(tags or row, tag)
    if owners is not None and _words_of(owners):
        event.put("owners", owners, _words_of(owners))
    _read_rules(row, event)
    for column, key in _JSON.items():
        cursor = row.get(column)
        value = _json_of(cursor)
        if cursor is not None and value is not None:
            event.put(key, cursor, value)


def _words_of(cursor: Cursor | None) -> list[str]:
    return re.findall(r"[^\s,;]+", str(cursor.value)) if cursor is not None else []


def _read_semantics(row: Cursor, event: EventDraft) -> None:
    what = row.get("what")
    if what is not None and fits({"what": what.value}, Semantics):
        event.plain["semantics"] = {"what": what.take()}
        event.is_described = True
    else:
        event.describe(what)
    for key in ("who", "why"):
        text = fit_text(row.get(key), target=f"{event.target}.semantics.{key}")
        if text:
            event.plain["semantics"][key] = text


def _read_rules(row: Cursor, event: EventDraft) -> None:
    """Retention, sampling, review and deprecation."""
    days, policy = row.get("retention_days"), row.get("retention_policy")
    number = _number_of(days)
    if days is not None and number is not None:
        event.put("retention", days, {"days": number})
        if policy is not None:
            event.origins.put(event.plain["retention"], f"{event.target}.retention", "policy", policy, _word(policy))
    rate, conditions = row.get("sampling_rate"), row.get("sampling_conditions")
    share, listed = _number_of(rate), _json_of(conditions)
    if rate is not None and share is not None:
        event.put("sampling", rate, {"rate": share})
        if conditions is not None and listed is not None:
            event.origins.put(event.plain["sampling"], f"{event.target}.sampling", "conditions", conditions, listed)
    review, reason, other = row.get("review_by"), row.get("deprecated"), row.get("replaced_by")
    if review is not None:
        event.put("reviewBy", review)
    if reason is not None:
        event.put("deprecation", reason, {"reason": str(reason.value)})
        if other is not None:
            event.origins.put(event.plain["deprecation"], f"{event.target}.deprecation", "replacedBy", other)


def _take_repeated(row: Cursor, first: Cursor) -> None:
    """A later row of an event may repeat what its first row says; what says something else is reported."""
    for heading, cursor in row.fields():
        said = first.get(heading)
        if heading in _OF_EVENTS and said is not None and said.value == cursor.value:
            cursor.take()


def _read_property(row: Cursor, definition: PropertyDraft) -> None:
    """The columns that are about the property."""
    type_ = _read_type(row.get("type"), definition)
    for key in ("required", "pii", "redact"):
        cursor = row.get(key)
        if cursor is not None and _word(cursor) in FLAGS:
            definition.put(key, cursor, FLAGS[_word(cursor)])
    redaction = row.get("redaction")
    if redaction is not None:
        value = _json_of(redaction)
        definition.put("redaction", redaction, value if value is not None else {"strategy": _word(redaction)})
    definition.describe(row.get("description"))
    unit = row.get("unit")
    if unit is not None:
        definition.put("unit", unit)
    _read_values(row.get("allowed_values"), type_, definition)


def _read_type(cursor: Cursor | None, definition: PropertyDraft) -> PropertyType:
    if cursor is None:
        return PropertyType.JSON
    word = _word(cursor)
    type_ = _WORDS.get(word)
    if type_ is None:
        cursor.approximate("the type is not known; any value is taken", target=f"{definition.target}.type")
        return PropertyType.JSON
    if word == type_.value:
        cursor.take()
    else:
        cursor.approximate(f"it became {type_}", target=f"{definition.target}.type")
    definition.plain["type"] = type_.value
    return type_


def _read_values(cursor: Cursor | None, type_: PropertyType, definition: PropertyDraft) -> None:
    if cursor is None:
        return
    listed = _json_of(cursor)
    if isinstance(listed, list):
        values = listed
    else:
        texts = [text.strip() for text in str(cursor.value).split("|")]
        values = [_plain_number(text) for text in texts] if type_ is PropertyType.NUMBER else texts
    definition.put("allowedValues", cursor, values)


def _word(cursor: Cursor) -> str:
    return str(cursor.value).strip().lower()


def _number_of(cursor: Cursor | None) -> Any:
    return None if cursor is None else _plain_number(str(cursor.value).strip())


def _plain_number(text: str) -> Any:
    """The number that the text writes as JSON does; ``None`` for any other text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _json_of(cursor: Cursor | None) -> Any:
    """The list or object that the cell writes as JSON; ``None`` for anything else."""
    if cursor is None or str(cursor.value).lstrip()[:1] not in ("[", "{"):
        return None
    try:
        return json.loads(str(cursor.value))
    except (ValueError, RecursionError):
        return None
