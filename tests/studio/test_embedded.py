"""PostgreSQL and Valkey from wheels: they keep data, hide from others, and come back after every kind of kill."""

import os
import signal
import socket
import stat
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import psutil
import psycopg
import pytest
import redis

from studio.embedded import EmbeddedServerFailed, postgresql_server, valkey_server


@pytest.fixture
def directory() -> Iterator[Path]:
    """A directory with a name that breaks careless quoting, and too long for a socket."""
    with TemporaryDirectory(prefix="studio-test-", ignore_cleanup_errors=True) as parent:
        path = Path(parent) / 'it\'s a "long" name, with $signs' / ("x" * 90)
        path.mkdir(parents=True)
        yield path


def test_postgresql_keeps_its_data_from_one_start_to_the_next(directory: Path) -> None:
    with postgresql_server(directory / "postgresql", durable=False) as server, psycopg.connect(server.url) as session:
        session.execute("CREATE TABLE kept AS SELECT 42 AS answer")

    with postgresql_server(directory / "postgresql", durable=False) as server, psycopg.connect(server.url) as session:
        assert session.execute("SELECT answer FROM kept").fetchone() == (42,)
        assert session.execute("SHOW server_encoding").fetchone() == ("UTF8",)

    assert not psutil.pid_exists(server.process.pid)


def test_postgresql_listens_in_a_private_directory_and_nowhere_else(directory: Path) -> None:
    with postgresql_server(directory / "postgresql", durable=False) as server, psycopg.connect(server.url) as session:
        assert session.execute("SHOW listen_addresses").fetchone() == ("",)
        sockets = Path(session.info.host)
        assert stat.S_IMODE(sockets.stat().st_mode) == 0o700
        assert not psutil.Process(server.process.pid).net_connections("inet")

    assert not sockets.exists()


def test_postgresql_comes_back_after_it_was_killed(directory: Path) -> None:
    # Given a server that was killed after it had committed, and left its note of a running process behind.
    with postgresql_server(directory / "postgresql") as server:
        with psycopg.connect(server.url) as session:
            session.execute("CREATE TABLE kept AS SELECT 42 AS answer")
        os.killpg(server.process.pid, signal.SIGKILL)
        server.process.wait()
        note = directory / "postgresql" / "postmaster.pid"
        assert note.exists()

    # And the process number in the note belongs to somebody else by now.
    lines = note.read_text().splitlines()
    note.write_text("\n".join([str(os.getpid()), *lines[1:]]) + "\n")

    with postgresql_server(directory / "postgresql") as server, psycopg.connect(server.url) as session:
        assert session.execute("SELECT answer FROM kept").fetchone() == (42,)


def test_a_postgresql_that_outlived_its_studio_is_stopped_before_the_next_start(directory: Path) -> None:
    with (
        postgresql_server(directory / "postgresql", durable=False) as first,
        postgresql_server(directory / "postgresql", durable=False) as second,
    ):
        assert first.process.wait() == 0
        psycopg.connect(second.url).close()


def test_a_cluster_that_was_never_finished_is_made_anew(directory: Path) -> None:
    unfinished = directory / "postgresql.unfinished"
    unfinished.mkdir()
    (unfinished / "PG_VERSION").write_text("18\n")

    with postgresql_server(directory / "postgresql", durable=False) as server:
        psycopg.connect(server.url).close()

    assert not unfinished.exists()


def test_data_of_another_major_version_is_refused_with_a_way_out(directory: Path) -> None:
    with postgresql_server(directory / "postgresql", durable=False):
        pass
    (directory / "postgresql" / "PG_VERSION").write_text("12\n")

    with (
        pytest.raises(EmbeddedServerFailed, match=r"holds data of PostgreSQL 12, .*\n?.*STUDIO_DATA_DIR"),
        postgresql_server(directory / "postgresql", durable=False),
    ):
        pass


def test_a_server_that_cannot_start_shows_the_end_of_its_log(directory: Path) -> None:
    with postgresql_server(directory / "postgresql", durable=False):
        pass
    (directory / "postgresql" / "postgresql.conf").write_text("no_such_setting = 1\n")

    with (
        pytest.raises(EmbeddedServerFailed, match=r"(?s)PostgreSQL did not start:.*no_such_setting"),
        postgresql_server(directory / "postgresql", durable=False),
    ):
        pass


def test_valkey_keeps_its_data_from_one_start_to_the_next(directory: Path) -> None:
    with valkey_server(directory / "valkey") as server, redis.Redis.from_url(server.url) as client:
        client.set("answer", 42)

    with valkey_server(directory / "valkey") as server, redis.Redis.from_url(server.url) as client:
        assert client.get("answer") == b"42"

    assert not psutil.pid_exists(server.process.pid)


def test_valkey_is_reached_from_this_machine_with_the_password_only(directory: Path) -> None:
    with valkey_server(directory / "valkey", durable=False) as server:
        process = psutil.Process(server.process.pid)
        (listener,) = (each for each in process.net_connections("inet") if each.status == psutil.CONN_LISTEN)
        assert listener.laddr.ip == "127.0.0.1"
        with redis.Redis.from_url(server.url) as client:
            password = client.connection_pool.connection_kwargs["password"]
        with (
            redis.Redis(host="127.0.0.1", port=listener.laddr.port) as stranger,
            pytest.raises(redis.AuthenticationError),
        ):
            stranger.ping()

        assert password not in " ".join(process.cmdline())
    assert all(password not in file.read_text(errors="replace") for file in directory.rglob("*") if file.is_file())


def test_valkey_comes_back_after_it_was_killed(directory: Path) -> None:
    with valkey_server(directory / "valkey") as server:
        with redis.Redis.from_url(server.url) as client:
            client.config_set("appendfsync", "always")
            client.set("answer", 42)
        server.process.kill()
        server.process.wait()

    with valkey_server(directory / "valkey") as server, redis.Redis.from_url(server.url) as client:
        assert client.get("answer") == b"42"


def test_the_port_of_valkey_is_free_again_after_the_block(directory: Path) -> None:
    with valkey_server(directory / "valkey", durable=False) as server, redis.Redis.from_url(server.url) as client:
        port = client.connection_pool.connection_kwargs["port"]

    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", port))
