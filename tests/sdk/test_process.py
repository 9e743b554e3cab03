"""Forks and ends of processes, seen from outside: each program runs in an interpreter of its own."""

import json
import subprocess
import sys
from collections import Counter

from tests.sdk.servers import PATIENCE, Asked, Reply, ScriptedServer
from tests.sdk.studios import FakeStudio

PREAMBLE = """
import os, sys, threading
from tests.sdk.builders import make_accepted, make_dispatch
from telemetry.sdk.provider import DeliveryStats
from telemetry.sdk.providers import HttpProvider
from telemetry.sdk.queue import QueueSettings

PATIENCE = 60.0
provider = HttpProvider(sys.argv[1], settings=QueueSettings(linger=PATIENCE, batch_size=1000))

def in_child(run):
    child = os.fork()
    if child == 0:
        try:
            run()
        except BaseException as error:
            print("the child failed:", repr(error), file=sys.stderr, flush=True)
            os._exit(1)
        os._exit(0)
    return child

def wait_for(child):
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
"""


def run(program: str, server: ScriptedServer) -> str:
    """Run the program to its end; the server's URL is its argument. Fails when it fails, or hangs."""
    ended = subprocess.run(
        [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", "-c", PREAMBLE + program, server.url],
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


def ids_at(server: ScriptedServer) -> Counter[str]:
    return Counter(event["id"] for asked in server.asked for event in json.loads(asked.body)["batch"])


def test_what_the_parent_queued_is_sent_once_and_by_the_parent(server: ScriptedServer) -> None:
    run(
        """
def child():
    assert provider.delivery() == DeliveryStats()
    provider.send(make_dispatch("child"))
    assert provider.flush(PATIENCE)
    assert provider.delivery() == DeliveryStats(sent=1)

provider.send(make_dispatch("before"))
children = [in_child(child) for _ in range(3)]
provider.send(make_dispatch("after"))
for each in children:
    wait_for(each)
assert provider.flush(PATIENCE)
assert provider.delivery() == DeliveryStats(sent=2)
""",
        server,
    )

    assert ids_at(server) == {"before": 1, "after": 1, "child": 3}


def test_a_batch_under_way_is_finished_by_the_parent_alone(server: ScriptedServer) -> None:
    run(
        """
from telemetry.sdk.queue import BackgroundQueue

begun, may_end = threading.Event(), threading.Event()
delivered = []

def deliver(batch):
    begun.set()
    assert may_end.wait(PATIENCE)
    delivered.extend(batch)

queue = BackgroundQueue(deliver, name="test", settings=QueueSettings(linger=0.0))
queue.put("parent")
assert begun.wait(PATIENCE)

def child():
    may_end.set()
    queue.put("child")
    assert queue.flush(PATIENCE)
    assert delivered == ["child"], delivered

wait_for(in_child(child))
may_end.set()
assert queue.flush(PATIENCE)
assert delivered == ["parent"], delivered
""",
        server,
    )


def test_locks_that_another_thread_held_at_the_fork_do_not_stop_the_child(server: ScriptedServer) -> None:
    run(
        """
from telemetry.sdk.counts import OutcomeCounts
from telemetry.sdk.fanout import ProviderFanout
from telemetry.sdk.hold import HoldQueue
from telemetry.sdk.loop import BackgroundLoop

class AsyncProvider:
    id = "async"
    sent = 0
    async def send(self, dispatch):
        self.sent += 1

loop = BackgroundLoop()
awaited = AsyncProvider()
fanout = ProviderFanout([provider, awaited], on_error=print, loop=loop, timeout=PATIENCE)
fanout.send(make_accepted("before"))
assert loop.flush(PATIENCE)
held, may_release = threading.Event(), threading.Event()

def hold():
    with provider._queue._changed, loop._changed, fanout._slots[0].counts._lock, fanout._slots[1].counts._lock:
        held.set()
        may_release.wait(PATIENCE)

holder = threading.Thread(target=hold)
holder.start()
assert held.wait(PATIENCE)

def child():
    fanout.send(make_accepted("child"))
    assert loop.flush(PATIENCE) and provider.flush(PATIENCE)
    assert awaited.sent == 2
    assert fanout.stats() == {"http": DeliveryStats(sent=1), "async": DeliveryStats(sent=1)}

each = in_child(child)
wait_for(each)
may_release.set()
holder.join()
""",
        server,
    )

    assert ids_at(server) == {"before": 1, "child": 1}


def test_a_forked_child_keeps_the_config_counts_from_zero_and_polls_by_itself(server: ScriptedServer) -> None:
    studio = FakeStudio(server)
    studio.publish(1)

    run(
        """
from telemetry.sdk import InMemoryProvider, TelemetryTracker
from tests.sdk.studios import API_KEY, WORKFLOW_STEP

memory = InMemoryProvider()
tracker = TelemetryTracker.from_studio(sys.argv[1], API_KEY, providers=[memory], poll_interval=0.001)
assert tracker.ready(PATIENCE)
properties = {"workflow": "onboarding", "step": "verify_email"}
assert tracker.track(WORKFLOW_STEP, 1, properties)

def child():
    assert tracker.stats().received == 0
    assert tracker.track(WORKFLOW_STEP, 1, properties)
    assert tracker.stats().accepted == 1
    assert "telemetry-config" in {thread.name for thread in threading.enumerate()}
    assert tracker.refresh()
    assert tracker.close(PATIENCE)

wait_for(in_child(child))
assert tracker.stats().accepted == 1
assert tracker.close(PATIENCE)
""",
        server,
    )


def test_events_that_wait_for_a_config_at_the_fork_are_sent_by_the_parent_alone(server: ScriptedServer) -> None:
    studio = FakeStudio(server)
    studio.publish(1)
    is_up = [False]
    configured = server.answer

    def answer(asked: Asked) -> Reply:
        if asked.path == "/up":
            is_up[0] = True
            return Reply()
        return configured(asked) if is_up[0] else Reply(503)

    server.answer = answer
    run(
        """
import urllib.request
from telemetry.sdk import InMemoryProvider, TelemetryTracker
from tests.sdk.studios import API_KEY, WORKFLOW_STEP

memory = InMemoryProvider()
tracker = TelemetryTracker.from_studio(sys.argv[1], API_KEY, providers=[memory], poll_interval=100_000)
tracker.track(WORKFLOW_STEP, 1, {"workflow": "onboarding", "step": "verify_email"}, event_id="parent")

def child():
    tracker.track(WORKFLOW_STEP, 1, {"workflow": "onboarding", "step": "verify_email"}, event_id="child")
    urllib.request.urlopen(sys.argv[1] + "/up").close()
    assert tracker.refresh()
    assert [dispatch.id for dispatch in memory.dispatches] == ["child"]

wait_for(in_child(child))
assert tracker.refresh()
assert [dispatch.id for dispatch in memory.dispatches] == ["parent"]
""",
        server,
    )


def test_the_anomaly_monitor_watches_afresh_in_a_child_even_if_its_lock_was_held(server: ScriptedServer) -> None:
    run(
        """
from telemetry.core.anomaly import AnomalyMonitor
from telemetry.core.registry import TelemetryRegistry
from telemetry.sdk import TelemetryTracker
from tests.core.builders import NOON, make_sigil_spec
from tests.sdk.studios import WORKFLOW_STEP

heard = []
monitor = AnomalyMonitor(on_anomaly=heard.append)
registry = TelemetryRegistry([make_sigil_spec()])
tracker = TelemetryTracker(registry, anomaly_monitor=monitor, clock=lambda: NOON)

def track(times):
    for _ in range(times):
        tracker.track(WORKFLOW_STEP, 1, {"workflow": "onboarding", "step": "verify_email", "durationMs": 2100})

track(9)
held, may_release = threading.Event(), threading.Event()

def hold():
    with monitor._lock:
        held.set()
        may_release.wait(PATIENCE)

holder = threading.Thread(target=hold)
holder.start()
assert held.wait(PATIENCE)

def child():
    track(9)
    assert heard == []
    track(1)
    assert [anomaly.sample for anomaly in heard] == [10]

each = in_child(child)
wait_for(each)
may_release.set()
holder.join()
track(1)
assert [anomaly.sample for anomaly in heard] == [10]
""",
        server,
    )


def test_what_is_queued_is_delivered_when_the_interpreter_ends(server: ScriptedServer) -> None:
    run('provider.send(make_dispatch("last words"))', server)

    assert ids_at(server) == {"last words": 1}


def test_a_server_that_is_gone_does_not_keep_the_interpreter_from_ending(server: ScriptedServer) -> None:
    server.always(Reply(503, headers={"Retry-After": "3600"}))

    run('provider.send(make_dispatch("last words"))', server)

    # Once for the flush at the end, and no pause of an hour.
    assert 1 <= ids_at(server)["last words"] <= 2


def test_a_fork_after_a_provider_is_gone_says_nothing(server: ScriptedServer) -> None:
    output = run(
        """
import gc
del provider
gc.collect()
wait_for(in_child(lambda: print("child", flush=True)))
""",
        server,
    )

    assert output == "child\n"


def test_importing_the_sdk_loads_no_django() -> None:
    program = (
        "import sys, telemetry.sdk; "
        "print(sorted({name.partition('.')[0] for name in sys.modules} & {'django', 'rest_framework', 'celery'}))"
    )

    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert ended.stdout == "[]\n"
