"""Bodies that every address must refuse, whatever it expects: broken text, lying headers, bombs and wrong types.

``bodies_that_lie`` need no valid body to start from; ``bodies_made_from`` break a valid one in one place each.
"""

import copy
import gzip
import json
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

__all__ = ["HostileBody", "bodies_made_from", "bodies_that_lie"]

JSON = "application/json"
YAML = "application/yaml"
# The limit of the core's documents, which is below the limit of requests.
LARGEST = 2 * 1024 * 1024


@dataclass(frozen=True)
class HostileBody:
    """One request body that must be refused with ``status``, and nothing may be saved."""

    name: str
    content: bytes
    content_type: str = JSON
    headers: Mapping[str, str] = field(default_factory=dict)
    status: int = 400

    def __str__(self) -> str:
        return self.name


def bodies_that_lie() -> Iterator[HostileBody]:
    """Bodies that are wrong by themselves."""
    yield from _no_json()
    yield from _wrong_encodings()
    yield from _wrong_types()
    yield from _bombs()
    yield from _wrong_headers()
    yield from _hostile_yaml()


def bodies_made_from(valid: Mapping[str, Any]) -> Iterator[HostileBody]:
    """A valid body, broken: each text, number and key in turn, then its notation, its encoding and its headers."""
    text = json.dumps(valid)
    yield from _broken_leaves(valid)
    first = next(iter(valid))
    repeated = f'{{"{first}": {json.dumps(valid[first])}, {text[1:]}'
    yield HostileBody("a key that occurs twice", repeated.encode())
    yield HostileBody("an unknown key", json.dumps({**valid, "unknownKey": 1}).encode())
    yield HostileBody("a key named __proto__", json.dumps({**valid, "__proto__": {"isAdmin": True}}).encode())
    yield HostileBody("a key in another case", json.dumps({**valid, first.upper(): valid[first]}).encode())
    yield HostileBody("cut off before its end", text[:-1].encode())
    yield HostileBody("followed by another", (text + text).encode())
    yield HostileBody("followed by NUL", text.encode() + b"\x00")
    yield HostileBody("a trailing comma", (text[:-1] + ",}").encode())
    yield HostileBody("single quotes", text.replace('"', "'").encode())
    yield HostileBody("in a list", f"[{text}]".encode())
    yield HostileBody("as text", json.dumps(text).encode())
    for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le"):
        yield HostileBody(f"in {encoding}", text.encode(encoding))
    yield HostileBody("said to be UTF-16", text.encode("utf-16"), content_type=f"{JSON}; charset=utf-16", status=415)
    yield HostileBody("said to be in no charset", text.encode(), content_type=f"{JSON}; charset=none", status=415)
    yield HostileBody("compressed", gzip.compress(text.encode()), headers={"Content-Encoding": "gzip"}, status=415)
    yield HostileBody("compressed without a word", gzip.compress(text.encode()))
    yield HostileBody("deflated", zlib.compress(text.encode()), headers={"Content-Encoding": "deflate"}, status=415)
    yield HostileBody("said to be compressed", text.encode(), headers={"Content-Encoding": "gzip"}, status=415)
    yield HostileBody("sent as a form", text.encode(), content_type="application/x-www-form-urlencoded", status=415)
    yield HostileBody("sent as plain text", text.encode(), content_type="text/plain", status=415)
    yield HostileBody("followed by two megabytes of spaces", text.encode() + b" " * LARGEST, status=413)


def _no_json() -> Iterator[HostileBody]:
    for name, content in {
        "nothing": b"",
        "spaces": b" \r\n\t ",
        "a NUL": b"\x00",
        "a byte order mark alone": b"\xef\xbb\xbf",
        "an open brace": b"{",
        "an open text": b'{"a": "',
        "a bare word": b"undefined",
        "a comment": b"/* */ {}",
        "a number in hexadecimal": b'{"a": 0x10}',
        "a number with a leading zero": b'{"a": 010}',
        "not a number": b'{"a": NaN}',
        "infinity": b'{"a": Infinity}',
        "a line break in a text": b'{"a": "\n"}',
        "a bad escape": b'{"a": "\\x00"}',
        "HTML": b"<html><script>alert(1)</script></html>",
        "XML with an entity": b'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
        "a pickle": b"\x80\x04\x95\x05\x00\x00\x00\x00\x00\x00\x00N.",
        "a template": b"{{ 7 * 7 }}",
    }.items():
        yield HostileBody(name, content)


def _wrong_encodings() -> Iterator[HostileBody]:
    for name, content in {
        "Latin-1": '{"a": "é"}'.encode("latin-1"),
        "an overlong NUL": b'{"a": "\xc0\x80"}',
        "a surrogate in UTF-8": b'{"a": "\xed\xa0\x80"}',
        "beyond Unicode": b'{"a": "\xf4\x90\x80\x80"}',
        "a cut character": b'{"a": "\xe2\x82"}',
        "a lone surrogate in an escape": b'{"a": "\\ud800"}',
        "a lone surrogate in a key": b'{"\\udc00": 1}',
        "a NUL in an escape": b'{"a": "\\u0000"}',
        "a NUL in a key": b'{"\\u0000": 1}',
    }.items():
        yield HostileBody(name, content)


