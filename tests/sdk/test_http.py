"""One HTTP request: bounded, and never redirected."""

import gzip
import socket
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from telemetry.core.errors import Unavailable
from telemetry.sdk.http import Answer, request
from tests.sdk.servers import PATIENCE, Reply, ScriptedServer

LIMIT = 1000


def ask(url: str, *, timeout: float = PATIENCE) -> Answer:
    return request("GET", url, headers={"Authorization": "Bearer tgs-secret"}, timeout=timeout, maximum_bytes=LIMIT)


@pytest.mark.parametrize("status", [200, 201, 304, 400, 401, 404, 429, 500, 503])
def test_every_status_is_an_answer(server: ScriptedServer, status: int) -> None:
    server.always(Reply(status, b"" if status == 304 else b"body", {"X-Name": "value"}))

    answer = ask(server.url)

    assert (answer.status, answer.headers["x-name"]) == (status, "value")
    assert answer.body == (b"" if status == 304 else b"body")


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_too_and_the_key_goes_nowhere_else(
    server: ScriptedServer, other_server: ScriptedServer, status: int
) -> None:
    server.always(Reply(status, headers={"Location": other_server.url}))

    answer = ask(server.url)

    assert answer.status == status
    assert other_server.asked == []


def test_a_compressed_body_is_decoded(server: ScriptedServer) -> None:
    server.always(Reply(body=b"body").gzipped())

    answer = ask(server.url)

    assert answer.body == b"body"
    assert server.asked[0].headers["accept-encoding"] == "gzip"
    assert server.asked[0].headers["user-agent"] == "telemetry-studio-sdk"


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"x" * (LIMIT + 1)),
        Reply(body=b"x" * (LIMIT + 1)).gzipped(),
        Reply(body=b"\0" * 100_000_000).gzipped(),
    ],
    ids=["plain", "compressed", "bomb"],
)
def test_a_body_beyond_the_limit_is_not_read(server: ScriptedServer, reply: Reply) -> None:
    server.always(reply)

    with pytest.raises(Unavailable, match="too large"):
        ask(server.url)


def test_a_body_of_exactly_the_limit_is_read(server: ScriptedServer) -> None:
    server.always(Reply(body=b"x" * LIMIT).gzipped())

    assert ask(server.url).body == b"x" * LIMIT


@pytest.mark.parametrize(
    "reply",
    [
        Reply(body=b"body", cut=True),
        Reply(body=gzip.compress(b"body" * 50)[:-12], headers={"Content-Encoding": "gzip"}),
        Reply(body=b"no gzip at all", headers={"Content-Encoding": "gzip"}),
    ],
    ids=["connection lost", "compressed and cut", "not compressed"],
)
def test_a_damaged_body_is_no_answer(server: ScriptedServer, reply: Reply) -> None:
    server.always(reply)

    with pytest.raises(Unavailable):
        ask(server.url)


def test_a_server_that_says_nothing_is_given_up_after_the_timeout(server: ScriptedServer) -> None:
    gate = threading.Event()
    server.always(Reply(gate=gate))

    with pytest.raises(Unavailable, match="TimeoutError"):
        ask(server.url, timeout=0.05)

    gate.set()


def test_a_closed_port_is_unavailable_and_the_error_names_neither_address_nor_key() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}/secret-path"

        with pytest.raises(Unavailable) as caught:
            ask(url)

    assert str(caught.value) == "no usable answer: ConnectionRefusedError"
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__


@pytest.mark.parametrize("host", ["a..example", f"{'a' * 64}.example"])
def test_a_host_that_cannot_be_a_name_is_unavailable(host: str) -> None:
    with pytest.raises(Unavailable):
        ask(f"https://{host}/")


def test_the_codec_of_host_names_is_loaded_before_any_thread_needs_it() -> None:
    program = "import sys, telemetry.sdk.http; sys.exit('encodings.idna' not in sys.modules)"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_proxy_of_the_environment_never_sees_loopback_requests(
    server: ScriptedServer, other_server: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("http_proxy", other_server.url)
    monkeypatch.delenv("no_proxy", raising=False)

    ask(server.url)

    assert len(server.asked) == 1
    assert other_server.asked == []


@pytest.mark.parametrize(("text", "expected"), [("7", 7.0), (" 120 ", 120.0), ("", None), ("soon", None), ("-1", None)])
def test_retry_after_is_read_in_seconds(text: str, expected: float | None) -> None:
    assert Answer(status=503, headers={"retry-after": text}, body=b"").retry_after == expected


def test_retry_after_is_read_as_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(hours=1)

    pause = Answer(status=503, headers={"retry-after": format_datetime(moment, usegmt=True)}, body=b"").retry_after

    assert pause is not None
    assert 3500 < pause <= 3600


def test_a_date_in_the_past_asks_for_no_pause() -> None:
    headers = {"retry-after": "Wed, 21 Oct 2015 07:28:00 GMT"}

    assert Answer(status=503, headers=headers, body=b"").retry_after == 0.0


def test_an_answer_never_shows_its_body() -> None:
    assert repr(Answer(status=200, headers={}, body=b"alice@example.com")) == "Answer(status=200, bytes=17)"
