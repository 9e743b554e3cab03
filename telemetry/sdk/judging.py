"""Judging events: rules, outcome, anomaly monitor, counts and callbacks, but no hand-over."""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from telemetry.core.anomaly import AnomalyMonitor, Seen
from telemetry.core.enums import DropReason, ViolationCode
from telemetry.core.errors import UnknownEvent
from telemetry.core.events import Accepted, Context, Dropped, Envelope, Outcome, Rejected, Violation
from telemetry.core.pipeline import process_event
from telemetry.core.reading import shown_name
from telemetry.sdk.contexts import usual_context
from telemetry.sdk.counts import OutcomeCounts
from telemetry.sdk.hold import Held, HoldQueue
from telemetry.sdk.identifiers import EventStamp, GivenStamp, new_event_id, new_stamp, utc_now
from telemetry.sdk.incoming import Incoming, prepare, rejection, unprocessable
from telemetry.sdk.reporting import ReportWriter
from telemetry.sdk.rules import Rules, RuleSource

__all__ = ["Judge", "OutcomeCallback", "ViolationCallback"]

_NO_PROPERTIES: dict[str, Any] = {}

logger = logging.getLogger("telemetry.sdk")

OutcomeCallback = Callable[[str, Outcome], object]
ViolationCallback = Callable[[str, Violation], object]


