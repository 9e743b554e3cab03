"""What an entry hands to ``ingest_batch``: events that were decoded and mapped, and nothing else yet."""

from datetime import datetime

import msgspec

from telemetry.core.enums import EventSource
from telemetry.core.events import Envelope, Violation
from telemetry.core.reports import Report

__all__ = ["Incoming"]


class Incoming(msgspec.Struct, frozen=True, gc=False):
    """One event as a client sent it: nothing of it is redacted, so never log it.

    ``envelope`` is ``None`` when none could be made, and ``problem`` says why. ``sent_at`` is what the sender's clock
    showed when it sent the batch; ``app_version`` the version of the app that tracked it, if the client says so.
    ``report`` says what a tracker of ours made of the event before it sent it: then ``envelope`` is redacted.
    """

    envelope: Envelope | None
    source: EventSource
    problem: Violation | None = None
    app_version: str | None = None
    sent_at: datetime | None = None
    report: Report | None = None

    def __repr__(self) -> str:
        return f"Incoming(source={self.source.value!r})"
