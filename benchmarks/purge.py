"""How long it takes to remove what is due, beside a plain ``DELETE`` and beside a bare ``DROP`` of the same rows.

``python benchmarks/purge.py`` starts a PostgreSQL of its own, durable as in production, and stores millions of events
of several tenants with mixed retention, counted as ingest counts them: half of them are due. The same rows stand in
plain tables, with the same index.

First, all that is due fills partitions that are over. They and their copies are read from the disk, because how long
the system takes to drop a file depends on how it came into memory. Then each way is measured once, after a checkpoint:

- the **purge** is everything that retention does about these rows: adding up what ingest counted and sealing each
  partition (in production in the hour after each midnight before), plan, counts for run and balance, drop, a signed
  receipt for each tenant, and looking for what else there is. ``count_seconds`` of it are for adding up and sealing,
  which is done here for the rows that stay as well;
- **naive** is ``DELETE ... WHERE expires_at <= ...`` and ``VACUUM`` of one table;
- **bare** drops copies of the same partitions, and does nothing else.

Then events are added that are kept for less long than others in their partition, a twentieth as many, half of them due:
they go row by row, beside the naive way. Then more is stored, and purged while events come in through ingest.

The last line is one JSON object. ``vs_delete``: how many times faster than naive; ``wal_ratio``: how many times less
write-ahead log; ``vs_bare_drop``: how many times slower than bare; ``row_by_row_vs_delete``, ``row_by_row_wal_ratio``:
the same of what goes row by row; ``ingest_while_purging``: the rate of ingest during a purge, as a part of that before;
``preview_seconds``: how long the preview of the next run takes on all rows; ``preview_equals_result``: whether it was
right to the row, for each event of each tenant, both times; ``partitions_read``: how many had to be read to be counted.
"""

# ruff: noqa: S608 - statements are made of names of our own

import json
import logging
import subprocess
import sys
import time
from argparse import ArgumentParser
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from threading import Event, Thread
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.purge_workspace import DUE, SHARES, SOONER, Owner, Share, Watch, make_tenants
from benchmarks.servers import set_up_django, temporary_servers


