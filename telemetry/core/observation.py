"""What tallies take of one valid event, before sampling and redaction, and without what must not be told apart."""

from collections.abc import Callable, Mapping
from typing import Any

import msgspec

from telemetry.core.compiled import CompiledEvent
from telemetry.core.events import Context
from telemetry.core.pseudonyms import Renaming
from telemetry.core.sampling import sampling_subject

__all__ = ["Observation", "Observer", "observe", "observed_subject"]


class Observation(msgspec.Struct, frozen=True, gc=False):
    """``numbers`` are the numeric properties as sent, and ``measured`` their names; ``values`` are counted one by one.

    ``present`` are the declared properties that the event has, in the order in which they came. ``subject`` is the
    pseudonym of who did it; ``None`` when nobody is named, without a key, and at level sensitive. It shares nothing
    with the event that redaction changes.
    """

    measured: tuple[str, ...]
    numbers: tuple[float, ...]
    values: tuple[Any, ...]
    present: tuple[str, ...]
    subject: str | None


# Is called once for each valid event, whatever is decided about it afterwards.
Observer = Callable[[Observation], None]


def observe(
    rules: CompiledEvent,
    properties: Mapping[str, Any],
    context: Context,
    metrics: Mapping[str, float],
    pseudonymiser: Renaming | None,
) -> Observation:
    """The observation of a valid event that has these plain values."""
    return Observation(
        tuple(metrics),
        tuple(metrics.values()),
        tuple(map(properties.get, rules.counted)),
        tuple(properties),
        observed_subject(context, pseudonymiser if rules.names_subjects else None),
    )


def observed_subject(context: Context, pseudonymiser: Renaming | None) -> str | None:
    """The pseudonym of who is counted as one: the user, else the device, else the session, as in sampling."""
    subject = sampling_subject(context)
    return pseudonymiser.pseudonym(subject) if subject and pseudonymiser is not None else None
