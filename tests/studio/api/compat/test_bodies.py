"""Bodies of foreign clients: compression, limits, and JSON as other languages write it."""

import json
import math
import zlib
from io import BytesIO
from typing import Any

import pytest
import zstandard
from django.test import RequestFactory
from hypothesis import given
from hypothesis import strategies as st

from studio.api.compat.bodies import LARGEST_BYTES, expand, read_body, read_json
from studio.api.errors import BodyTooLarge, UnsupportedBody
from studio.api.ingest.reading import MOST_VALUES
from telemetry.core.errors import InvalidDocument
from tests.studio.api.compat.contents import short, zipped

TEXT = b'{"event":"step"}'


def read(content: bytes, encoding: str = "") -> bytes:
    headers: dict[str, Any] = {"Content-Encoding": encoding} if encoding else {}
    return read_body(RequestFactory().post("/ingest/posthog/e/", content, content_type="text/plain", headers=headers))


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("", TEXT),
        ("identity", TEXT),
        ("gzip", zipped(TEXT)),
        ("X-GZIP", zipped(TEXT)),
        ("deflate", zlib.compress(TEXT)),
        ("zstd", zstandard.compress(TEXT)),
        ("deflate, gzip", zipped(zlib.compress(TEXT))),
    ],
    ids=short,
)
def test_a_body_is_expanded_as_its_header_says(encoding: str, content: bytes) -> None:
    assert read(content, encoding) == TEXT


def test_a_body_in_pieces_is_read_to_its_end() -> None:
    # Node's streams send without saying how much it will be.
    request = RequestFactory().post("/ingest/otlp/v1/logs", TEXT, content_type="application/json")
    del request.META["CONTENT_LENGTH"]
    request.META |= {"HTTP_TRANSFER_ENCODING": "chunked", "wsgi.input": BytesIO(TEXT)}

    assert read_body(request) == TEXT


def test_gzip_is_recognised_without_a_header() -> None:
    assert expand(zipped(TEXT)) == TEXT
    assert expand(TEXT) == TEXT


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("gzip", TEXT),
        ("gzip", zipped(TEXT)[:-1]),
        ("deflate", b"canary"),
        ("deflate", zlib.compress(TEXT)[:-1]),
        ("zstd", b"canary"),
    ],
    ids=short,
)
def test_a_body_that_is_not_what_its_header_says_is_refused(encoding: str, content: bytes) -> None:
    with pytest.raises(InvalidDocument) as refused:
        read(content, encoding)

    assert refused.value.errors[0].code == "bad_encoding"
    assert "canary" not in str(refused.value)


def test_an_encoding_that_nobody_sends_is_refused() -> None:
    with pytest.raises(UnsupportedBody):
        read(TEXT, "br")


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("", b" " * (LARGEST_BYTES + 1)),
        ("gzip", zipped(b" " * (LARGEST_BYTES + 1))),
        ("deflate", zlib.compress(b" " * (LARGEST_BYTES + 1))),
        ("zstd", zstandard.compress(b" " * (LARGEST_BYTES + 1))),
        ("zstd", zstandard.ZstdCompressor(write_content_size=False).compress(b" " * (50 * LARGEST_BYTES))),
        ("gzip, gzip", zipped(zipped(b" " * (50 * LARGEST_BYTES)))),
    ],
    ids=short,
)
def test_a_bomb_is_refused_before_it_goes_off(encoding: str, content: bytes) -> None:
    with pytest.raises(BodyTooLarge):
        read(content, encoding)


def test_what_only_some_readers_of_json_take_is_read_so_that_one_event_does_not_cost_the_others() -> None:
    value: Any = read_json(b'[{"a": NaN}, {"b": "\\ud800"}, {"c": 1' + b"0" * 5000 + b"}, {}]")

    assert math.isnan(value[0]["a"])
    assert value[1]["b"] == "\ud800"
    assert value[2]["c"] > 10**19
    assert value[3] == {}


@pytest.mark.parametrize(
    "content",
    [b"", b"canary", b"{", b"\xff\xfe{\x00}\x00", b'{"a": "\x80"}', b"[" * 100_000, b'{"a":1}{"b":2}'],
    ids=short,
)
def test_what_is_no_json_is_refused_without_repeating_it(content: bytes) -> None:
    with pytest.raises(InvalidDocument) as refused:
        read_json(content)

    assert "canary" not in str(refused.value)


def test_more_values_than_fit_into_memory_are_refused() -> None:
    with pytest.raises(BodyTooLarge):
        read_json(b"[" + b"[]," * MOST_VALUES + b"[]]")


@given(st.binary(max_size=200) | st.text().map(str.encode))
def test_any_bytes_are_a_value_or_refused(content: bytes) -> None:
    try:
        read_json(content)
    except InvalidDocument:
        return
    json.loads(content)
