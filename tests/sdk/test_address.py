"""Addresses and keys are checked before anything is sent."""

import pytest

from telemetry.core.errors import InvalidDocument
from telemetry.sdk.address import check_address, check_api_key


@pytest.mark.parametrize(
    ("url", "expected"),
    [
        ("https://studio.example.com/", "https://studio.example.com"),
        ("https://studio.example.com:8443/telemetry", "https://studio.example.com:8443/telemetry"),
        ("http://127.0.0.1:8000", "http://127.0.0.1:8000"),
        ("http://127.9.9.9", "http://127.9.9.9"),
        ("http://[::1]:8000", "http://[::1]:8000"),
        ("http://localhost:8000/", "http://localhost:8000"),
        ("http://studio.localhost:8000", "http://studio.localhost:8000"),
    ],
)
def test_https_and_loopback_are_accepted(url: str, expected: str) -> None:
    assert check_address(url) == expected


@pytest.mark.parametrize(
    "url",
    [
        "http://studio.example.com",
        "http://10.0.0.1",
        "http://0.0.0.0:8000",
        "http://localhost.example.com",
        "http://2130706433",
        "HTTP://studio.example.com",
    ],
)
def test_plain_http_to_another_machine_is_refused_because_of_the_key(url: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        check_address(url)

    assert [(error.code, error.path) for error in caught.value.errors] == [("insecure_address", "url")]
    assert "must use https" in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "studio.example.com",
        "ftp://studio.example.com",
        "file:///etc/passwd",
        "https://",
        "https://studio.example.com:99999",
        "https://studio.example.com:0",
        "https://studio.example.com/?key=tgs-secret",
        "https://studio.example.com/#tgs-secret",
        "https://user:tgs-secret@studio.example.com",
        "https://studio.example.com/a b",
        "https://studio.example.com/\r\nX: tgs-secret",
        "https://stüdio.example.com",
        "https://[::1",
        None,
        7,
    ],
)
def test_what_is_no_plain_address_is_refused_without_quoting_it(url: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        check_address(url)

    assert [error.code for error in caught.value.errors] == ["invalid_address"]
    assert "tgs-secret" not in str(caught.value)


def test_a_key_passes_as_it_is() -> None:
    assert check_api_key("tgs_live_config_abc") == "tgs_live_config_abc"


@pytest.mark.parametrize("key", ["", "tgs-secret\r\nX: y", "tgs-secret ", "tgs-sécret", "tgs-secret\x7f", None, 7])
def test_a_key_that_cannot_travel_in_a_header_is_refused_without_quoting_it(key: str) -> None:
    with pytest.raises(InvalidDocument) as caught:
        check_api_key(key)

    assert [error.code for error in caught.value.errors] == ["invalid_api_key"]
    assert "tgs-s" not in str(caught.value)
