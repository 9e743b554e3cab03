"""What a tracker tells its studio about events that it judged by the installation's config: redacted, and complete.

A tracker of ours obeys the same config as the studio does, so it need not send anything raw. It reports *every* event,
kept or not, so that the studio's balance and tallies hold: what was kept as the dispatch that all providers get, what
was sampled out or disabled with no more than tallies take, what was rejected with its violations.
See ``docs/adr/0006-reports-of-trackers.md``.
"""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Any

import msgspec

from telemetry.core.compiled import CompiledConfig, CompiledEvent
from telemetry.core.enums import DropReason
from telemetry.core.events import Accepted, Context, Dropped, Envelope, PseudonymKey, Rejected, Violation
from telemetry.core.pseudonyms import pseudonymiser_for
from telemetry.core.reading import shown_name
from telemetry.core.values import EMPTY_MAPPING

__all__ = ["Report", "ReportedOutcome", "report_accepted", "report_dropped", "report_rejected"]


class ReportedOutcome(StrEnum):
    """What a tracker made of an event."""

    ACCEPTED = "accepted"
    SAMPLED_OUT = "sampled_out"
    DISABLED = "disabled"
    REJECTED = "rejected"


class Report(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """One event as its tracker judged it under ``config_revision``; safe to log, store and send.

    ``properties`` and ``context`` are redacted. Of an event that was not kept they hold what tallies take: numbers and
    listed values of which nothing has to be hidden, and the pseudonym of whom the event is about. ``present`` are the
    declared properties that such an event had. ``redacted`` names the paths of what was hidden or left out.
    """

    id: str
    name: str
    version: int | None = None
    occurred_at: datetime
    outcome: ReportedOutcome
    config_revision: int
    inclusion_probability: float = 1.0
    properties: Mapping[str, Any] = EMPTY_MAPPING
    context: Context = Context()
    present: tuple[str, ...] = ()
    redacted: tuple[str, ...] = ()
    violations: tuple[Violation, ...] = ()


_REASONS = {
    DropReason.SAMPLED_OUT: ReportedOutcome.SAMPLED_OUT,
    DropReason.DISABLED: ReportedOutcome.DISABLED,
}


def report_accepted(outcome: Accepted) -> Report:
    """The report of an event that is kept."""
    dispatch = outcome.dispatch
    return Report(
        id=dispatch.id,
        name=dispatch.name,
        version=dispatch.version,
        occurred_at=dispatch.occurred_at,
        outcome=ReportedOutcome.ACCEPTED,
        config_revision=dispatch.config_revision,
        inclusion_probability=dispatch.inclusion_probability,
        properties=dispatch.properties,
        context=dispatch.context,
        redacted=outcome.redacted,
        violations=outcome.violations,
    )


def report_dropped(
    envelope: Envelope, outcome: Dropped, compiled: CompiledConfig, *, key: PseudonymKey | None
) -> Report:
    """The report of a valid event that is not kept; ``compiled`` is what it was judged by."""
    rules = compiled.find(outcome.name, outcome.version)
    if rules is None:
        raise ValueError("the event was not judged by this config")
    return Report(
        id=envelope.id,
        name=outcome.name,
        version=outcome.version,
        occurred_at=envelope.occurred_at,
        outcome=_REASONS[outcome.reason],
        config_revision=compiled.revision,
        properties=_tallied(envelope.properties, outcome.metrics, rules),
        context=_subject(envelope.context, key if rules.names_subjects else None),
        # The names as the rules have them: what the app gave may be of a class of its own.
        present=tuple(name for name in rules.properties.all if name in envelope.properties),
        violations=outcome.violations,
    )


def report_rejected(outcome: Rejected, *, event_id: str, name: object, occurred_at: datetime, revision: int) -> Report:
    """The report of an event that broke its contract; of a name that no spec knows it keeps what may be shown."""
    shown = shown_name(name) if isinstance(name, str) else None
    return Report(
        id=event_id,
        name=outcome.name or shown or "",
        version=outcome.version,
        occurred_at=occurred_at,
        outcome=ReportedOutcome.REJECTED,
        config_revision=revision,
        violations=outcome.violations,
    )


def _tallied(properties: Mapping[str, Any], metrics: Mapping[str, float], rules: CompiledEvent) -> dict[str, Any]:
    hidden = rules.properties.hidden
    numbers = {name: value for name, value in metrics.items() if name not in hidden}
    # Read once more, as what the app gave may be of a class of its own.
    counted = {
        name: rules.properties.all[name].read(properties[name])
        for name in rules.counted
        if properties.get(name) is not None
    }
    return {**numbers, **counted}


def _subject(context: Context, key: PseudonymKey | None) -> Context:
    """Whom the event is about, as a pseudonym: the user, else the device, else the session, as in sampling."""
    if key is None:
        return Context()
    name_of = pseudonymiser_for(key).pseudonym
    if context.user_id:
        return Context(user_id=name_of(context.user_id))
    if context.device_id:
        return Context(device_id=name_of(context.device_id))
    return Context(session_id=name_of(context.session_id)) if context.session_id else Context()
