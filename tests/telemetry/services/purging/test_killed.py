"""Purges that are killed at any point, alone and two at a time: nothing lost, nothing left, every row counted."""

import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Final
from urllib.parse import quote

import pytest
from django.db import connection
from msgspec.structs import replace

from telemetry.core.enums import RetentionPolicy
from telemetry.core.spec import Retention
from telemetry.formats.receipts import read_receipts, verify_receipts
from telemetry.models import ArchiveFile, ArchiveState, EventRemoval, PurgeItem, PurgeRun, PurgeState, StoredEvent
from telemetry.services.holds import place_hold
from telemetry.services.purging.service import purge
from telemetry.services.receipts import export_receipts
from telemetry.stores.due import stored_groups
from tenants.actors import SYSTEM
from tenants.context import ALL, tenant_context
from tests.core.builders import make_sigil_spec
from tests.faults.chance import ROUNDS
from tests.telemetry.factories import make_installation, make_published
from tests.telemetry.services.purging.factories import STEP, midnight, store, stored

OTHER: Final = "sigil.telemetry.other"
HELD: Final = "sigil.telemetry.held"
KILLS: Final = 5
# Small steps, so that a kill meets them in the middle; two at once in every other life.
WORKER: Final = """
import os, random, signal, sys, time
import django
django.setup()
from django.db import connection
from telemetry.services.purging import executing
from telemetry.services.purging.service import purge
executing.CHUNK = 7
chance, kills, killed = random.Random(int(sys.argv[1])), int(sys.argv[2]), 0
for number in range(kills + 1):
    children = []
    for _ in range(1 + number % 2):
        child = os.fork()
        if child == 0:
            while purge():
                pass
            os._exit(0)
        children.append(child)
    if number < kills:
        time.sleep(chance.uniform(0.02, 0.7))
        for child in children:
            os.kill(child, signal.SIGKILL)
    statuses = [os.waitpid(child, 0)[1] for child in children]
    killed += any(os.WIFSIGNALED(status) for status in statuses)
print(killed, max(statuses))
"""


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_purge_that_is_killed_anywhere_loses_nothing_and_leaves_nothing(number: int, tmp_path: Path) -> None:
    spec = make_sigil_spec()
    events = [replace(event, retention=Retention(days=30, policy=RetentionPolicy.ARCHIVE)) for event in spec.events]
    make_published(replace(spec, events=tuple(events)))
    tenants = [make_installation(slug) for slug in ("acme", "umbra")]
    purge()
    for place in tenants:
        for days_ago in (8, 9, 10):
            store(place, 20, days_ago=days_ago, days=7, name=OTHER)
            store(place, 4, days_ago=days_ago, days=7, name=HELD)
            store(place, 10, days_ago=days_ago, days=6)
        store(place, 15, days_ago=3, days=2, name=OTHER)
        store(place, 5, days_ago=3, days=7, name=OTHER)
    with tenant_context(ALL):
        for place in tenants:
            place_hold(actor=SYSTEM, tenant=place.tenant, reason="Case 12", event_name=HELD)

    database = connection.settings_dict
    url = f"postgresql://{quote(database['USER'])}@/{database['NAME']}?host={quote(database['HOST'], safe='')}"
    environment = {
        **os.environ,
        "DATABASE_URL": url,
        "DJANGO_SETTINGS_MODULE": "studio.settings.test",
        "STUDIO_ARCHIVE_DIR": str(tmp_path),
    }
    command = [sys.executable, "-c", WORKER, str(number), str(KILLS)]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)

    killed, status = map(int, ended.stdout.split())
    assert (killed > 0, status) == (True, 0)
    kept = Counter({(midnight(days_ago).date(), HELD): 8 for days_ago in (8, 9, 10)})
    assert stored() == kept + Counter({(midnight(3).date(), OTHER): 10})
    with tenant_context(ALL):
        removals = Counter[str]()
        for each in EventRemoval.objects.all():
            removals.update({"purged": each.purged, "archived": each.archived, "erased": each.erased})
        items = list(PurgeItem.objects.all())
        assert removals == {"purged": 2 * 75, "archived": 2 * 30, "erased": 0}
        assert sum(item.rows for item in items) == 2 * 75
        assert sum(item.archived_rows for item in items) == 2 * 30
        assert {(item.planned_rows, item.name) for item in items if item.planned_rows} == {(75, OTHER), (30, STEP)}
        assert set(PurgeRun.objects.values_list("state", flat=True)) == {PurgeState.DONE}
        files = ArchiveFile.objects.filter(state=ArchiveState.KEPT)
        assert sum(file.rows for file in files) == 2 * 30
        counted = sum(group.rows for group in stored_groups([place.pk for place in tenants]))
        assert counted == StoredEvent.with_expired.count() == sum(stored().values())
        for place in tenants:
            document = read_receipts(export_receipts(place.tenant))
            assert verify_receipts(document) == []
            kinds = [receipt.kind for receipt in document.receipts]
            assert kinds.count("purge") == 1
