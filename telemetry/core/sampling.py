"""Which events are kept: a fixed function of rate, subject and salt, the same in every process and language.

Kept means ``hash < rate * 2**32``, where the hash is MurmurHash3 (x86, 32 bit, seed 0, unsigned) of the UTF-8 bytes of
``salt + ":" + unit``. A higher rate therefore keeps all that a lower one keeps, and more. Implementations in other
languages must agree with the vectors in ``docs/sampling-vectors.json``.
"""

from typing import Final, Literal

import mmh3

from telemetry.core.events import Context, Decision, Envelope

__all__ = ["HASH_SPACE", "decide", "sampling_point", "sampling_subject", "sampling_unit"]

HASH_SPACE: Final = 2**32


def decide(
    rate: float,
    unit: str,
    salt: str,
    *,
    reason: Literal["event_rate", "otherwise_rate"] = "event_rate",
) -> Decision:
    """Whether this unit is kept at this rate (ratio 0-1): 0 keeps none, 1 keeps all.

    The inclusion probability is the rate itself. Text that is no valid Unicode is hashed as well, with each lone
    surrogate as three bytes. ``ValueError`` when the rate is not between 0 and 1.
    Source: MurmurHash3 by Austin Appleby, public domain; `mmh3` computes it.
    """
    if not 0 <= rate <= 1:
        raise ValueError("a sampling rate is a number from 0 to 1")
    if rate == 1:
        return Decision(True, reason, rate)
    return Decision(sampling_point(unit, salt) < rate * HASH_SPACE, reason, rate)


def sampling_point(unit: str, salt: str) -> int:
    """The unit's place from 0 up to ``HASH_SPACE``: it is kept at every rate whose share of that space is above it."""
    return mmh3.hash(f"{salt}:{unit}".encode("utf-8", "surrogatepass"), 0, False)


def sampling_unit(envelope: Envelope) -> str:
    """What is kept or dropped as a whole: the user, else the device, else the session, else this one event.

    The device comes before the session because it stands for the person as long as nobody has signed in, so that a
    person's sessions stay together. Empty ids count as absent: many clients send them for "nobody".
    """
    return sampling_subject(envelope.context) or envelope.id


def sampling_subject(context: Context) -> str | None:
    """The sampling unit of all events in this context; empty or ``None`` when each event is one of its own."""
    return context.user_id or context.device_id or context.session_id
