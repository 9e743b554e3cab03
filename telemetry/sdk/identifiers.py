"""Event ids, minted once where the event happens, so that every retry carries the same one."""

import os
import time
from functools import lru_cache

__all__ = ["new_event_id"]

# Octet by octet, what makes a UUID of version 7 (high half of the seventh) and variant 10 (two bits of the ninth).
_VERSION = bytes(0x70 | octet & 0x0F for octet in range(256))
_VARIANT = bytes(0x80 | octet & 0x3F for octet in range(256))
# The random end of an id: 7xxx-yxxx-xxxxxxxxxxxx and a blank that parts it from the next; digits go to these places.
_END = b"    -    -             "
_PLACES = [place for place in range(len(_END) - 1) if place not in (4, 9)]
# So many ends are made at once that asking the system for noise and writing them costs next to nothing for each.
_ENDS_AT_ONCE = 256


def _make_ends() -> list[str]:
    noise = bytearray(os.urandom(10 * _ENDS_AT_ONCE))
    noise[0::10] = noise[0::10].translate(_VERSION)
    noise[2::10] = noise[2::10].translate(_VARIANT)
    digits = noise.hex().encode()
    text = bytearray(_END * _ENDS_AT_ONCE)
    for index, place in enumerate(_PLACES):
        text[place :: len(_END)] = digits[index::20]
    return text.decode().split()


@lru_cache(maxsize=4)
def _beginning(milliseconds: int) -> str:
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-"


# Taking one off is atomic. A forked child makes its own.
_ends: list[str] = []
_take_end = _ends.pop
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ends.clear)


def new_event_id() -> str:
    """Return a new UUIDv7 as text: 48 bits of Unix time in milliseconds, then 74 random bits.

    Ids made in different milliseconds sort by time; within one millisecond their order is random. The time is the
    machine's at the moment of the call, whatever ``occurred_at`` says, because stores file an id by the day inside it.

    Source: RFC 9562, section 5.7. Python has ``uuid.uuid7`` from 3.14 on; until then these lines are less to install
    and to keep than a package, and an id costs a tenth of what one by one would.
    """
    try:
        end = _take_end()
    except IndexError:
        end, *others = _make_ends()
        _ends.extend(others)
    return _beginning(time.time_ns() // 1_000_000) + end
