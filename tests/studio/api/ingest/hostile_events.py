"""The bodies that whoever sends events may think of: sixty-one of them, each with the answer that it has to get.

Parts stand in one event, in place of a good value, key or field, next to an event that is good. Wholes are made of a
body that is good. Neither may ever be an error of the server.
"""

import gzip
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

import zstandard

__all__ = ["PARTS", "WHOLES", "HostilePart", "HostileWhole"]


@dataclass(frozen=True)
class HostilePart:
    """``text`` is JSON, or nearly, for the ``place``: value, number, items (an object), key, id, time, name, version.

    ``expected`` is what the batch API makes of that event: ``stored`` or the code of the violation. ``is_json`` says
    whether a strict reader can read it at all: other clients' bodies are read as wholes, so that one that is not JSON
    costs its neighbours there.
    """

    name: str
    place: str
    text: bytes
    expected: str
    is_json: bool = True

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class HostileWhole:
    """``make`` makes it of a good body; the batch API answers ``status``, the addresses of other clients ``others``."""

    name: str
    make: Callable[[bytes], bytes]
    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    others: frozenset[int] = frozenset({400})

    def __str__(self) -> str:
        return self.name


# Made once: packing a hundred megabytes takes longer than refusing them.
_GZIP_BOMB: Final = gzip.compress(b" " * 100_000_000, compresslevel=1)
_ZSTD_BOMB: Final = zstandard.compress(b" " * 100_000_000, 1)


def _json(value: object) -> bytes:
    return json.dumps(value).encode()


