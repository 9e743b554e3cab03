"""What a provider is, and how its deliveries are counted."""

from collections.abc import Awaitable
from typing import Any, Protocol, runtime_checkable

import msgspec

from telemetry.core.events import Accepted, Dispatch
from telemetry.core.reports import Report

__all__ = [
    "DeliveryStats",
    "Provider",
    "ReportsDelivery",
    "TakesOutcomes",
    "TakesReports",
    "analytics_properties",
    "distinct_id",
]


class Provider(Protocol):
    """A place where events go.

    ``send`` may be a plain or an ``async`` method, is called from any thread, and gets redacted events only.
    Returning ``False`` means that the event was dropped; any exception means that it failed; everything else, that it
    was taken. Set ``returns_at_once = True`` on a provider whose plain ``send`` never waits: ``atrack`` then calls it
    without a detour through a thread.
    """

    @property
    def id(self) -> str:
        """The name under which a tracker counts it; unique within a tracker."""

    def send(self, dispatch: Dispatch, /) -> Awaitable[object] | object:
        """Take one event."""


class DeliveryStats(msgspec.Struct, frozen=True, kw_only=True):
    """What became of the events given to one provider.

    ``sent`` were taken, ``failed`` were given up after an error, ``dropped`` found a full or closed queue, and
    ``waiting`` are still on their way. Together they are all events that the provider was given.
    """

    sent: int = 0
    failed: int = 0
    dropped: int = 0
    waiting: int = 0


@runtime_checkable
class ReportsDelivery(Protocol):
    """A provider that delivers later and knows better than its tracker what became of the events."""

    def delivery(self) -> DeliveryStats:
        """Counts since this process began to use the provider."""


@runtime_checkable
class TakesReports(Protocol):
    """A provider that is told of every event, kept or not; its ``take`` is called instead of ``send``."""

    def take(self, judged: Accepted | Report, /) -> Awaitable[object] | object:
        """Take what became of one event: its outcome if it is kept, else a report. Answers as ``send`` does."""


@runtime_checkable
class TakesOutcomes(Protocol):
    """A provider that looks at dispatches later; its ``take_kept`` is called instead of ``send``."""

    def take_kept(self, kept: Accepted, /) -> Awaitable[object] | object:
        """Take one event, whose dispatch may not be written yet. Answers as ``send`` does."""


def distinct_id(dispatch: Dispatch) -> str:
    """Return whom an analytics service should count: the user's pseudonym, else the session's, else the event's id.

    The last keeps anonymous events apart instead of making them one busy person.
    """
    return dispatch.context.user_id or dispatch.context.session_id or dispatch.id


def analytics_properties(dispatch: Dispatch) -> dict[str, Any]:
    """Return a new mapping of the event's properties, with what an analyst needs to count right.

    ``telemetry_inclusion_probability`` is the weight's inverse: an event kept with 0.25 stands for four.
    """
    around = {
        "telemetry_event_version": dispatch.version,
        "telemetry_inclusion_probability": dispatch.inclusion_probability,
        "telemetry_tenant_id": dispatch.context.tenant_id,
    }
    return {**{name: value for name, value in around.items() if value is not None}, **dispatch.properties}
