"""Compressed answers."""

import gzip

import pytest
import zstandard

from studio.api.encodings import PACKERS, choose_coding, pack_gzip, pack_zstd


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
        "zstd;q=0, *;q=0.1",
        "identity;q=0, gzip",
        "gzip,,",
        "gzip;q=0.9, zstd;q=0.8",
    ],
)
def test_gzip_is_chosen(header: str) -> None:
    assert choose_coding(header) == "gzip"


@pytest.mark.parametrize("header", ["zstd", "gzip, deflate, br, zstd", "*", "*;q=0.1", "gzip;q=0, *", "zstd;q=0.5"])
def test_zstd_is_chosen(header: str) -> None:
    assert choose_coding(header) == "zstd"


@pytest.mark.parametrize(
    "header",
    [
        "",
        "identity",
        "br",
        "gzip;q=0",
        "gzip;q=0.000",
        "zstd;q=0, gzip;q=0, *",
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
def test_none_is_chosen(header: str) -> None:
    assert choose_coding(header) is None


@pytest.mark.parametrize("coding", PACKERS)
def test_equal_bodies_compress_to_equal_bytes(coding: str) -> None:
    body = b'{"a": 1}' * 1000

    first, second = PACKERS[coding](body), PACKERS[coding](bytes(bytearray(body)))

    assert first == second
    assert len(first) < len(body) / 10


def test_what_is_compressed_can_be_read_by_others() -> None:
    body = b'{"a": 1}' * 1000

    assert gzip.decompress(pack_gzip(body)) == body
    assert zstandard.decompress(pack_zstd(body)) == body
