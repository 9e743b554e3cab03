"""What happens to background work when the process forks or ends.

A forked child inherits memory but no threads: locks may be held for ever by threads that are gone, and queues hold
events that the parent is going to send. Everything with a thread or a lock therefore renews itself in the child.
"""

import atexit
import os
import time
from typing import Protocol
from weakref import WeakSet

__all__ = ["Finishing", "Renewable", "finish_at_exit", "renew_in_children"]

# Long enough to hand a full batch to a healthy server, short enough that nobody reaches for kill.
EXIT_BUDGET_SECONDS = 5.0


class Renewable(Protocol):
    """Something that must not use its parent's threads, locks or queue after a fork."""

    def renew_after_fork(self) -> None:
        """Start afresh in the child: new locks, no thread, nothing queued. Runs before any other code there."""


class Finishing(Protocol):
    """Something that has work left when the interpreter ends."""

    def shutdown(self, timeout: float) -> bool:
        """Finish within ``timeout`` seconds; true when nothing was left behind."""


# One hook for all, over weak references: hooks cannot be unregistered, and must not keep closed trackers alive.
_renewables: WeakSet[Renewable] = WeakSet()
_finishing: WeakSet[Finishing] = WeakSet()


def renew_in_children(thing: Renewable) -> None:
    """From now on ``thing.renew_after_fork()`` runs in every child that this process forks."""
    _renewables.add(thing)


def finish_at_exit(thing: Finishing) -> None:
    """From now on ``thing.shutdown()`` runs when the interpreter ends; all of them share five seconds.

    A child made by ``multiprocessing`` ends without it, as Python runs no exit handlers there: close the tracker.
    """
    _finishing.add(thing)


def _renew_all() -> None:
    for thing in list(_renewables):
        thing.renew_after_fork()


def _finish_all() -> None:
    deadline = time.monotonic() + EXIT_BUDGET_SECONDS
    for thing in list(_finishing):
        thing.shutdown(max(0.0, deadline - time.monotonic()))


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_all)
atexit.register(_finish_all)