def main() -> None:
    """Measure and print."""
    parser = ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--rows", type=int, default=5_200_000, help="events that are stored, half of them due")
    parser.add_argument("--when-told", action="store_true", help="be the worker that purges beside ingest")
    arguments = parser.parse_args()
    if arguments.when_told:
        purge_when_told()
        return
    with temporary_servers() as environment:
        environment["STUDIO_PURGE_APPROVAL_ROWS"] = "0"
        set_up_django(environment)
        make_tenants()
        # The job runs each hour: its process is not new.
        purge_all()
        owner = Owner(environment["DATABASE_URL"])
        parts = owner.fill(arguments.rows, SHARES)
        owner.copy()
        print(f"{owner.stored:,} events in {len(parts)} parts, {sum(count for *_, count in parts) // 2:,} of them due")
        result = measure_whole(owner, parts)
        result |= measure_rows(owner, owner.fill(arguments.rows, SOONER))
        result |= measure_ingest(owner, arguments.rows // 5, environment)
        print(json.dumps({name: round(value, 3) for name, value in result.items()}))


def measure_whole(owner: Owner, parts: list[tuple[Share, int, int]]) -> dict[str, float]:
    """The purge, the naive way and the bare deed, each once on the same partitions."""
    due, names = due_of(parts), owner.touched()
    seconds: dict[str, float] = {}
    with reading() as read:
        expected: dict[tuple[int, str], int] = {}

        def everything() -> None:
            begin = time.perf_counter()
            seal()
            counted = time.perf_counter()
            expected.update(preview())
            shown = time.perf_counter()
            purge_all()
            seconds.update(count=counted - begin, preview=shown - counted)

        whole = owner.watch(everything)
        purging = Watch(whole.seconds - seconds["preview"], whole.wal_bytes)
    is_right = expected == purged() and sum(expected.values()) == due
    plain = owner.watch(lambda: naive(owner))
    least = owner.watch(lambda: [owner.run(f"DROP TABLE bare_{name}") for name in names])
    tell(purge=purging, naive=plain, bare=least)
    return {
        "rows": owner.stored,
        "due_rows": due,
        "vs_delete": plain.seconds / purging.seconds,
        "wal_ratio": plain.wal_bytes / max(1, purging.wal_bytes),
        "vs_bare_drop": purging.seconds / least.seconds,
        "count_seconds": seconds["count"],
        "preview_seconds": seconds["preview"],
        "preview_equals_result": float(is_right),
        "partitions_read": len(read),
    }


def measure_rows(owner: Owner, parts: list[tuple[Share, int, int]]) -> dict[str, float]:
    """The purge and the naive way, each once on rows that lie between others that stay."""
    owner.copy_again(parts[0][0])
    before = purged()
    expected: dict[tuple[int, str], int] = {}

    def everything() -> None:
        seal()
        expected.update(preview())
        purge_all()

    purging = owner.watch(everything)
    removed = {event: rows - before.get(event, 0) for event, rows in purged().items() if rows > before.get(event, 0)}
    is_right = expected == removed and sum(expected.values()) == due_of(parts)
    plain = owner.watch(lambda: naive(owner))
    tell(purge=purging, naive=plain)
    return {
        "row_by_row_rows": due_of(parts),
        "row_by_row_vs_delete": plain.seconds / purging.seconds,
        "row_by_row_wal_ratio": plain.wal_bytes / purging.wal_bytes,
        "row_by_row_preview_equals_result": float(is_right),
    }


def due_of(parts: list[tuple[Share, int, int]]) -> int:
    """How many of these events are due."""
    return sum(count for share, ago, count in parts if ago in share.due)


def naive(owner: Owner) -> None:
    """What is due is gone from the plain table, and its room is free."""
    owner.run(f"DELETE FROM naive WHERE {DUE}")
    owner.run("VACUUM naive")


def tell(**watches: Watch) -> None:
    """Print what each way took."""
    for name, watch in watches.items():
        print(f"{name:>8}: {watch.seconds:7.2f} s, {watch.wal_bytes / 2**20:9.2f} MiB of log")


def seal() -> None:
    """Partitions that are over are counted."""
    from telemetry.services.purging.sealing import seal_partitions

    seal_partitions()


def preview() -> dict[tuple[int, str], int]:
    """What the next run would remove of each event of each installation."""
    from telemetry.services.purging.previewing import preview_next_run
    from tenants.context import ALL, tenant_context
    from tenants.selectors import installations_in_context

    with tenant_context(ALL):
        items = preview_next_run(list(installations_in_context()), now=datetime.now(UTC)).items
    return {(item.installation_id, item.name): item.rows for item in items}


@contextmanager
def reading() -> Iterator[list[str]]:
    """The partitions that are read within the block, because their counts were not to be trusted."""
    found: list[str] = []

    class Noting(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            if record.getMessage() == "purge.read":
                found.append(record.__dict__["partition"])

    logger, handler = logging.getLogger("telemetry.services.purging.sealing"), Noting()
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        yield found
    finally:
        logger.removeHandler(handler)


def purge_all() -> None:
    """All that can be removed is gone."""
    from telemetry.services.purging.service import purge

    while purge():
        pass


def purged() -> dict[tuple[int, str], int]:
    """What the runs say that they removed."""
    from django.db.models import Sum

    from telemetry.models import PurgeItem
    from tenants.context import ALL, tenant_context

    with tenant_context(ALL):
        rows = PurgeItem.objects.order_by().values_list("installation_id", "name").annotate(Sum("rows"))
        return {(installation_id, name): total for installation_id, name, total in rows}


def measure_ingest(owner: Owner, rows: int, environment: dict[str, str]) -> dict[str, float]:
    """Ingest alone, before and after, and while another process purges more of the same."""
    from benchmarks.ingest_workspace import make_workspace

    workspace = make_workspace()
    owner.fill(rows, (*SHARES, *SOONER))
    # As the days before have left it: what was stored a minute ago is not on the disk yet, nor in the statistics.
    owner.run("VACUUM ANALYZE")
    owner.run("CHECKPOINT")
    command = [sys.executable, str(Path(__file__).resolve()), "--when-told"]
    worker = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603 - ourselves
    if told(worker) != "ready":
        raise RuntimeError("the worker did not start")
    with ingesting(workspace) as counts:
        time.sleep(2)
        before = rate_during(counts, lambda: time.sleep(5))
        counts[1] = 0
        begin = time.perf_counter()
        beside = rate_during(counts, lambda: finish(worker))
        seconds, slowest = time.perf_counter() - begin, counts[1]
        after = rate_during(counts, lambda: time.sleep(5))
    worker.wait()
    alone = (before + after) / 2
    print(f"ingest: {before:,.0f} events/s before, {beside:,.0f} during a purge of {seconds:.1f} s, {after:,.0f} after")
    return {"ingest_while_purging": beside / alone, "slowest_batch_seconds": slowest}


def told(worker: subprocess.Popen[str]) -> str:
    """The next line that the worker says."""
    return worker.stdout.readline().strip() if worker.stdout else ""


def finish(worker: subprocess.Popen[str]) -> None:
    """The worker has purged."""
    if worker.stdin:
        worker.stdin.write("now\n")
        worker.stdin.flush()
    if told(worker) != "done 0":
        raise RuntimeError("the purge failed, or had to read partitions to count them")


def rate_during(counts: list[float], deed: Callable[[], object]) -> float:
    """Events per second that came while the deed was done."""
    begin, before = time.perf_counter(), counts[0]
    deed()
    return (counts[0] - before) / (time.perf_counter() - begin)


def purge_when_told() -> None:
    """A worker that has run before, and does so again once a line comes."""
    import django

    django.setup()
    import telemetry.services.purging.service  # noqa: F401 - what a worker has loaded by then
    from tenants.context import ALL, tenant_context
    from tenants.selectors import installations_in_context

    with tenant_context(ALL):
        list(installations_in_context())
    print("ready", flush=True)
    sys.stdin.readline()
    with reading() as read:
        purge_all()
    print("done", len(read), flush=True)


@contextmanager
def ingesting(workspace: Any) -> Iterator[list[float]]:
    """Within the block a thread ingests without a pause: how many events, and the slowest batch's seconds."""
    from random import Random

    import msgspec
    from django.db import connection

    from benchmarks.ingest_workspace import make_batch
    from telemetry.core.enums import EventSource
    from telemetry.core.events import Envelope
    from telemetry.services.ingest.incoming import Incoming
    from telemetry.services.ingest.service import ingest_batch

    counts, over = [0.0, 0.0], Event()

    def work() -> None:
        random = Random(1)  # noqa: S311 - events, no secrets
        while not over.is_set():
            envelopes = msgspec.convert(json.loads(make_batch(random, 200))["events"], list[Envelope])
            events = [Incoming(envelope=envelope, source=EventSource.BATCH) for envelope in envelopes]
            begin = time.perf_counter()
            ingest_batch(installation=workspace.installation, events=events, received_at=datetime.now(UTC))
            counts[1] = max(counts[1], time.perf_counter() - begin)
            counts[0] += 200
        connection.close()

    thread = Thread(target=work)
    thread.start()
    try:
        yield counts
    finally:
        over.set()
        thread.join()


if __name__ == "__main__":
    main()
