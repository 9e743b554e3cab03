"""Compressed answers."""

import gzip

import pytest

from studio.api.encodings import SMALLEST_BYTES, accepts_gzip, compress


@pytest.mark.parametrize(
    "header",
    [
        "gzip",
        "GZIP",
        "x-gzip",
        "br, gzip",
        "gzip;q=0.001",
        "gzip ; q=1",
        "deflate, gzip;q=1.0, *;q=0.5",
        "*",
        "*;q=0.1",
        "identity;q=0, gzip",
        "gzip,,",
    ],
)
def test_gzip_is_accepted(header: str) -> None:
    assert accepts_gzip(header)


@pytest.mark.parametrize(
    "header",
    [
        "",
        "identity",
        "br",
        "gzip;q=0",
        "gzip;q=0.000",
        "gzip;q=0, *",
        "*;q=0",
        "gzipped",
        "not gzip",
        "gzip;q=2",
        "gzip;q=-1",
        "gzip;q=nan",
        "gzip;q=",
        "gzip;level=9",
        ";;;",
        "q=1",
    ],
)
def test_gzip_is_not_accepted(header: str) -> None:
    assert not accepts_gzip(header)


def test_a_body_compresses_to_the_same_bytes_each_time() -> None:
    body = b'{"a": 1}' * 1000

    first, second = compress(body), compress(bytes(bytearray(body)))

    assert first is not None
    assert first == second
    assert gzip.decompress(first) == body
    assert len(first) < len(body) / 10


def test_a_tiny_body_is_not_worth_it() -> None:
    assert compress(b"a" * (SMALLEST_BYTES - 1)) is None
    assert compress(b"a" * SMALLEST_BYTES) is not None
