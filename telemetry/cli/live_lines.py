"""How events look in a terminal: one line each, and one for the steps that it went; or JSON for programs."""

import json
import sys
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from rich.text import Text

from telemetry.cli.terminal import console, printable
from telemetry.cli.watching import Look
from telemetry.core.enums import EventOutcome

__all__ = ["LineFormat", "LiveWriter"]

_STYLES: Final = {
    EventOutcome.STORED: "green",
    EventOutcome.SAMPLED_OUT: "dim",
    EventOutcome.DISABLED: "dim",
    EventOutcome.REJECTED: "red",
    EventOutcome.DUPLICATE: "magenta",
}
_STEP_STYLES: Final = {"done": "dim", "noted": "yellow", "ended": "red"}
_INDENT: Final = " " * 14


class LineFormat(StrEnum):
    """For whom lines are written."""

    TEXT = "text"
    JSON = "json"


class LiveWriter:
    """Writes looks to standard output, each at once: whoever reads a pipe must not wait for a full buffer."""

    def __init__(self, format_: LineFormat, *, with_values: bool) -> None:
        self._is_json = format_ is LineFormat.JSON
        self._with_values = with_values

    def write(self, look: Look) -> None:
        """What is new, then how far earlier events got."""
        if self._is_json:
            _write_json(look)
        else:
            self._write_text(look)
        sys.stdout.flush()

    def _write_text(self, look: Look) -> None:
        out = console()
        if look.skipped:
            out.print(Text(f"{_INDENT}{look.skipped} more came than can be shown", style="yellow"))
        for line in look.lines:
            for text in _texts_of(line, with_values=self._with_values):
                out.print(text)
        for each in look.deliveries:
            out.print(Text.assemble(_INDENT, *_step(each["step"]), (f"  {each['eventId']}", "dim")))


def _write_json(look: Look) -> None:
    if look.skipped:
        _write_object("skipped", {"count": look.skipped})
    for line in look.lines:
        _write_object("event", line)
    for each in look.deliveries:
        _write_object("delivery", each)


def _write_object(kind: str, said: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps({"kind": kind, **said}, ensure_ascii=False) + "\n")


def _texts_of(line: dict[str, Any], *, with_values: bool) -> list[Text]:
    texts = [Text(f"{_INDENT}{line['omitted']} more of the same batch", style="yellow")] if line["omitted"] else []
    texts += [_head(line), _steps(line)]
    if with_values and line["values"] is not None:
        texts.append(Text(printable(_INDENT + json.dumps(line["values"], ensure_ascii=False)), style="cyan"))
    elif with_values and line["isCut"]:
        texts.append(Text(f"{_INDENT}too long to show", style="cyan"))
    return texts


def _head(line: dict[str, Any]) -> Text:
    outcome = EventOutcome(line["outcome"])
    name = "an event that no spec knows" if line["name"] is None else f"{line['name']} v{line['version']}"
    facts = [line["privacy"], line["appVersion"] and f"app {line['appVersion']}", line["eventId"]]
    text = Text(_time(line["receivedAt"]).ljust(len(_INDENT)))
    text.append(outcome.value.replace("_", " ").ljust(13), style=_STYLES[outcome])
    text.append(printable(name), style="bold")
    text.append(printable("".join(f"  {fact}" for fact in facts if fact)), style="dim")
    return text


def _steps(line: dict[str, Any]) -> Text:
    text = Text(_INDENT)
    for number, step in enumerate(line["steps"]):
        if number:
            text.append(" > ", style="dim")
        for word, style in _step(step):
            text.append(word, style=style)
    return text


def _step(step: dict[str, Any]) -> list[tuple[str, str]]:
    note = f" ({step['note']})" if step["note"] else ""
    return [(printable(step["word"]), _STEP_STYLES.get(step["state"], "")), (printable(note), "dim")]


def _time(instant: str) -> str:
    """The time of day, here and now."""
    return f"{datetime.fromisoformat(instant).astimezone():%H:%M:%S.%f}"[:-3]
