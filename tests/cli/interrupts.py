"""Children that Ctrl-C ends, whoever runs the tests."""

import signal

__all__ = ["heed_interrupts"]


def heed_interrupts() -> None:
    """For ``preexec_fn``. A process that a shell started in the background ignores them, and passes that on."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
