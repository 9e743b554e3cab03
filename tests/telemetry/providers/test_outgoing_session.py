"""Calls to the outside: to what was checked and nowhere else, short, and mute about what came back."""

import datetime as dt
import gzip
import socket
import ssl
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from pytest_django import Settings

from telemetry.providers.outgoing.session import ANSWER_BYTES, Answered, GuardedSession, Unreachable
from telemetry.providers.outgoing.targets import BlockedAddress
from tests.sdk.servers import PATIENCE, Reply, ScriptedServer, scripted_server

NAME = "hooks.example.com"


@pytest.fixture
def server(settings: Settings) -> Iterator[ScriptedServer]:
    """A local server that the operators have allowed."""
    with scripted_server() as scripted:
        settings.STUDIO_OUTGOING_ALLOW = [scripted.url.removeprefix("http://")]
        yield scripted


def to(*addresses: str) -> Callable[[str], Sequence[str]]:
    """A resolver that knows every host by these addresses."""
    return lambda _host: addresses


@contextmanager
def raw_server(serve: Callable[[socket.socket], None]) -> Iterator[int]:
    """A server that does with its one connection what the test says; yields its port."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(PATIENCE)

        def run() -> None:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection:
                try:
                    serve(connection)
                except OSError:
                    return

        thread = threading.Thread(target=run, daemon=True)
        thread.start()
        yield listener.getsockname()[1]
    thread.join(PATIENCE)


def test_a_good_answer_comes_back(server: ScriptedServer) -> None:
    server.always(Reply(201, b'{"ok": true}'))

    answer = GuardedSession().post(f"{server.url}/events", data=b"{}", headers={"X-Mine": "1"})

    assert (answer.status_code, answer.json()) == (201, {"ok": True})
    [asked] = server.asked
    assert (asked.method, asked.path, asked.body, asked.headers["x-mine"]) == ("POST", "/events", b"{}", "1")


@pytest.mark.parametrize("status", [400, 401, 404, 429, 500, 503])
def test_any_other_status_is_raised_without_what_it_said(server: ScriptedServer, status: int) -> None:
    server.always(Reply(status, b"SECRET of an internal page", {"Retry-After": "17"}))
    session = GuardedSession()

    with pytest.raises(Answered) as raised:
        session.post(server.url)

    assert (raised.value.status, raised.value.retry_after) == (status, 17.0)
    assert session.failure is raised.value
    assert "SECRET" not in str(raised.value)


@pytest.mark.parametrize("location", ["http://169.254.169.254/latest/meta-data/", "/elsewhere"])
def test_a_redirect_is_not_followed(server: ScriptedServer, location: str) -> None:
    server.always(Reply(302, headers={"Location": location}))

    with pytest.raises(Answered) as raised:
        GuardedSession().get(server.url, allow_redirects=True)

    assert raised.value.status == 302
    assert len(server.asked) == 1


def test_proxies_of_the_environment_are_not_used(server: ScriptedServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")

    GuardedSession().get(server.url)

    assert len(server.asked) == 1


# Where it connects to


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("93.184.215.14", "10.0.0.1"), ("::ffff:127.0.0.1",), ()])
def test_a_name_that_leads_inside_is_refused_before_anything_is_sent(
    addresses: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", _must_not_connect)

    with pytest.raises(BlockedAddress):
        GuardedSession(resolver=to(*addresses)).post(f"https://{NAME}/")


@pytest.mark.parametrize("url", ["https://127.0.0.1/", "http://hooks.example.com/", "https://hooks.example.com:22/"])
def test_an_address_that_must_not_be_typed_in_must_not_be_called_either(
    url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(socket, "create_connection", _must_not_connect)

    with pytest.raises(BlockedAddress):
        GuardedSession(resolver=to("93.184.215.14")).post(url)


def test_it_connects_to_what_was_looked_up_even_if_the_name_leads_elsewhere_a_moment_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = [("93.184.215.14",), ("127.0.0.1",)]
    asked: list[str] = []
    connected: list[object] = []

    def resolver(host: str) -> Sequence[str]:
        asked.append(host)
        return answers.pop(0)

    def connect(address: object, *_rest: object) -> socket.socket:
        connected.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(socket, "create_connection", connect)
    session = GuardedSession(resolver=resolver)

    with pytest.raises(Unreachable):
        session.post(f"https://{NAME}/")
    with pytest.raises(BlockedAddress):
        session.post(f"https://{NAME}/")

    assert asked == [NAME, NAME]
    assert connected == [("93.184.215.14", 443)]


def _must_not_connect(*_arguments: object) -> socket.socket:
    raise AssertionError("must not connect")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """Key and self-signed certificate of the name, as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder = tmp_path_factory.mktemp("tls")
    key_file, certificate_file = folder / "key.pem", folder / "certificate.pem"
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    certificate_file.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    return key_file, certificate_file