class Judge:
    """Turns incoming events into outcomes; holds them in memory while no rules are known.

    Nothing in here raises on account of an event: what cannot be processed is rejected and counted.
    """

    def __init__(
        self,
        rules: RuleSource,
        *,
        counts: OutcomeCounts,
        hold: HoldQueue,
        monitor: AnomalyMonitor | None,
        reports: ReportWriter,
        on_outcome: OutcomeCallback | None,
        on_violation: ViolationCallback | None,
        clock: Callable[[], datetime],
        id_factory: Callable[[], str],
    ) -> None:
        self._rules = rules
        self._clock = clock
        self._id_factory = id_factory
        # Ids of our own making need no check; with our own clock besides, a stamp is both.
        self._mints_ids = id_factory is new_event_id
        self._stamps_itself = self._mints_ids and clock is utc_now
        self._counts = counts
        self._hold = hold
        self._monitor = monitor
        self._reports = reports
        self._on_outcome = on_outcome
        self._on_violation = on_violation

    def renew_after_fork(self) -> None:
        """Let the monitor watch afresh in the child: what it saw so far, the parent judges."""
        if self._monitor is not None:
            self._monitor.renew_after_fork()

    def judge(self, incoming: Incoming) -> Outcome | Held:
        """Return the outcome of an event, after counting, observing and reporting it, or hold it."""
        rules = self._find_rules(incoming.envelope)
        return self._wait(incoming) if rules is None else self._settle(incoming, rules)

    def receive(
        self, name: Any, version: Any, properties: Any, context: Any, event_id: Any, occurred_at: Any
    ) -> Outcome | Held:
        """As ``judge``, for what an app passes to ``track``: all of it may be anything."""
        try:
            if event_id is None and occurred_at is None and self._stamps_itself:
                stamp: EventStamp | GivenStamp = new_stamp()
                outcome = self._judge_usual(stamp, name, version, properties, context)
            else:
                stamp = self._stamp(event_id, occurred_at)
                is_usual = event_id is None and self._mints_ids and _is_utc(stamp.occurred_at)
                outcome = self._judge_usual(stamp, name, version, properties, context) if is_usual else None
            if outcome is not None:
                return outcome
            incoming = prepare(name, version, properties, context, stamp.id, stamp.occurred_at)
        except Exception as error:  # noqa: BLE001  a mapping of the app's own making may raise anything
            return self.reject(unprocessable(error))
        return self.judge(incoming)

    def _stamp(self, event_id: Any, occurred_at: Any) -> GivenStamp:
        return GivenStamp(
            self._id_factory() if event_id is None else event_id,
            self._clock() if occurred_at is None else occurred_at,
        )

    def _judge_usual(
        self, stamp: EventStamp | GivenStamp, name: Any, version: Any, properties: Any, context: Any
    ) -> Accepted | Dropped | None:
        """As ``judge``, quickly, for an event with nothing unusual about it; ``None`` for all others, with no trace.

        The stamp is valid; all else is as the app gave it.
        """
        around = context if type(context) is Context else usual_context(context)
        if around is None or (type(version) is not int and version is not None):
            return None
        try:
            rules = self._rules.rules_for(name, version)
        except Exception:  # noqa: BLE001  what is wrong with the name, the long way tells
            return None
        if rules is None:
            return None
        if properties is None:
            properties = _NO_PROPERTIES
        outcome = rules.lane.judge(stamp, name, version, properties, around)
        if outcome is None:
            return None
        if type(outcome) is Dropped:
            self._tell_of_dropped(outcome, stamp, properties, around, rules)
        else:
            self._counts.count_accepted()
        if self._monitor is not None:
            self.call(self._observe, self._monitor, stamp.occurred_at, rules, outcome, properties, around)
        if self._on_outcome is not None:
            self.call(self._on_outcome, stamp.id, outcome)
        return outcome

    def _tell_of_dropped(
        self, outcome: Dropped, stamp: EventStamp | GivenStamp, properties: Any, context: Context, rules: Rules
    ) -> None:
        if outcome.reason is DropReason.SAMPLED_OUT:
            self._counts.count_sampled_out()
        else:
            self._counts.count_disabled()
        self._reports.tell_of_dropped(stamp, properties, context, outcome, rules)

    def judge_held(self) -> Iterator[Outcome | Held]:
        """Yield the outcomes of all events that were held, in the order in which they came."""
        for incoming in self._hold.take_all():
            self._counts.add("held", -1)
            yield self.judge(incoming)

    def reject(self, rejected: Rejected) -> Rejected:
        """Count and report what was no event to begin with."""
        self._counts.add("rejected")
        self._reports.tell_of_nothing(rejected)
        self._report_violations("", rejected.violations)
        return rejected

    def _find_rules(self, envelope: Envelope) -> Rules | Rejected | None:
        try:
            return self._rules.rules_for(envelope.name, envelope.version)
        except UnknownEvent:
            return rejection(ViolationCode.UNKNOWN_EVENT, "name", "no registered spec defines this event")
        except Exception as error:  # noqa: BLE001  a name of a type that cannot be looked up must not break the app
            return unprocessable(error)

    def _settle(self, incoming: Incoming, rules: Rules | Rejected) -> Outcome:
        outcome = rules if isinstance(rules, Rejected) else _process(incoming.envelope, rules)
        if incoming.violations:
            outcome = msgspec.structs.replace(outcome, violations=incoming.violations + outcome.violations)
        self._counts.add(_counter_of(outcome))
        if not isinstance(outcome, Accepted):
            self._reports.tell(incoming.envelope, outcome, rules)
        if self._monitor is not None and isinstance(rules, Rules):
            envelope = incoming.envelope
            self.call(
                self._observe,
                self._monitor,
                envelope.occurred_at,
                rules,
                outcome,
                envelope.properties,
                envelope.context,
            )
        if self._on_outcome is not None:
            self.call(self._on_outcome, incoming.envelope.id, outcome)
        if self._on_violation is not None and outcome.violations:
            self._report_violations(_shown(incoming.envelope.name), outcome.violations)
        return outcome

    def _observe(
        self,
        monitor: AnomalyMonitor,
        occurred_at: datetime,
        rules: Rules,
        outcome: Outcome,
        properties: Mapping[str, Any],
        context: Context,
    ) -> None:
        if outcome.name is None or outcome.version is None:
            return
        is_rejected = isinstance(outcome, Rejected)
        subject = context.user_id or context.device_id or context.session_id
        monitor.observe(
            rules.events[outcome.name, outcome.version],
            {} if isinstance(outcome, Rejected) else outcome.metrics,
            occurred_at,
            window=rules.window,
            seen=Seen(properties, subject, is_rejected, bool(outcome.violations)),
            now=self._clock(),
        )

    def _wait(self, incoming: Incoming) -> Outcome | Held:
        self._counts.add("held")
        is_kept = self._hold.put_unless(self._rules.has_rules, incoming)
        if is_kept is None:
            # A config came in this very moment.
            self._counts.add("held", -1)
            return self.judge(incoming)
        if not is_kept:
            self._counts.move("held", "hold_dropped")
        return Held(event_id=incoming.envelope.id, is_kept=is_kept)

    def _report_violations(self, name: str, violations: Iterable[Violation]) -> None:
        for violation in violations:
            self.call(self._on_violation, name, violation)

    def call(self, callback: Callable[..., object] | None, *arguments: object) -> None:
        """Call back into the app; what it raises is counted and logged by type."""
        if callback is None:
            return
        try:
            callback(*arguments)
        except Exception as error:  # noqa: BLE001  the app's own mistake in a callback must not lose the event
            self._counts.add("callback_errors")
            logger.error("callback.failed error=%s", type(error).__name__)


def _process(envelope: Envelope, rules: Rules) -> Outcome:
    try:
        return process_event(envelope, rules.compiled, key=rules.key)
    except Exception as error:  # noqa: BLE001  a mistake in here must not break the app that wants to be measured
        return unprocessable(error)


def _is_utc(moment: object) -> bool:
    return type(moment) is datetime and moment.tzinfo is UTC


def _counter_of(outcome: Outcome) -> str:
    if isinstance(outcome, Accepted):
        return "accepted"
    return outcome.reason.value if isinstance(outcome, Dropped) else "rejected"


def _shown(name: object) -> str:
    # A name that no spec knows may carry data, and callbacks are where logs are written.
    return (shown_name(name) or "") if isinstance(name, str) else ""
