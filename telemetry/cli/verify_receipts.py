"""``studio verify-receipts``: whether a file of receipts is whole and unchanged; needs no studio and no database."""

from pathlib import Path
from typing import Annotated

import typer

from telemetry.cli.terminal import FOUND_SOMETHING, INPUT_IS_WRONG, console, printable, write
from telemetry.formats.receipts import read_head, read_receipts, verify_receipts

__all__ = ["verify"]


def verify(
    file: Annotated[Path, typer.Argument(help="The file that the studio exported.", metavar="FILE", dir_okay=False)],
    head: Annotated[
        str,
        typer.Option(help="A head that was noted earlier, NUMBER:DIGEST: shows that receipts after it are missing."),
    ] = "",
    public_key: Annotated[
        list[str] | None,
        typer.Option(help="A key of the studio, in base64, known from elsewhere; once for each. Others are not taken."),
    ] = None,
) -> None:
    """Find out whether a receipt in FILE was changed, taken away, added or moved.

    The exit code is 1 if one was, and 2 if FILE is no file of receipts.
    """
    say = console(is_error=True).print
    try:
        noted = read_head(head) if head else None
        document = read_receipts(file.read_bytes())
    except (OSError, ValueError) as error:
        reason = (error.strerror or "cannot be read") if isinstance(error, OSError) else str(error)
        say(printable(f"studio: {file}: {reason}"))
        raise typer.Exit(INPUT_IS_WRONG) from None
    problems = verify_receipts(document, head=noted, trusted_keys=public_key or ())
    for problem in problems:
        where = f"receipt {problem.sequence}" if problem.sequence else "file"
        write(printable(f"{where}: {problem.message}"))
    if problems:
        raise typer.Exit(FOUND_SOMETHING)
    count = len(document.receipts)
    write(printable(f"{count} receipt{'' if count == 1 else 's'} of {document.tenant}: whole and unchanged"))
    write(f"head: {document.head}")
    if not public_key:
        for key in sorted({receipt.public_key for receipt in document.receipts}):
            write(f"signed under {printable(key)}: compare it with the key that the studio's operators tell you")
    if noted is None:
        say("Note the head: with --head, the next check shows whether receipts at the end are missing.")