@contextmanager
def tls_server(certificate: tuple[Path, Path], said: list[object]) -> Iterator[int]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate[1], certificate[0])
    context.sni_callback = lambda _socket, name, _context: said.append(name)

    def serve(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as encrypted:
            said.append(encrypted.recv(4096).split(b"\r\n"))
            encrypted.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")

    with raw_server(serve) as port:
        yield port


def test_tls_and_host_have_the_name_though_the_connection_goes_to_the_address(
    certificate: tuple[Path, Path], settings: Settings
) -> None:
    said: list[object] = []
    with tls_server(certificate, said) as port:
        settings.STUDIO_OUTGOING_ALLOW = [f"{NAME}:{port}"]
        session = GuardedSession(resolver=to("127.0.0.1"))
        session.verify = str(certificate[1])

        answer = session.post(f"https://{NAME}:{port}/")

    assert answer.status_code == 200
    assert said[0] == NAME
    assert f"Host: {NAME}:{port}".encode() in said[1]  # type: ignore[operator]


@pytest.mark.parametrize("name", [NAME, "other.example.com"])
def test_a_certificate_that_nobody_vouches_for_or_of_another_name_is_refused(
    certificate: tuple[Path, Path], settings: Settings, name: str
) -> None:
    with tls_server(certificate, []) as port:
        settings.STUDIO_OUTGOING_ALLOW = [f"{name}:{port}"]
        session = GuardedSession(resolver=to("127.0.0.1"))
        if name != NAME:
            session.verify = str(certificate[1])

        with pytest.raises(Unreachable) as raised:
            session.post(f"https://{name}:{port}/")

    assert raised.value.reason == "tls"


# Limits


def test_of_an_endless_answer_only_the_beginning_is_read(settings: Settings) -> None:
    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 10000000000\r\n\r\n")
        while True:
            connection.sendall(b"x" * 65_536)

    with raw_server(serve) as port:
        settings.STUDIO_OUTGOING_ALLOW = [f"127.0.0.1:{port}"]

        answer = GuardedSession().get(f"http://127.0.0.1:{port}/")

    assert len(answer.content) == ANSWER_BYTES


def test_a_compressed_answer_is_not_decompressed(server: ScriptedServer) -> None:
    bomb = gzip.compress(b"\0" * 50_000_000)
    server.always(Reply(200, bomb, {"Content-Encoding": "gzip"}))

    answer = GuardedSession().get(server.url)

    assert answer.content == bomb[:ANSWER_BYTES]
    assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("part", ["nothing", "status", "headers", "body"])
def test_an_answer_that_comes_in_drips_is_cut_when_the_time_is_over(settings: Settings, part: str) -> None:
    over = threading.Event()
    beginnings = {
        "nothing": b"",
        "status": b"HTTP/1.1 2",
        "headers": b"HTTP/1.1 200 OK\r\nX-Slow: ",
        "body": b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n",
    }

    def serve(connection: socket.socket) -> None:
        connection.recv(4096)
        connection.sendall(beginnings[part])
        while not over.wait(0.05):
            if part != "nothing":
                connection.sendall(b"0")

    with raw_server(serve) as port:
        settings.STUDIO_OUTGOING_ALLOW = [f"127.0.0.1:{port}"]
        session = GuardedSession(total_seconds=0.5)

        if part in ("headers", "body"):
            # The status was good: that is what counts.
            assert session.get(f"http://127.0.0.1:{port}/").status_code == 200
        else:
            with pytest.raises(Unreachable) as raised:
                session.get(f"http://127.0.0.1:{port}/")
            assert raised.value.reason == "timeout"
        over.set()


def test_a_server_that_is_not_there_or_hangs_up_is_unreachable(settings: Settings) -> None:
    with raw_server(lambda _connection: None) as port:
        settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]

        with pytest.raises(Unreachable) as hung_up:
            GuardedSession().get(f"http://127.0.0.1:{port}/")

    with pytest.raises(Unreachable) as gone:
        GuardedSession().get(f"http://127.0.0.1:{port}/")

    assert (hung_up.value.reason, gone.value.reason) == ("connection", "connection")
