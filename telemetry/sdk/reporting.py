"""Telling providers that want to know of events that are not kept."""

import logging
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol

from telemetry.core.events import Context, Dropped, Envelope, Rejected
from telemetry.core.intake import InvalidEnvelope, is_identifier, take_envelope
from telemetry.core.reports import Report, report_dropped, report_rejected
from telemetry.core.unwritten import Stamp
from telemetry.sdk.identifiers import new_event_id
from telemetry.sdk.rules import Rules

__all__ = ["ReportReceiver", "ReportWriter"]

logger = logging.getLogger("telemetry.sdk")


class ReportReceiver(Protocol):
    """Where reports go."""

    @property
    def wants_reports(self) -> bool:
        """Whether anybody wants to know."""

    def report(self, report: Report) -> None:
        """Pass it on; never raises."""


class ReportWriter:
    """Writes reports while the app waits, so that nothing raw is kept for later. Nothing in here raises."""

    def __init__(self, receiver: ReportReceiver) -> None:
        self._receiver = receiver

    def tell(self, envelope: Envelope, outcome: Dropped | Rejected, rules: object) -> None:
        """Report an event that was not kept; ``rules`` are those by which it was judged, if there were any."""
        if not self._receiver.wants_reports:
            return
        try:
            self._receiver.report(_write(envelope, outcome, rules if isinstance(rules, Rules) else None))
        except Exception as error:  # noqa: BLE001  what an app passes may be of classes that raise anything
            logger.error("event.not_reported error=%s", type(error).__name__)

    def tell_of_dropped(
        self,
        stamp: Stamp,
        properties: Mapping[str, Any],
        context: Context,
        outcome: Dropped,
        rules: Rules,
    ) -> None:
        """As ``tell``, for an event that never had an envelope."""
        if self._receiver.wants_reports:
            envelope = Envelope(
                id=stamp.id, name=outcome.name, occurred_at=stamp.occurred_at, properties=properties, context=context
            )
            self.tell(envelope, outcome, rules)

    def tell_of_nothing(self, outcome: Rejected) -> None:
        """Report what was no event to begin with."""
        if self._receiver.wants_reports:
            self.tell(Envelope(id=new_event_id(), name="", occurred_at=datetime.now(UTC)), outcome, None)


def _write(envelope: Envelope, outcome: Dropped | Rejected, rules: Rules | None) -> Report:
    if isinstance(outcome, Dropped) and rules is not None:
        return report_dropped(take_envelope(envelope), outcome, rules.compiled, key=rules.key)
    if isinstance(outcome, Dropped):
        raise TypeError("an event is dropped by rules only")
    identity, moment = envelope.id, envelope.occurred_at
    try:
        taken = take_envelope(envelope)
        identity, moment = taken.id, taken.occurred_at
    except InvalidEnvelope:
        # What is wrong is in the violations; a report needs an id and an instant all the same.
        if type(identity) is not str or not is_identifier(identity):
            identity = new_event_id()
        if type(moment) is not datetime or moment.tzinfo is not UTC:
            moment = datetime.now(UTC)
    return report_rejected(
        outcome,
        event_id=identity,
        name=envelope.name,
        occurred_at=moment,
        revision=0 if rules is None else rules.compiled.revision,
    )
