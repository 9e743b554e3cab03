"""Event ids, minted once where the event happens, so that every retry carries the same one."""

import os
import time

__all__ = ["new_event_id"]

_RANDOM_BITS = 80
_VERSION = 0x7 << 76
_VARIANT = 0b10 << 62


def new_event_id() -> str:
    """Return a new UUIDv7 as text: 48 bits of Unix time in milliseconds, then 74 random bits.

    Ids made in different milliseconds sort by time; within one millisecond their order is random. The time is the
    machine's at the moment of the call, whatever ``occurred_at`` says, because stores file an id by the day inside it.

    Source: RFC 9562, section 5.7. Python has ``uuid.uuid7`` from 3.14 on; until then ten lines are less to install
    and to keep than a package.
    """
    milliseconds = (time.time_ns() // 1_000_000) & 0xFFFF_FFFF_FFFF
    noise = int.from_bytes(os.urandom(_RANDOM_BITS // 8), "big")
    # rand_a keeps 12 of the upper 16 bits beside the version, rand_b 62 of the lower 64 beside the variant.
    lower = _VERSION | (noise & (0xFFF << 64)) | _VARIANT | (noise & ((1 << 62) - 1))
    digits = f"{(milliseconds << _RANDOM_BITS) | lower:032x}"
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:]}"
