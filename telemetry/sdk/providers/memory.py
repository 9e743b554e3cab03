"""Events kept in memory, for tests and examples."""

from typing import ClassVar

from telemetry.core.events import Dispatch

__all__ = ["InMemoryProvider"]


class InMemoryProvider:
    """Keeps every event it is given, in order, without bound: for tests and short programs."""

    returns_at_once: ClassVar[bool] = True

    def __init__(self, provider_id: str = "memory") -> None:
        self.id = provider_id
        self._dispatches: list[Dispatch] = []

    @property
    def dispatches(self) -> tuple[Dispatch, ...]:
        """All events since the start or the last ``clear``, oldest first."""
        return tuple(self._dispatches)

    def send(self, dispatch: Dispatch, /) -> None:
        """Keep one event."""
        self._dispatches.append(dispatch)

    def clear(self) -> None:
        """Forget all events."""
        self._dispatches.clear()
