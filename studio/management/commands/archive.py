"""``manage.py archive``: look into the archive, ask it, bring events back, and check what is in it."""

import csv
import json
from argparse import ArgumentParser
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any, Final
from uuid import UUID

from django.core.management.base import BaseCommand, CommandError, CommandParser

from telemetry.core.errors import TelemetryError
from telemetry.models import ArchiveFile
from telemetry.selectors.archives import ArchiveFilter
from telemetry.services.archiving.asking import ask_archive, chosen_files
from telemetry.services.archiving.files import file_problems
from telemetry.services.archiving.restoring import LONGEST_DAYS, restore_file
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tenants.models import Tenant

__all__ = ["Command"]

# How wide a column of a table may be; CSV and JSON have all of it.
WIDEST: Final = 60
FILE_COLUMNS: Final = ("file", "installation", "class", "day", "events", "rows", "bytes", "state", "expires")

Row = Sequence[Any]


class Command(BaseCommand):
    """Thin: parses, calls one service, writes rows. The work of one tenant at a time."""

    help = "Lists, queries, verifies and restores archived events of one tenant."

    def add_arguments(self, parser: CommandParser) -> None:
        """One parser for each deed."""
        deeds = parser.add_subparsers(dest="deed", required=True, title="deeds")
        listing = deeds.add_parser("list", help="the files that hold events")
        query = deeds.add_parser("query", help="the answer of one SELECT over the view events")
        verify = deeds.add_parser("verify", help="reads every file and tells whether it is what was written")
        restore = deeds.add_parser("restore", help="puts the events of the files back into the store")
        for each in (listing, query, verify, restore):
            _add_choice(each)
        for each in (listing, query, verify):
            each.add_argument("--format", choices=("table", "csv", "json"), default="table")
        query.add_argument("sql", help="for example: SELECT name, count(*) FROM events GROUP BY name")
        restore.add_argument(
            "--days", type=int, default=7, help=f"how long they stay, 1 to {LONGEST_DAYS}; 7 by default"
        )

    def handle(self, *args: Any, deed: str, tenant: str, **options: Any) -> None:
        """What the deed gives, on standard output; what cannot be done is an error."""
        chosen = _tenant(tenant)
        wanted = ArchiveFilter(
            installation=options["installation"],
            event=options["event"],
            since=options["since"],
            until=options["until"],
            file=options["file"],
        )
        files = chosen_files(chosen, wanted)
        try:
            match deed:
                case "list":
                    self._write(FILE_COLUMNS, map(_listed, files), options["format"])
                case "query":
                    with ask_archive(actor=SYSTEM, tenant=chosen, wanted=wanted, question=options["sql"]) as answer:
                        self._write(answer.columns, answer.rows, options["format"])
                case "verify":
                    self._verify(files, options["format"])
                case "restore":
                    self._restore(files, options["days"])
        except TelemetryError as error:
            raise CommandError(error.message[:1].upper() + error.message[1:]) from None

    def _verify(self, files: Sequence[ArchiveFile], form: str) -> None:
        found = [(file, file_problems(file, file.installation)) for file in files]
        rows = [(file.public_id, file.rows, "; ".join(problems) or "whole") for file, problems in found]
        self._write(("file", "rows", "result"), rows, form)
        broken = sum(bool(problems) for _, problems in found)
        if broken:
            raise CommandError(f"{broken} of {len(found)} files are not what was written.")

    def _restore(self, files: Sequence[ArchiveFile], days: int) -> None:
        if not files:
            raise CommandError("There is no such file.")
        for file in files:
            rows = restore_file(actor=SYSTEM, file=file, days=days)
            self.stdout.write(f"{file.public_id}: {rows} events are back for {days} days.")

    def _write(self, columns: Sequence[str], rows: Iterable[Row], form: str) -> None:
        match form:
            case "csv":
                writer = csv.writer(self.stdout, lineterminator="\n")
                writer.writerow(columns)
                writer.writerows(rows)
            case "json":
                for row in rows:
                    line = json.dumps(dict(zip(columns, row, strict=True)), default=str, ensure_ascii=False)
                    self.stdout.write(line)
            case _:
                for line in _table(columns, rows):
                    self.stdout.write(line)


def _add_choice(parser: ArgumentParser) -> None:
    parser.add_argument("--tenant", required=True, help="its slug")
    parser.add_argument("--installation", type=UUID, help="its public id; without it, all of the tenant's")
    parser.add_argument("--event", default="", help="files that hold this event")
    parser.add_argument("--since", type=date.fromisoformat, help="files with events received on this day or later")
    parser.add_argument("--until", type=date.fromisoformat, help="files with events received on this day or earlier")
    parser.add_argument("--file", type=UUID, help="this file alone")


def _tenant(slug: str) -> Tenant:
    with tenant_context(ALL):
        found = Tenant.objects.filter(slug=slug).first()
    if found is None:
        raise CommandError("There is no such tenant.")
    return found


def _listed(file: ArchiveFile) -> Row:
    events = len({(event["name"], event["version"]) for event in file.manifest["events"]})
    ends = "" if file.expires_at is None else file.expires_at.date()
    days = file.retention_class or "hold"
    where = file.installation.public_id
    return (file.public_id, where, days, file.starts_on, events, file.rows, file.size_bytes, file.state, ends)


def _table(columns: Sequence[str], rows: Iterable[Row]) -> Iterator[str]:
    """Columns as wide as what is in them; a long value is cut."""
    cells = [[_short(value) for value in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(columns, *cells, strict=True)]
    for line in (columns, ["-" * width for width in widths], *cells):
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
    yield f"({len(cells)} {'row' if len(cells) == 1 else 'rows'})"


def _short(value: Any) -> str:
    text = "" if value is None else str(value).replace("\n", " ")
    return text if len(text) <= WIDEST else text[: WIDEST - 1] + "…"
