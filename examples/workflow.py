"""Run the seed's workflow for a dozen people at both demo tenants, against the studio that is running.

``make example`` starts it. What was tracked, sent, sampled out, switched off and redacted is printed per tenant; the
end asserts that no raw user id is in anything that was sent.
"""

import json
import logging
import os
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from telemetry.core.anomaly import Anomaly, AnomalyMonitor
from telemetry.core.enums import DropReason
from telemetry.core.errors import TelemetryError
from telemetry.core.events import Accepted, Dispatch, Dropped, Outcome, Rejected
from telemetry.sdk import ConfigState, Held, InMemoryProvider, TelemetryTracker

EVENT = "sigil.telemetry.workflow_step"
USERS = tuple(f"user-{number:03}@example.com" for number in range(1, 13))
STEPS = (("create_account", 420), ("verify_email", 1350), ("choose_plan", 760), ("invite_team", 980))
# One person's slow day: above the 1,500 ms that the spec allows.
SLOW_USER, SLOWDOWN = USERS[6], 4
WIDTH = 100
PATIENCE_SECONDS = 10.0

HINTS = {
    ConfigState.REFUSED: "The studio refused the API key. Is STUDIO_DATA_DIR that of the running studio?",
    ConfigState.MALFORMED: "What answered there is no studio of this version.",
    ConfigState.REDIRECTED: "What answered there points elsewhere, and the key is not sent after it.",
}


class Tracked(NamedTuple):
    """One call of ``track``: who, what, and what became of it."""

    user: str
    properties: Mapping[str, Any]
    outcome: Outcome | Held


class Run(NamedTuple):
    """All that happened at one tenant."""

    tenant: str
    revision: int | None
    calls: Sequence[Tracked]
    sent: Sequence[Dispatch]
    anomalies: Sequence[Anomaly]


def main() -> int:
    """Run the example and return the exit code: 0, or 1 when the studio is not there."""
    # What goes wrong is said below, in full sentences.
    logging.getLogger("telemetry.sdk").addHandler(logging.NullHandler())
    try:
        url, keys = studio_url(), api_keys()
        runs = [run_workflow(url, tenant, key) for tenant, key in sorted(keys.items())]
    except (StudioMissing, TelemetryError) as problem:
        print(problem, file=sys.stderr)
        return 1
    print_heading(f"Telemetry Studio: one workflow, {len(USERS)} people, {len(runs)} tenants", url)
    for run in runs:
        print_run(run)
    print_comparison(runs)
    print_proof(runs)
    return 0


class StudioMissing(Exception):
    """The studio is not running, or not the one that was meant; the message says what to do."""


def studio_url() -> str:
    """Where the studio is: ``STUDIO_URL``, else this machine at ``STUDIO_PORT``."""
    return os.environ.get("STUDIO_URL") or f"http://127.0.0.1:{os.environ.get('STUDIO_PORT') or 8000}"


def api_keys() -> dict[str, str]:
    """The API keys of the demo tenants, which the first ``make run`` wrote down."""
    path = Path(os.environ.get("STUDIO_DATA_DIR") or ".studio") / "credentials.json"
    try:
        keys = json.loads(path.read_text())["api_keys"]
    except (OSError, ValueError, KeyError):
        raise StudioMissing(
            f"There are no demo credentials in {path}. Start the studio with `make run` in another terminal first."
        ) from None
    return dict(keys)


def run_workflow(url: str, tenant: str, api_key: str) -> Run:
    """Take every user through every step at this tenant."""
    memory = InMemoryProvider()
    anomalies: list[Anomaly] = []
    with TelemetryTracker.from_studio(
        url, api_key, providers=[memory], anomaly_monitor=AnomalyMonitor(on_anomaly=anomalies.append)
    ) as tracker:
        if not (tracker.refresh() or tracker.ready(0)):
            raise StudioMissing(explain(url, tracker))
        calls = [
            Tracked(user, properties, tracker.track(EVENT, 1, properties, context_of(user)))
            for user in USERS
            for properties in steps_of(user)
        ]
        # Two mistakes, as they happen in every code base.
        calls += [
            Tracked(USERS[0], given, tracker.track(name, 1, given, context_of(USERS[0]))) for name, given in MISTAKES
        ]
        status = tracker.config_status
    return Run(tenant, status.revision if status else None, calls, memory.dispatches, anomalies)


MISTAKES = (
    (EVENT, {"workflow": "onboarding", "durationMs": 300}),
    ("sigil.telemetry.workflow", {"workflow": "onboarding", "step": "verify_email"}),
)


def explain(url: str, tracker: TelemetryTracker) -> str:
    """Say why there is no config, and what to do."""
    state = tracker.config_status.state if tracker.config_status else None
    hint = HINTS.get(state) if state else None
    return hint or f"The studio does not answer at {url}. Start it with `make run` in another terminal."


def steps_of(user: str) -> Iterable[dict[str, Any]]:
    """The properties of each step that this user takes, one of which nobody declared."""
    for step, duration in STEPS:
        factor = SLOWDOWN if user == SLOW_USER else 1
        properties = {"workflow": "onboarding", "step": step, "durationMs": duration * factor, "userId": user}
        yield {**properties, "nickname": user.partition("@")[0]} if step == "create_account" else properties


