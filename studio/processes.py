"""Child processes that never outlive the one that started them."""

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

__all__ = ["last_lines", "start_process", "stop_process"]

_SET_PARENT_DEATH_SIGNAL = 1  # PR_SET_PDEATHSIG of Linux's <sys/prctl.h>
_OLD_LOG = ".previous"


def start_process(
    command: Sequence[str | Path],
    *,
    log: Path,
    environment: Mapping[str, str] | None = None,
    directory: Path | None = None,
    user: str | None = None,
    stop_signal: signal.Signals = signal.SIGTERM,
    standard_input: str | None = None,
) -> subprocess.Popen[bytes]:
    """The command runs in a session of its own, so that Ctrl-C in the terminal reaches only its starter.

    Both its outputs go to ``log``; the log of the run before is kept beside it. ``user`` needs root. On Linux the
    kernel sends ``stop_signal`` to the child if the calling thread dies without stopping it. Raises ``OSError``.
    """
    if log.exists():
        log.replace(log.with_name(log.name + _OLD_LOG))
    with log.open("wb") as output:
        process = subprocess.Popen(  # noqa: S603 - every command is our own, none comes from outside
            [os.fspath(part) for part in command],
            stdin=subprocess.PIPE if standard_input is not None else subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            env=dict(os.environ if environment is None else environment),
            cwd=directory,
            start_new_session=True,
            user=user,
            group=user,
            extra_groups=None if user is None else [],
            preexec_fn=_dies_with_parent(stop_signal),
        )
    if process.stdin is not None:
        with process.stdin:
            process.stdin.write((standard_input or "").encode())
    return process


def stop_process(
    process: subprocess.Popen[bytes], *, stop_signal: signal.Signals = signal.SIGTERM, patience_seconds: float = 10
) -> None:
    """The process and its session are gone; it had ``patience_seconds`` to end by itself after ``stop_signal``."""
    if process.poll() is None:
        process.send_signal(stop_signal)
        with suppress(subprocess.TimeoutExpired):
            process.wait(patience_seconds)
    # Its number is the group's number, since it leads its own session: children it left behind end here.
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()


def last_lines(log: Path, count: int = 15) -> str:
    """The last lines of a log file, at most ``count``; empty if there is none."""
    try:
        return "\n".join(log.read_text(errors="replace").splitlines()[-count:])
    except OSError:
        return ""


def _dies_with_parent(stop_signal: signal.Signals) -> Callable[[], None] | None:
    """What the child calls before it becomes the command; None where the system has no such thing."""
    if sys.platform != "linux":
        return None
    set_process_control = ctypes.CDLL(None, use_errno=True).prctl

    def ask_kernel() -> None:
        set_process_control(_SET_PARENT_DEATH_SIGNAL, int(stop_signal))

    return ask_kernel
