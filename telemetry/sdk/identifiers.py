"""Event ids and instants, taken once where the event happens, so that every retry carries the same ones."""

import os
from datetime import UTC, datetime
from functools import lru_cache, partial
from time import time_ns

import msgspec

__all__ = ["EventStamp", "GivenStamp", "new_event_id", "new_stamp", "utc_now"]

# The present instant, with the zone UTC.
utc_now = partial(datetime.now, UTC)

# Octet by octet, what makes a UUID of version 7 (high half of the seventh) and variant 10 (two bits of the ninth).
_VERSION = bytes(0x70 | octet & 0x0F for octet in range(256))
_VARIANT = bytes(0x80 | octet & 0x3F for octet in range(256))
# So many ends are made at once that asking the system for noise and writing them costs next to nothing for each.
_ENDS_AT_ONCE = 256


def _make_ends() -> list[str]:
    """The random ends of ids, without dashes: 7xxxyxxxxxxxxxxxxxxx."""
    noise = bytearray(os.urandom(10 * _ENDS_AT_ONCE))
    noise[0::10] = noise[0::10].translate(_VERSION)
    noise[2::10] = noise[2::10].translate(_VARIANT)
    return noise.hex(" ", 10).split()


@lru_cache(maxsize=4)
def _beginning(milliseconds: int) -> str:
    digits = f"{milliseconds:012x}"
    return f"{digits[:8]}-{digits[8:]}-"


# Taking one off is atomic. A forked child makes its own.
_ends: list[str] = []
_take_end = _ends.pop
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_ends.clear)


class EventStamp(msgspec.Struct, frozen=True):
    """The id and the instant of an event, not written yet: ``nanoseconds`` of Unix time, and the random end of the id.

    Taking them costs a fraction of writing them, which is left to whoever reads them. They read the same each time.
    """

    nanoseconds: int
    end: str

    @property
    def id(self) -> str:
        """A UUIDv7 as text; see ``new_event_id``."""
        end = self.end
        return f"{_beginning(self.nanoseconds // 1_000_000)}{end[:4]}-{end[4:8]}-{end[8:]}"

    @property
    def occurred_at(self) -> datetime:
        """The instant in UTC, cut off at the microsecond as ``datetime.now`` does."""
        return datetime.fromtimestamp(self.nanoseconds // 1000 / 1e6, UTC)


class GivenStamp(msgspec.Struct, frozen=True):
    """The id and the instant of an event, of which the app gave one at least."""

    id: str
    occurred_at: datetime


def new_stamp() -> EventStamp:
    """Return the id and the instant of an event that happens now, by the machine's clock."""
    try:
        return EventStamp(time_ns(), _take_end())
    except IndexError:
        end, *others = _make_ends()
        _ends.extend(others)
        return EventStamp(time_ns(), end)


def new_event_id() -> str:
    """Return a new UUIDv7 as text: 48 bits of Unix time in milliseconds, then 74 random bits.

    Ids made in different milliseconds sort by time; within one millisecond their order is random. The time is the
    machine's at the moment of the call, whatever ``occurred_at`` says, because stores file an id by the day inside it.

    Source: RFC 9562, section 5.7. Python has ``uuid.uuid7`` from 3.14 on; until then these lines are less to install
    and to keep than a package, and an id costs a tenth of what one by one would.
    """
    return new_stamp().id
