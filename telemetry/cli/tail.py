"""``studio tail``: an installation's events in the terminal, as they arrive, with every step on their way."""

import time
from collections.abc import Callable
from typing import Annotated, Final

import typer

from telemetry.cli.live_lines import LineFormat, LiveWriter
from telemetry.cli.remote import KeyOption, StudioOption, installation_id, open_studio
from telemetry.cli.terminal import INTERRUPTED, console
from telemetry.cli.watching import LiveQuestion, Look, Watch
from telemetry.core.enums import EventOutcome
from telemetry.core.errors import Unavailable

__all__ = ["follow", "tail"]

# Seconds between looks: what somebody looked at stays watched for fifteen.
_PAUSE: Final = 1.0
# Seconds before the next try after the studio did not answer; each failure in a row doubles them.
_SHORTEST_REST, _LONGEST_REST = 1.0, 30.0


def tail(
    installation: Annotated[str, typer.Argument(help="Its id, or TENANT/APP/ENVIRONMENT.", metavar="INSTALLATION")],
    event: Annotated[str, typer.Option(help="Events of this name alone.", metavar="NAME")] = "",
    outcome: Annotated[EventOutcome | None, typer.Option(help="Events with this outcome alone.")] = None,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, max=100, help="Earlier events to begin with.")] = 10,
    values: Annotated[bool, typer.Option("--values", help="Show what was stored of each event.")] = False,
    once: Annotated[bool, typer.Option("--once", help="Show the earlier events, and end.")] = False,
    format_: Annotated[LineFormat, typer.Option("--format", help="Text, or a JSON object in each line.")] = (
        LineFormat.TEXT
    ),
    studio: StudioOption = None,
    key: KeyOption = None,
) -> None:
    """Follow the events of an installation: what came, what was wrong, whether it was kept, hidden and delivered.

    Values are shown as they are stored: what was hidden is hidden here. A connection that breaks is made again. Ctrl-C
    ends with the exit code 130.
    """
    remote = open_studio(studio, key)
    writer = LiveWriter(format_, with_values=values)
    try:
        watch = Watch(remote, installation_id(remote, installation), LiveQuestion(event, outcome))
        first = watch.look()
        writer.write(first._replace(lines=first.lines[len(first.lines) - lines :] if lines else [], skipped=0))
        if not once:
            follow(watch, writer)
    except KeyboardInterrupt:
        raise typer.Exit(INTERRUPTED) from None


def follow(watch: Watch, writer: LiveWriter, *, sleep: Callable[[float], None] = time.sleep) -> None:
    """Look and write until something other than an outage ends it; after an outage it goes on where it was."""
    rest, was_live = 0.0, True
    while True:
        sleep(rest or _PAUSE)
        try:
            look = watch.look()
        except Unavailable as error:
            if not rest:
                _say("the studio does not answer; trying again")
            rest = max(min(2 * rest or _SHORTEST_REST, _LONGEST_REST), error.retry_after or 0.0)
            continue
        if rest:
            _say("connected again")
        rest = 0.0
        was_live = _tell_whether_live(look, was_live=was_live)
        writer.write(look)


def _tell_whether_live(look: Look, *, was_live: bool) -> bool:
    if look.is_live != was_live:
        _say("live again" if look.is_live else "the live stream is away; stored events are shown, others are not")
    return look.is_live


def _say(text: str) -> None:
    console(is_error=True).print(f"-- {text}", style="dim")
