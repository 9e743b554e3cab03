"""What is written to the terminal: results on standard output, everything else on standard error."""

import re
import sys
from typing import Final

from rich.console import Console
from rich.text import Text

from telemetry.core.errors import TelemetryError

__all__ = ["FOUND_SOMETHING", "INPUT_IS_WRONG", "INTERRUPTED", "console", "printable", "say_error", "write"]

FOUND_SOMETHING: Final = 1
INPUT_IS_WRONG: Final = 2
# Ctrl-C, as shells tell it: 128 and the number of the signal.
INTERRUPTED: Final = 130

# Names in files may be anything; as control characters they could repaint the screen or hide what is printed.
_UNPRINTABLE: Final = re.compile(r"[^\S\n]|[\x00-\x09\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


def console(*, is_error: bool = False) -> Console:
    """A console that wraps nothing, so that lines can be searched; made anew, since streams may be replaced."""
    return Console(stderr=is_error, highlight=False, soft_wrap=True, emoji=False, markup=False)


def printable(text: str) -> str:
    """The text with spaces for other space, and a mark for each character that would steer the terminal."""
    return _UNPRINTABLE.sub(lambda found: " " if found[0].isspace() else "\N{REPLACEMENT CHARACTER}", text)


def write(text: str) -> None:
    """A result as it is, for another program or a file, with a line break at the end."""
    sys.stdout.write(text if text.endswith("\n") else f"{text}\n")


def say_error(error: TelemetryError) -> None:
    """The error with every broken rule, on standard error."""
    out = console(is_error=True)
    head = error.message
    if error.errors:
        # The message repeats the first rules in one line; here, each has a line of its own.
        head = head.split(f": {error.errors[0]}", 1)[0]
    out.print(Text(printable(f"studio: {head}"), style="bold red"))
    for rule in error.errors:
        out.print(printable(f"  {rule}"))
