"""Event ids, minted once where the event happens, so that every retry carries the same one."""

import os
import time

__all__ = ["new_event_id"]

# The variant's two bits, 10, and two random ones, by the random hex digit that they replace.
_VARIANTS = {digit: "89ab"[int(digit, 16) % 4] for digit in "0123456789abcdef"}


def new_event_id() -> str:
    """Return a new UUIDv7 as text: 48 bits of Unix time in milliseconds, then 74 random bits.

    Ids made in different milliseconds sort by time; within one millisecond their order is random. The time is the
    machine's at the moment of the call, whatever ``occurred_at`` says, because stores file an id by the day inside it.

    Source: RFC 9562, section 5.7. Python has ``uuid.uuid7`` from 3.14 on; until then these lines are less to install
    and to keep than a package. Text all the way, which takes half the time of big integers.
    """
    milliseconds = f"{time.time_ns() // 1_000_000:012x}"
    noise = os.urandom(10).hex()
    return f"{milliseconds[:8]}-{milliseconds[8:]}-7{noise[1:4]}-{_VARIANTS[noise[4]]}{noise[5:8]}-{noise[8:]}"
