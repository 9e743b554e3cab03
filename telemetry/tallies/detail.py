"""The sketches and counts inside a tally, and their stored form."""

import msgspec

__all__ = ["NumberTally", "TallyDetail", "decode_detail", "encode_detail"]


class NumberTally(msgspec.Struct, array_like=True):
    """The values of one numeric property: exact count, sum and ends, and a digest of all of them.

    ``beyond`` counts exactly how many values lay beyond each limit that the config in force names: ``">1500.0"``,
    ``"<0.0"``. For a property that is hidden in what is stored, values are rounded first, see ``rounding``; ``beyond``
    is exact all the same. At level sensitive there is ``beyond`` only, and ``count`` is what it was counted
    over; ``digest`` is empty then.
    """

    count: int
    total: float
    minimum: float
    maximum: float
    digest: bytes
    beyond: dict[str, int]


class TallyDetail(msgspec.Struct, array_like=True):
    """What was in the valid events of a tally, before sampling and redaction.

    ``valid`` counts them. ``numbers`` by property; ``values`` by property and value (``true``, ``false``, or an allowed
    value as text); ``missing`` counts, by property, those without it (for lack of a required one, events are rejected).
    ``subjects`` is a HyperLogLog sketch of pseudonyms, empty when there were none.
    """

    valid: int = 0
    numbers: dict[str, NumberTally] = msgspec.field(default_factory=dict)
    values: dict[str, dict[str, int]] = msgspec.field(default_factory=dict)
    missing: dict[str, int] = msgspec.field(default_factory=dict)
    subjects: bytes = b""


_encoder = msgspec.msgpack.Encoder()
_decoder = msgspec.msgpack.Decoder(TallyDetail)


def encode_detail(detail: TallyDetail) -> bytes:
    """The stored form."""
    return _encoder.encode(detail)


def decode_detail(stored: bytes) -> TallyDetail:
    """What the stored form says."""
    return _decoder.decode(stored)
