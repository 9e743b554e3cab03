"""The ways in which PostHog's clients write a body."""

import base64
import json
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api.compat.posthog.wire import decode
from studio.api.errors import BodyTooLarge, UnsupportedBody
from telemetry.core.errors import InvalidDocument
from tests.studio.api.compat.contents import short, zipped

VALUE = {"event": "step", "properties": {"text": "a+b/c?ü"}}
JSON = json.dumps(VALUE).encode()
BASE64 = base64.b64encode(JSON)


@pytest.mark.parametrize(
    ("compression", "content"),
    [
        ("", JSON),
        ("", b"\n " + JSON),
        ("gzip-js", zipped(JSON)),
        ("gzip", zipped(JSON)),
        ("", zipped(JSON)),
        # The client announces what it then could not do.
        ("gzip-js", JSON),
        ("base64", BASE64),
        ("base64", b"data=" + quote(BASE64).encode()),
        ("base64", b"data=" + BASE64),
        ("", b"data=" + quote(JSON).encode() + b"&ip=1"),
        ("base64", b"data=" + quote(base64.b64encode(zipped(JSON))).encode()),
    ],
    ids=short,
)
def test_every_way_gives_the_same_value(compression: str, content: bytes) -> None:
    assert decode(content, compression) == VALUE


@pytest.mark.parametrize(
    "content", [b"", b"canary!", b"data=", b"data=canary!", b"data=\xff", b"data=a&" * 50, b"{canary"], ids=short
)
def test_what_is_none_of_them_is_refused_without_repeating_it(content: bytes) -> None:
    with pytest.raises(InvalidDocument) as refused:
        decode(content, "")

    assert "canary" not in str(refused.value)


def test_a_compression_that_no_client_of_today_sends_is_refused() -> None:
    with pytest.raises(UnsupportedBody):
        decode(b"canary", "lz64")


def test_a_bomb_in_base64_is_refused() -> None:
    with pytest.raises(BodyTooLarge):
        decode(base64.b64encode(zipped(b" " * 20_000_000)), "base64")


@given(st.binary(max_size=200), st.sampled_from(["", "gzip-js", "base64"]))
def test_any_bytes_are_a_value_or_refused(content: bytes, compression: str) -> None:
    for body in (content, b"data=" + content, base64.b64encode(content), zipped(content)):
        try:
            decode(body, compression)
        except InvalidDocument:
            continue