def _wrong_types() -> Iterator[HostileBody]:
    for content in (b"null", b"true", b"0", b"1e400", b'""', b'"text"', b"[]", b"[[]]", b"[{}]", b"{}"):
        yield HostileBody(f"the value {content.decode()}", content)


def _bombs() -> Iterator[HostileBody]:
    for depth in (33, 1_000, 100_000):
        yield HostileBody(f"lists {depth} deep", b"[" * depth + b"]" * depth)
        yield HostileBody(f"objects {depth} deep", b'{"a":' * depth + b"1" + b"}" * depth)
    yield HostileBody("an open list 1,000,000 deep", b"[" * 1_000_000)
    yield HostileBody("a whole number of 4,000 digits", b'{"a": ' + b"9" * 4_000 + b"}")
    yield HostileBody("a whole number of 1,000,000 digits", b'{"a": ' + b"9" * 1_000_000 + b"}")
    yield HostileBody("a number that is long as text", b'{"a": 1e131071}')
    yield HostileBody("100,000 keys", json.dumps({f"k{number}": 0 for number in range(100_000)}).encode())
    yield HostileBody("100,000 entries", json.dumps([0] * 100_000).encode())
    yield HostileBody("the same key 100,000 times", b"{" + b",".join([b'"a":1'] * 100_000) + b"}")
    yield HostileBody("one byte too many", b'{"a": "' + b"a" * LARGEST + b'"}', status=413)
    bomb = gzip.compress(b" " * 20_000_000)
    yield HostileBody("a gzip bomb", bomb, headers={"Content-Encoding": "gzip"}, status=415)
    yield HostileBody("a gzip bomb without a word", bomb)


def _wrong_headers() -> Iterator[HostileBody]:
    content = b'{"a": 1}'
    for content_type in (
        "",
        "application",
        "text/html",
        "text/json",
        "application/xml",
        "application/octet-stream",
        "application/x-www-form-urlencoded",
        "application/vnd.api+json",
        "application/json, text/plain",
    ):
        yield HostileBody(f"the content type {content_type!r}", content, content_type=content_type, status=415)
    boundary = b'--x\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--x--\r\n'
    yield HostileBody("a form of parts", boundary, content_type="multipart/form-data; boundary=x", status=415)
    for encoding in ("br", "zstd", "gzip, gzip", "chunked", "x"):
        headers = {"Content-Encoding": encoding}
        yield HostileBody(f"the content encoding {encoding!r}", content, headers=headers, status=415)


def _hostile_yaml() -> Iterator[HostileBody]:
    """Addresses that read JSON only answer these with 415, the others with 400."""
    laughs = "a0: &a0 [x]\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 10))
    for name, content in {
        "laughs": laughs,
        "an anchor": "a: &b 1",
        "a tag that builds an object": "!!python/object/apply:os.system ['true']",
        "a tag": "a: !!binary aGVsbG8=",
        "a merge key": "<<: {a: 1}",
        "two documents": "a: 1\n---\na: 1",
        "a directive": "%YAML 1.1\n---\na: 1",
        "a list as a key": "? [a]\n: 1",
        "a tab as indent": "a:\n\t- 1",
        "a key that occurs twice": "a: 1\na: 1",
        "lists 100,000 deep": "[" * 100_000,
        "lists 1,000 deep, by dashes": "- " * 1_000 + "a",
        "1,000,000 commas": "[" + "a," * 900_000 + "]",
        "an open quote": 'a: "',
        "a NUL": "a: \x00",
        "a bell": "a: \x07",
    }.items():
        yield HostileBody(f"YAML with {name}", content.encode(), content_type=YAML)


def _broken_leaves(valid: Mapping[str, Any]) -> Iterator[HostileBody]:
    for path, leaf in _leaves(valid):
        place = ".".join(map(str, path))
        for name, wrong in _wrong_values(leaf):
            yield HostileBody(f"{name} at {place}", _with(valid, path, wrong))


def _wrong_values(leaf: object) -> Iterator[tuple[str, str]]:
    """Names and JSON texts of values that may not stand where ``leaf`` stands."""
    yield "a list", "[]"
    yield "an object", '{"a": 1}'
    if isinstance(leaf, str):
        yield "a NUL", '"a\\u0000b"'
        yield "a lone surrogate", '"a\\ud800b"'
        yield "a number", "1"
        yield "a million characters", json.dumps("a" * 1_000_000)
    elif isinstance(leaf, int | float) and not isinstance(leaf, bool):
        for wrong in ("NaN", "-Infinity", "1e400", "9" * 4_000, "-1", '"1"', "true", "1e131071"):
            yield wrong[:12], wrong


def _with(valid: Mapping[str, Any], path: tuple[str | int, ...], text: str) -> bytes:
    marker = "the marked place"
    changed: Any = copy.deepcopy(dict(valid))
    place = changed
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = marker
    return json.dumps(changed).replace(json.dumps(marker), text).encode()


def _leaves(value: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[tuple[str | int, ...], Any]]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield from _leaves(item, (*path, key))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _leaves(item, (*path, index))
    else:
        yield path, value
