"""All commands, and what holds for each of them: how errors are shown, and how the process ends."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Annotated, Final

import typer

from telemetry.cli.convert import export_spec, import_specs
from telemetry.cli.diff import diff
from telemetry.cli.exchange import pull, push
from telemetry.cli.generate import generate, status
from telemetry.cli.infer import infer
from telemetry.cli.lint import lint
from telemetry.cli.tail import tail
from telemetry.cli.terminal import INPUT_IS_WRONG, say_error, write
from telemetry.cli.verify_receipts import verify
from telemetry.cli.wizard import create_telemetry
from telemetry.core.errors import TelemetryError

__all__ = ["app", "main", "run"]

app: Final = typer.Typer(
    name="studio",
    help="Telemetry specs as files: check, compare, bring in, take out, turn into code.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
create: Final = typer.Typer(name="create", help="Make something new, from questions.", no_args_is_help=True)
create.command("telemetry")(create_telemetry)
# One command alone would stand for the group; others are to come.
create.callback()(lambda: None)
app.command()(lint)
app.command()(diff)
app.command("import")(import_specs)
app.command("export")(export_spec)
app.add_typer(create)
app.command()(generate)
app.command()(status)
app.command()(infer)
app.command()(pull)
app.command()(push)
app.command()(tail)
app.command("verify-receipts")(verify)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        write(f"studio {_version()}")
        raise typer.Exit


@app.callback()
def _studio(
    show_version: Annotated[
        bool, typer.Option("--version", help="Print the version and end.", is_eager=True, callback=_show_version)
    ] = False,
) -> None:
    """What comes before any command."""


def _version() -> str:
    """Of the installed package; a checkout that is not installed has none of its own."""
    try:
        return version("telemetry-studio")
    except PackageNotFoundError:
        return "(checkout)"


def run(arguments: Sequence[str] | None = None) -> int:
    """The exit code of one call; ``None`` means the arguments of the process. Errors were shown on standard error."""
    try:
        app(None if arguments is None else list(arguments), prog_name="studio")
    except SystemExit as ended:
        return ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except TelemetryError as error:
        say_error(error)
        return INPUT_IS_WRONG
    except BrokenPipeError:
        # Whoever read our output has seen enough. Python would complain once more when it closes the stream.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return 0


def main() -> None:
    """Run the command that the arguments of the process name, and end the process."""
    sys.exit(run())
