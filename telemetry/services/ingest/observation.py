"""What tallies take of one valid event, before sampling and redaction, and without what must not be told apart."""

from collections.abc import Mapping
from typing import Any

import msgspec

from telemetry.core.compiled import CompiledEvent
from telemetry.core.events import Context
from telemetry.core.pseudonyms import Renaming

__all__ = ["Observation", "observe"]


class Observation(msgspec.Struct, frozen=True, gc=False):
    """``metrics`` are the numeric properties as sent; ``values`` those that are counted one by one.

    ``present`` are the declared properties that the event has, in the order in which they came. ``subject`` is the
    pseudonym of who did it; ``None`` when nobody is named, and at level sensitive.
    """

    metrics: Mapping[str, float]
    values: tuple[Any, ...]
    present: tuple[str, ...]
    subject: str | None


def observe(
    rules: CompiledEvent,
    properties: Mapping[str, Any],
    context: Context,
    metrics: Mapping[str, float],
    pseudonymiser: Renaming,
) -> Observation:
    """The observation of a valid event; shares nothing with it that redaction changes."""
    subject = _subject(context) if rules.names_subjects else None
    return Observation(
        metrics,
        tuple(map(properties.get, rules.counted)),
        tuple(properties),
        None if subject is None else pseudonymiser.pseudonym(subject),
    )


def _subject(context: Context) -> str | None:
    """Who is counted as one: the user, else the device, else the session, as in sampling."""
    return context.user_id or context.device_id or context.session_id
