"""``manage.py archive``, as an operator uses it."""

import csv
import json
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

import pytest
from django.core.management import CommandError, call_command

from telemetry.models import ArchiveFile
from tenants.models import Installation
from tests.telemetry.archives import NOW, STEP, archive_all, archive_in, store_events, stored_ids
from tests.telemetry.factories import make_installation

pytestmark = pytest.mark.django_db


def archive(*arguments: str) -> str:
    output = StringIO()
    call_command("archive", *arguments, stdout=output)
    return output.getvalue()


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    with archive_in(tmp_path / "archive"):
        yield tmp_path / "archive"


@pytest.fixture
def installation(db: None) -> Installation:
    return make_installation()


@pytest.fixture
def file(installation: Installation, directory: Path) -> ArchiveFile:
    store_events(installation, 3)
    store_events(installation, 1, name="other", version=2, properties=b'{"amount": 12}')
    (file,) = archive_all(installation)
    return file


def test_files_are_listed_as_a_table(file: ArchiveFile) -> None:
    lines = archive("list", "--tenant", "acme").splitlines()

    assert lines[0].split() == ["file", "installation", "class", "day", "events", "rows", "bytes", "state", "expires"]
    assert lines[2].split()[:6] == [
        *(str(file.public_id), str(file.installation.public_id), "30", str(NOW.date()), "2", "4")
    ]
    assert lines[3] == "(1 row)"


@pytest.mark.parametrize(
    ("narrowed", "found"),
    [
        (("--event", "other"), 1),
        (("--event", "unknown"), 0),
        (("--since", "2100-01-01"), 0),
        (("--until", "2000-01-01"), 0),
        (("--file", "0" * 32), 0),
    ],
)
def test_files_are_narrowed(file: ArchiveFile, narrowed: tuple[str, ...], found: int) -> None:
    assert archive("list", "--tenant", "acme", "--format", "json", *narrowed).count("\n") == found


def test_a_question_is_answered_in_each_form(file: ArchiveFile) -> None:
    sql = "SELECT name, count(*) AS events, max(properties->>'$.amount') AS amount FROM events GROUP BY 1 ORDER BY 1"

    table = archive("query", "--tenant", "acme", sql)
    rows = list(csv.reader(StringIO(archive("query", "--tenant", "acme", "--format", "csv", sql))))
    lines = [json.loads(line) for line in archive("query", "--tenant", "acme", "--format", "json", sql).splitlines()]

    assert table.splitlines()[2].split() == ["other", "1", "12"]
    assert rows == [["name", "events", "amount"], ["other", "1", "12"], [STEP, "3", ""]]
    assert lines == [{"name": "other", "events": 1, "amount": "12"}, {"name": STEP, "events": 3, "amount": None}]


def test_a_tenant_without_files_has_no_events(file: ArchiveFile) -> None:
    make_installation("globex")

    assert archive("query", "--tenant", "globex", "--format", "csv", "SELECT count(*) AS n FROM events") == "n\n0\n"


@pytest.mark.parametrize(
    "sql",
    [
        "DROP VIEW events",
        "SELECT 1; SELECT 2",
        "COPY events TO '/tmp/out.csv'",
        "SELECT * FROM read_text('/etc/hostname')",
        "SELECT * FROM glob('/*')",
        "SELECT * FROM read_parquet('/tmp/*.parquet')",
        "ATTACH '/tmp/other.db'",
        "SET enable_external_access = true",
        "INSTALL httpfs",
        "SELECT nothing FROM events",
        "",
    ],
)
def test_a_question_reads_the_files_and_nothing_else(file: ArchiveFile, sql: str) -> None:
    with pytest.raises(CommandError, match="sql: "):
        archive("query", "--tenant", "acme", sql)


def test_a_question_sees_no_file_of_another_tenant(file: ArchiveFile, directory: Path) -> None:
    neighbour = make_installation("globex")
    store_events(neighbour, 1)
    archive_all(neighbour)
    (theirs,) = directory.rglob(f"*/{neighbour.public_id.hex}/*/*/*.parquet")

    counted = archive("query", "--tenant", "acme", "--format", "csv", "SELECT count(*) AS n FROM events")

    assert counted == "n\n4\n"
    with pytest.raises(CommandError, match="Permission"):
        archive("query", "--tenant", "acme", f"SELECT * FROM read_parquet('{theirs}')")  # noqa: S608 - the attack


def test_verification_tells_what_is_whole_and_what_is_not(file: ArchiveFile, directory: Path) -> None:
    assert "whole" in archive("verify", "--tenant", "acme")

    (path,) = directory.rglob("*.parquet")
    path.write_bytes(path.read_bytes()[:-10])

    with pytest.raises(CommandError, match="1 of 1 files are not what was written"):
        archive("verify", "--tenant", "acme")


def test_a_file_is_restored(file: ArchiveFile, installation: Installation) -> None:
    said = archive("restore", "--tenant", "acme", "--file", str(file.public_id), "--days", "3")

    assert said == f"{file.public_id}: 4 events are back for 3 days.\n"
    assert len(stored_ids(installation)) == 4
    with pytest.raises(CommandError, match="There is no such file"):
        archive("restore", "--tenant", "acme", "--file", str(file.public_id))


def test_an_unknown_tenant_and_bad_days_are_errors(file: ArchiveFile) -> None:
    with pytest.raises(CommandError, match="There is no such tenant"):
        archive("list", "--tenant", "nobody")
    with pytest.raises(CommandError, match="days: must be a whole number from 1 to 365"):
        archive("restore", "--tenant", "acme", "--days", "0")
