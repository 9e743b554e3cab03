"""Workers that are killed at any point of a purge that archives: no event lost, none twice, counts and files exact."""

import os
import subprocess
import sys
from collections import Counter
from datetime import timedelta
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

import duckdb
import pytest
from django.db import connection
from django.utils import timezone

from telemetry.core.enums import RetentionPolicy
from telemetry.core.spec import Retention
from telemetry.models import ArchiveFile, PurgeItem, PurgeRun, Receipt, StoredEvent
from telemetry.services.archiving.expiring import remove_leftovers
from telemetry.services.archiving.files import file_problems
from telemetry.services.purging.service import purge
from tenants.context import ALL, tenant_context
from tenants.models import Installation
from tests.core.builders import make_event, make_spec
from tests.telemetry.archives import archive_in, archived_counts
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.purging.factories import store

KILLS = 40
# Rows of a file in the worker: each child writes and settles some files before it is killed.
ROWS = 20
# Each child goes on from where the one before was killed; the last one may end.
WORKER = """
import os, random, signal, sys, time
import django
django.setup()
from telemetry.services.archiving import writing
from telemetry.services.archiving.expiring import remove_leftovers
from telemetry.services.purging.service import purge
writing.MOST_ROWS = int(sys.argv[1])
kills = int(sys.argv[2])
chance, killed = random.Random(20261126), 0
for round_number in range(kills + 1):
    child = os.fork()
    if child == 0:
        while purge():
            pass
        remove_leftovers()
        os._exit(0)
    if round_number < kills:
        time.sleep(chance.uniform(0.02, 0.6))
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    killed += os.WIFSIGNALED(status)
print(killed, os.WEXITSTATUS(status))
"""


def ids_of(installation: Installation, name: str) -> set[UUID]:
    with tenant_context(ALL):
        found = StoredEvent.with_expired.filter(installation=installation, name=name)
        return set(found.values_list("id", flat=True))


@pytest.mark.django_db(transaction=True)
def test_workers_that_are_killed_while_they_archive_lose_nothing_and_keep_nothing_twice(tmp_path: Path) -> None:
    archived = Retention(days=7, policy=RetentionPolicy.ARCHIVE)
    make_published(
        make_spec(make_event("first", retention=archived), make_event("second", retention=Retention(days=7)))
    )
    installation = make_installation()
    while purge():
        pass
    # Of each day so many batches, as one batch is never cut.
    for days_ago in (8, 9, 10):
        for hour in range(20):
            store(installation, 5, days_ago=days_ago, days=7, name="first", hour=hour)
            store(installation, 5, days_ago=days_ago, days=7, name="second", hour=hour)
    wanted = ids_of(installation, "first")
    store(installation, 50, days_ago=2, days=7, name="first")
    staying = ids_of(installation, "first") - wanted

    database = connection.settings_dict
    url = f"postgresql://{quote(database['USER'])}@/{database['NAME']}?host={quote(database['HOST'], safe='')}"
    environment = {**os.environ, "DATABASE_URL": url, "DJANGO_SETTINGS_MODULE": "studio.settings.test"}
    environment["STUDIO_ARCHIVE_DIR"] = str(tmp_path / "archive")
    command = [sys.executable, "-c", WORKER, str(ROWS), str(KILLS)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    killed, status = map(int, ended.stdout.split())
    assert status == 0
    assert killed > 0
    assert ids_of(installation, "first") == staying
    assert ids_of(installation, "second") == set()
    assert archived_counts(installation) == {"purged": 300, "archived": 300, "erased": 0}
    with tenant_context(ALL):
        files = list(ArchiveFile.objects.filter(state="kept").select_related("installation__tenant"))
        items = {item.name: (item.rows, item.archived_rows) for item in PurgeItem.objects.all()}
        assert set(PurgeRun.objects.values_list("state", flat=True)) == {"done"}
        assert Receipt.objects.filter(kind="archive").count() == len(files)
    assert items == {"first": (0, 300), "second": (300, 0)}
    with archive_in(tmp_path / "archive"):
        assert {problem for file in files for problem in file_problems(file, installation)} == set()
        remove_leftovers(now=timezone.now() + timedelta(hours=2))
    paths = list((tmp_path / "archive").rglob("*.parquet"))
    found = Counter(row for path in paths for (row,) in duckdb.execute(f"SELECT id FROM '{path}'").fetchall())  # noqa: S608
    assert set(found) == wanted
    assert set(found.values()) == {1}
    assert {path.stem for path in paths} == {file.public_id.hex for file in files}