def context_of(user: str) -> dict[str, str]:
    """The context of a user's session in the browser."""
    return {"userId": user, "sessionId": f"session of {user}", "channel": "web"}


def print_heading(title: str, detail: str) -> None:
    """Print a title with its detail at the right margin, and a double line."""
    print(f"\n{title}{detail:>{WIDTH - len(title)}}")
    print("═" * WIDTH)


def print_run(run: Run) -> None:
    """Print what happened at one tenant."""
    print(f"\n{run.tenant.upper()} · config revision {run.revision}")
    print("─" * WIDTH)
    print_people(run)
    print_before_and_after(run)
    print_rejected(run)
    print_anomalies(run)


def print_people(run: Run) -> None:
    """Print for each person how many of the steps were sent: sampling keeps or drops a person as a whole."""
    marks = {"sent": "●", "sampled out": "○", "switched off": "-", "rejected": "!"}
    cells = []
    for user in USERS:
        of_user = [call for call in run.calls[: len(USERS) * len(STEPS)] if call.user == user]
        cells.append(f"{user.partition('@')[0]} {''.join(marks[verdict(call.outcome)] for call in of_user)}")
    print("Steps by person, for ● sent, ○ sampled out, - switched off:\n")
    for start in range(0, len(cells), 6):
        print("  " + "   ".join(f"{cell:<13}" for cell in cells[start : start + 6]))


def print_before_and_after(run: Run) -> None:
    """Print one event as it was tracked, beside what left the process."""
    example = next((call for call in run.calls if isinstance(call.outcome, Accepted)), None)
    if example is None or not isinstance(example.outcome, Accepted):
        print("\nNothing left the process.")
        return
    dispatch = example.outcome.dispatch
    rows = [
        (name, value, dispatch.properties.get(name, "(left out)")) for name, value in sorted(example.properties.items())
    ]
    context = msgspec.to_builtins(dispatch.context)
    rows += [
        (f"context.{name}", value, context.get(name, "(left out)")) for name, value in context_of(example.user).items()
    ]
    print()
    print_table(
        ("one event", "as tracked", "as sent", ""),
        [(name, before, after, "" if before == after else "◂ hidden") for name, before, after in rows],
    )


def print_rejected(run: Run) -> None:
    """Print what the spec did not allow."""
    lines = [
        (violation.code.value, violation.path, violation.message)
        for call in run.calls
        if isinstance(call.outcome, Rejected)
        for violation in call.outcome.violations
    ]
    if lines:
        print()
        print_table(("rejected because", "at", "rule"), lines)


def print_anomalies(run: Run) -> None:
    """Print what the anomaly monitor saw; it sees the values from before redaction and sampling."""
    print()
    if not run.anomalies:
        print("No anomalies.")
        return
    signs = {"max": ">", "min": "<"}
    rows = [
        (anomaly.metric, f"{anomaly.value:g} {signs[anomaly.bound]} {anomaly.limit:g}", ", ".join(anomaly.actions))
        for anomaly in run.anomalies
    ]
    print_table(("anomaly in", "value and limit", "what the spec asks for"), rows)


def print_comparison(runs: Sequence[Run]) -> None:
    """Print all tenants side by side."""
    print("\nSIDE BY SIDE")
    print("─" * WIDTH)
    verdicts = ("sent", "sampled out", "switched off", "rejected")
    rows = []
    for run in runs:
        counts = [verdict(call.outcome) for call in run.calls]
        hidden = sum(len(call.outcome.redacted) for call in run.calls if isinstance(call.outcome, Accepted))
        rows.append((run.tenant, len(counts), *(counts.count(name) for name in verdicts), hidden, len(run.anomalies)))
    print_table(("tenant", "tracked", *verdicts, "values hidden", "anomalies"), rows)


def print_proof(runs: Sequence[Run]) -> None:
    """Print, after asserting it, that no raw user id is in anything that was sent."""
    sent = [msgspec.json.encode(dispatch).decode() for run in runs for dispatch in run.sent]
    raw = [part for user in USERS for part in (user, user.partition("@")[0])]
    found = [text for text in sent if any(part in text for part in raw)]
    assert not found, f"{len(found)} events carry a raw user id"
    print(f"\n✓ {len(sent)} events were sent, and none of the {len(USERS)} raw user ids is in any of them.")
    print("  Switch the event off, or change a rate, in the studio, publish, and run this again.\n")


def verdict(outcome: Outcome | Held) -> str:
    """What became of an event, in a word."""
    if isinstance(outcome, Dropped):
        return "sampled out" if outcome.reason is DropReason.SAMPLED_OUT else "switched off"
    return "sent" if outcome else "rejected"


def print_table(headings: Sequence[str], rows: Iterable[Sequence[object]]) -> None:
    """Print a table with numbers to the right and everything else to the left."""
    lines = [tuple(str(cell) for cell in row) for row in (headings, *rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(headings))]
    numeric = [all(line[column].isdigit() for line in lines[1:]) for column in range(len(headings))]
    for line in lines:
        cells = (
            f"{cell:>{width}}" if to_right else f"{cell:<{width}}"
            for cell, width, to_right in zip(line, widths, numeric, strict=True)
        )
        print(("  " + "   ".join(cells)).rstrip())


if __name__ == "__main__":
    sys.exit(main())
