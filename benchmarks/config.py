"""How fast a config of 200 events is delivered, beside what the same server can do at most and without any memory.

``python benchmarks/config.py`` starts PostgreSQL, Valkey and three web servers with the studio's own settings: one that
returns constant bytes (*raw*), the studio, and the studio without its short way and its memory of documents, which
resolves every answer from the database. All are asked by the same program, round by round in turn, so that what else
the machine does falls on all of them; a ratio is the median of the ratios within a round. It ends with one line of JSON
with the ratios; goals are 0.45 for ``full_vs_raw`` and 0.35 for ``not_modified_vs_raw``. ``cold_resolution`` is the
time (milliseconds) in which a process that knows nothing makes and compresses a published config of 500 events; the
goal is 2.

Where there are two cores, the servers run on one and the asking program on the other.
"""

import gzip
import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from statistics import median

# As a script, Python looks for imports in this directory only, and the project is not installed.
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.load import Load, Rate
from benchmarks.servers import WebServer, set_up_django, temporary_servers
from benchmarks.workspace import make_installations, make_spec, publish_again

EVENTS, COLD_EVENTS = 200, 500
ROUNDS, SECONDS, WARM_SECONDS = 9, 0.7, 0.5
CONNECTIONS = 8
PUBLICATIONS = 15
COLD_ROUNDS, COLD_LIMIT = 15, 64 * 1024 * 1024

Rates = dict[str, list[Rate]]


def main() -> None:
    """Measure and print."""
    with temporary_servers() as environment:
        set_up_django(environment)
        [key] = make_installations(EVENTS, 1)
        with servers(environment, key) as running:
            rates, latencies = measure(running, key)
            visible = publish_to_visible(running["studio"], key)
    print_rates(rates)
    for name, seconds in latencies.items():
        print(f"one request at a time, {name:<14} {seconds * 1e3:>7.2f} ms")
    print(f"from calling publish to seeing it     {visible * 1e3:>7.1f} ms, median of {PUBLICATIONS}")
    cold = resolve_cold()
    print(f"resolving {COLD_EVENTS} events and compressing them, of which this process")
    for name, seconds in cold.items():
        print(f"  {name:<36}{seconds * 1e3:>7.2f} ms")
    ratios = {
        "full_vs_raw": ratio(rates, "studio full", "raw full"),
        "not_modified_vs_raw": ratio(rates, "studio 304", "raw 304"),
        "full_vs_database": ratio(rates, "studio full", "database full"),
        "gzip_vs_raw": ratio(rates, "studio gzip", "raw gzip"),
        "cold_resolution": round(cold["knows nothing"] * 1e3, 2),
        "cold_ms": {name: round(seconds * 1e3, 2) for name, seconds in cold.items()},
    }
    print(json.dumps(ratios))


@contextmanager
def servers(environment: Mapping[str, str], key: str) -> Iterator[dict[str, int]]:
    """The ports of the three servers, by name."""
    directory = Path(environment["BENCHMARK_DIRECTORY"])
    with ExitStack() as stack:
        ports: dict[str, int] = {}
        cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        if len(cores) > 1:
            os.sched_setaffinity(0, {cores[0]})
        ports["studio"] = started(stack, environment, "studio.wsgi:application")
        with Load(ports["studio"], headers_of(key), connections=1) as load:
            assert load.status == 200, load.body
            body = load.body
        files = {"BENCHMARK_BODY": directory / "body.json", "BENCHMARK_GZIP": directory / "body.json.gz"}
        files["BENCHMARK_BODY"].write_bytes(body)
        files["BENCHMARK_GZIP"].write_bytes(gzip.compress(body, compresslevel=6, mtime=0))
        beside = {**environment, **{name: str(path) for name, path in files.items()}}
        for name in ("raw", "database"):
            ports[name] = started(stack, {**beside, "BENCHMARK_SERVER": name}, f"benchmarks.config_servers:{name}")
        if len(cores) > 1:
            os.sched_setaffinity(0, {cores[-1]})
        print(f"{EVENTS} events, {len(body):,} bytes, {len(files['BENCHMARK_GZIP'].read_bytes()):,} in gzip")
        yield ports


def started(stack: ExitStack, environment: Mapping[str, str], application: str) -> int:
    """The port of a server that runs until the stack ends."""
    server = WebServer(environment, application)
    stack.callback(server.stop)
    server.start()
    return server.port


def headers_of(key: str, **more: str) -> dict[str, str]:
    """What an app sends."""
    return {"Authorization": f"Bearer {key}", "Accept": "application/json", "User-Agent": "benchmark", **more}