PARTS: Final[list[HostilePart]] = [
    # Texts that no column holds, or that are no text
    HostilePart("a NUL", "value", b'"a\\u0000b"', "unsafe_value"),
    HostilePart("a high surrogate alone", "value", b'"a\\ud800b"', "malformed", is_json=False),
    HostilePart("a low surrogate alone", "value", b'"\\udc00"', "malformed", is_json=False),
    HostilePart("a byte that is no UTF-8", "value", b'"\xff"', "malformed", is_json=False),
    HostilePart("an overlong NUL", "value", b'"\xc0\x80"', "malformed", is_json=False),
    HostilePart("a surrogate as bytes", "value", b'"\xed\xa0\x80"', "malformed", is_json=False),
    HostilePart("beyond Unicode", "value", b'"\xf4\x90\x80\x80"', "malformed", is_json=False),
    HostilePart("a raw line break", "value", b'"a\nb"', "malformed", is_json=False),
    HostilePart("a bad escape", "value", b'"\\x00"', "malformed", is_json=False),
    HostilePart("70,000 characters", "value", _json("a" * 70_000), "unsafe_value"),
    # Texts that somebody else might run
    HostilePart("a script", "value", _json("<script>alert(1)</script>"), "stored"),
    HostilePart("a formula", "value", _json("=cmd|'/C calc'!A0"), "stored"),
    HostilePart("a template", "value", _json("{{7*7}} ${7*7} {% debug %}"), "stored"),
    HostilePart("SQL", "value", _json("'; DROP TABLE telemetry_storedevent; --"), "stored"),
    HostilePart("a header", "value", _json("a\r\nSet-Cookie: b=c"), "stored"),
    HostilePart("text that runs backwards", "value", _json("\u202egnp.exe\u200b"), "stored"),
    # Other types
    HostilePart("truth for a text", "value", b"true", "wrong_type"),
    HostilePart("a list for a text", "value", b"[]", "wrong_type"),
    HostilePart("an object for a text", "value", b'{"__class__": "a"}', "wrong_type"),
    HostilePart("null for what is required", "value", b"null", "missing_required"),
    # Numbers
    HostilePart("not a number", "number", b"NaN", "malformed", is_json=False),
    HostilePart("infinity", "number", b"-Infinity", "malformed", is_json=False),
    HostilePart("2 to the 64th", "number", b"18446744073709551616", "stored"),
    HostilePart("400 digits", "number", b"9" * 400, "unsafe_value"),
    HostilePart("4,000 digits", "number", b"-" + b"9" * 4_000, "unsafe_value"),
    HostilePart("beyond a double", "number", b"1e400", "malformed", is_json=False),
    HostilePart("131,071 digits in nine characters", "number", b"1e131071", "malformed", is_json=False),
    HostilePart("hexadecimal", "number", b"0x10", "malformed", is_json=False),
    HostilePart("a leading zero", "number", b"010", "malformed", is_json=False),
    # Structures
    HostilePart("40 deep", "items", b'{"a":' * 40 + b"1" + b"}" * 40, "unsafe_value"),
    HostilePart("2,000 deep", "items", b"[" * 2_000 + b"]" * 2_000, "malformed", is_json=False),
    HostilePart("2,000 keys", "items", _json({f"key {number}": 0 for number in range(2_000)}), "stored"),
    HostilePart("prototypes", "items", b'{"__proto__": {"isAdmin": true}, "constructor": {}}', "stored"),
    # Keys
    HostilePart("a NUL in a key", "key", b'"a\\u0000b"', "stored"),
    HostilePart("a surrogate in a key", "key", b'"\\ud800"', "malformed", is_json=False),
    HostilePart("an empty key", "key", b'""', "stored"),
    HostilePart("a key of 10,000 characters", "key", _json("k" * 10_000), "stored"),
    HostilePart("a key that says who somebody is", "key", _json("canary.7731@example.com"), "stored"),
    # Fields
    HostilePart("a number as id", "id", b"1", "malformed"),
    HostilePart("an id of 10,000 characters", "id", _json("i" * 10_000), "unsafe_value"),
    HostilePart("a time before all times", "time", b'"0001-01-01T00:00:00+23:59"', "unsafe_value"),
    HostilePart("the year 9999", "time", b'"9999-12-31T23:59:59-23:59"', "unsafe_value"),
    HostilePart("a time of no zone", "time", b'"2026-11-22T12:00:00"', "wrong_type"),
    HostilePart("a word for a time", "time", b'"yesterday"', "malformed"),
    HostilePart("an empty name", "name", b'""', "unknown_event"),
    HostilePart("a name of 10,000 characters", "name", _json("n" * 10_000), "unknown_event"),
    HostilePart("a name that says who somebody is", "name", _json("canary.7731@example.com"), "unknown_event"),
    HostilePart("a version below all versions", "version", b"-1", "wrong_type"),
]


WHOLES: Final[list[HostileWhole]] = [
    HostileWhole("nothing but a space", lambda _: b" ", 400),
    HostileWhole("a list of nothing but brackets", lambda _: b"[" * 100_000, 400),
    HostileWhole("two bodies", lambda body: body + body, 400),
    HostileWhole("cut off", lambda body: body[:-1], 400),
    HostileWhole("in UTF-16", lambda body: body.decode().encode("utf-16"), 400),
    HostileWhole("a pickle", lambda _: b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00N.", 400),
    HostileWhole("HTML", lambda _: b"<html><script>alert(1)</script></html>", 400),
    HostileWhole(
        "a gzip bomb",
        lambda _: _GZIP_BOMB,
        413,
        {"Content-Encoding": "gzip"},
        frozenset({413}),
    ),
    HostileWhole(
        "a zstd bomb",
        lambda _: _ZSTD_BOMB,
        413,
        {"Content-Encoding": "zstd"},
        frozenset({413}),
    ),
    HostileWhole("gzip that is cut off", lambda body: gzip.compress(body)[:-4], 400, {"Content-Encoding": "gzip"}),
    HostileWhole("no gzip, though it says so", lambda body: body, 400, {"Content-Encoding": "gzip"}),
    HostileWhole("an encoding that nobody has", lambda body: body, 415, {"Content-Encoding": "br"}, frozenset({415})),
    HostileWhole("one byte too many", lambda body: body + b" " * (8 * 1024 * 1024), 413, {}, frozenset({413})),
]