def measure(ports: Mapping[str, int], key: str) -> tuple[Rates, dict[str, float]]:
    """Rates of every case, one per round, and medians of the time to an answer."""
    with ExitStack() as stack:
        with Load(ports["studio"], headers_of(key), connections=1) as load:
            [tag] = [line[6:].decode() for line in load.head.split(b"\r\n") if line.lower().startswith(b"etag: ")]
        kinds: dict[str, dict[str, str]] = {
            "full": {},
            "304": {"If-None-Match": tag},
            "gzip": {"Accept-Encoding": "gzip"},
        }
        cases = [(server, kind) for kind in kinds for server in ("raw", "studio")] + [("database", "full")]
        loads = {
            f"{server} {kind}": stack.enter_context(
                Load(ports[server], headers_of(key, **kinds[kind]), connections=CONNECTIONS)
            )
            for server, kind in cases
        }
        check(loads)
        for load in loads.values():
            load.run(WARM_SECONDS)
        rates: Rates = {name: [] for name in loads}
        for _ in range(ROUNDS):
            for name, load in loads.items():
                rates[name].append(load.run(SECONDS))
        latencies = {name: loads[name].latency(SECONDS) for name in ("raw full", "studio full", "studio 304")}
        return rates, latencies


def check(loads: Mapping[str, Load]) -> None:
    """What is compared is the same: bodies of all servers, and answers without one."""
    assert loads["raw full"].body == loads["studio full"].body == loads["database full"].body
    assert gzip.decompress(loads["studio gzip"].body) == loads["studio full"].body
    assert [loads[f"{server} 304"].status for server in ("raw", "studio")] == [304, 304]


def ratio(rates: Rates, ours: str, theirs: str) -> float:
    """The median over the rounds of ours to theirs."""
    rounds = zip(rates[ours], rates[theirs], strict=True)
    return round(median(our.per_second / their.per_second for our, their in rounds), 3)


def print_rates(rates: Rates) -> None:
    """Medians per case, and whether the asking program was what limited them."""
    print(f"requests per second, median of {ROUNDS} rounds; the asking program's own share of a core")
    for name, found in rates.items():
        print(f"{name:<20} {median(r.per_second for r in found):>9,.0f} {median(r.busy for r in found):>6.0%}")


def publish_to_visible(port: int, key: str) -> float:
    """The median time from the start of a publish call until an answer has it (seconds); each answer is checked."""
    found = []
    for number in range(PUBLICATIONS):
        began = time.perf_counter()
        publish_again(number)
        with Load(port, headers_of(key), connections=1) as load:
            found.append(time.perf_counter() - began)
        assert json.loads(load.body)["events"][0]["retention"]["days"] == 90 + number % 30
    return median(found)


def resolve_cold() -> dict[str, float]:
    """The least time from the documents of the layers to a config in zstd (seconds), by what is remembered already."""
    from studio.api.encodings import pack_zstd
    from telemetry.core.codec import encode_spec
    from telemetry.core.config import InstallationIdentity
    from telemetry.core.config_documents import ConfigDocuments, LayerDocuments, Preparation
    from telemetry.core.enums import Environment

    first = encode_spec(make_spec(COLD_EVENTS)).decode()
    changed = first.replace('"days":43', '"days":44', 1)
    assert changed != first
    identity = InstallationIdentity(tenant="a", app="b", environment=Environment.PRODUCTION, sampling_salt="c")

    preparation = Preparation(LayerDocuments(first, "{}"))
    parts = {preparation.digest: preparation.content()}

    def make(documents: ConfigDocuments, spec: str, prepared: Mapping[str, bytes]) -> float:
        began = time.perf_counter()
        layers = LayerDocuments(spec, "{}")
        pack_zstd(documents.make(layers, installation=identity, revision=1, prepared=prepared.get))
        return time.perf_counter() - began

    def best(known: str | None, wanted: str, prepared: Mapping[str, bytes] | None = None) -> float:
        found = []
        for _ in range(COLD_ROUNDS):
            documents = ConfigDocuments(COLD_LIMIT)
            if known is not None:
                make(documents, known, {})
            found.append(make(documents, wanted, prepared or {}))
        return min(found)

    return {
        "knows an installation like it": best(first, first),
        "knows all but one changed event": best(first, changed),
        "knows nothing": best(None, first, parts),
        "knows nothing, of what nobody prepared": best(None, first),
    }


if __name__ == "__main__":
    main()
