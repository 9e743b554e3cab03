"""A whole studio on this machine: servers, migrations, web, worker and beat, started together and stopped together."""

import http.client
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple, NoReturn

import psycopg
import redis
from django.conf import settings

from studio.embedded import EmbeddedServer, postgresql_server, valkey_server
from studio.local_data import LocalData
from studio.processes import last_lines, start_process, stop_process

__all__ = ["LocalStudioFailed", "Stopped", "ensure_port_is_free", "run_studio", "stop_on_signals"]

HOST = "127.0.0.1"
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
READY_SECONDS = 120
# A worker may be in the middle of a task; what it does not finish is repeated at the next start.
STOP_SECONDS = 20
POSTGRESQL_MINIMUM = 150_000
REDIS_MINIMUM = (6, 2)

Say = Callable[[str], None]
RaiseIfStopped = Callable[[], None]


class LocalStudioFailed(Exception):
    """The studio could not start or had to stop; the message says why, with the end of the log."""


class Stopped(Exception):
    """Somebody asked the studio to stop."""


class Child(NamedTuple):
    """A process that the studio needs, and where it logs."""

    name: str
    process: "subprocess.Popen[bytes]"
    log: Path


@contextmanager
def stop_on_signals() -> Iterator[RaiseIfStopped]:
    """Within the block Ctrl-C, SIGTERM and SIGHUP only make the function that it gives raise ``Stopped``.

    So nothing is interrupted half-way: neither the start of a process, which could be lost, nor the stopping of one.
    """
    stopped = threading.Event()

    def stop(_number: int, _frame: object) -> None:
        stopped.set()

    def raise_if_stopped() -> None:
        if stopped.is_set():
            raise Stopped

    # Under nohup SIGHUP is ignored, and stays so. Background jobs ignore SIGINT, but whoever sends it means it.
    under_nohup = signal.getsignal(signal.SIGHUP) == signal.SIG_IGN
    before = {each: signal.signal(each, stop) for each in STOP_SIGNALS if not (under_nohup and each == signal.SIGHUP)}
    try:
        yield raise_if_stopped
    finally:
        for each, handler in before.items():
            signal.signal(each, handler)


def ensure_port_is_free(port: int) -> None:
    """Nothing listens on the port of 127.0.0.1, and this user may. Raises ``LocalStudioFailed``."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((HOST, port))
        except PermissionError:
            raise LocalStudioFailed(f"Port {port} needs rights that you lack. Set STUDIO_PORT above 1023.") from None
        except OSError:
            raise LocalStudioFailed(
                f"Port {port} of {HOST} is in use, perhaps by another studio. Stop what uses it, or set STUDIO_PORT."
            ) from None


def run_studio(
    data: LocalData, port: int, *, say: Say, welcome: Callable[[], None], raise_if_stopped: RaiseIfStopped
) -> NoReturn:
    """Everything runs and ``welcome`` was called once it answers; ends only by an exception.

    Raises ``Stopped``, ``LocalStudioFailed`` or ``EmbeddedServerFailed``; all it started is gone by then. Data stays.
    """
    with ExitStack() as stack:
        environment = _environment(data, port)
        children = _start_servers(data, environment, stack, say, raise_if_stopped)
        stack.enter_context(data.published_environment(_published(environment)))
        _prepare(data, environment, say, raise_if_stopped)
        say("Starting web server, streams, worker and beat")
        # Not in the data directory: a socket's path holds 107 bytes at most.
        sockets = Path(stack.enter_context(TemporaryDirectory(prefix="studio-", dir="/tmp")))
        environment["STUDIO_METRICS_DIR"] = str(sockets / "metrics")
        children += _start_processes(_commands(data, port, sockets), data, environment, stack)
        _wait_until_ready(children, port, sockets, raise_if_stopped)
        welcome()
        while True:
            raise_if_stopped()
            _ensure_alive(children)
            time.sleep(0.2)


def _environment(data: LocalData, port: int) -> dict[str, str]:
    """The variables of every child: those of this process win over the secrets that the directory keeps.

    Unless a mail server is named, mails of alerts are files in the data directory.
    """
    return {
        "DJANGO_SETTINGS_MODULE": "studio.settings.base",
        "PYTHONPATH": str(settings.BASE_DIR),
        "PYTHONUNBUFFERED": "1",
        "EMAIL_URL": (data.directory / "mail").as_uri(),
        "STUDIO_PUBLIC_URL": f"http://{HOST}:{port}",
        **data.secrets(),
        **{name: value for name, value in os.environ.items() if value},
        "STUDIO_INSECURE_LOCAL": "1",
    }


def _published(environment: Mapping[str, str]) -> dict[str, str]:
    names = ("DATABASE_URL", "EMAIL_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE")
    return {name: value for name, value in environment.items() if name in names or name.startswith("STUDIO_")}


def _start_servers(
    data: LocalData, environment: dict[str, str], stack: ExitStack, say: Say, raise_if_stopped: RaiseIfStopped
) -> list[Child]:
    """``environment`` names a database and a broker that answer: given ones are tried, missing ones are started."""
    servers: list[EmbeddedServer] = []
    if "DATABASE_URL" in environment:
        _try_database()
    else:
        say("Starting PostgreSQL")
        servers.append(
            stack.enter_context(postgresql_server(data.directory / "postgresql", while_waiting=raise_if_stopped))
        )
        environment["DATABASE_URL"] = servers[-1].url
    if "REDIS_URL" in environment:
        _try_broker()
    else:
        say("Starting Valkey")
        servers.append(stack.enter_context(valkey_server(data.directory / "valkey", while_waiting=raise_if_stopped)))
        environment["REDIS_URL"] = servers[-1].url
    return [Child(server.name, server.process, server.log) for server in servers]


def _start_processes(
    commands: Mapping[str, list[str]], data: LocalData, environment: Mapping[str, str], stack: ExitStack
) -> list[Child]:
    children = []
    for name, command in commands.items():
        log = data.logs / f"{name}.log"
        process = start_process(command, log=log, environment=environment, directory=settings.BASE_DIR)
        stack.callback(stop_process, process, patience_seconds=STOP_SECONDS)
        children.append(Child(name, process, log))
    return children


def _try_database() -> None:
    database = settings.DATABASES["default"]
    try:
        with psycopg.connect(
            host=database["HOST"],
            port=database["PORT"] or None,
            user=database["USER"] or None,
            password=database["PASSWORD"] or None,
            dbname=database["NAME"],
            **{name: value for name, value in database["OPTIONS"].items() if name != "assume_role"},
        ) as connection:
            version = connection.info.server_version
    except psycopg.OperationalError as error:
        reason = str(error).strip().splitlines()[-1]
        raise LocalStudioFailed(f"DATABASE_URL: the database cannot be reached: {reason}") from None
    if version < POSTGRESQL_MINIMUM:
        raise LocalStudioFailed(f"DATABASE_URL: PostgreSQL 15 or later is needed, the server is {version // 10_000}")


def _try_broker() -> None:
    try:
        with redis.Redis.from_url(settings.REDIS_URL, socket_timeout=5, socket_connect_timeout=5) as client:
            version = str(client.info("server")["redis_version"])
    except redis.RedisError as error:
        raise LocalStudioFailed(f"REDIS_URL: the server cannot be reached ({type(error).__name__})") from None
    if tuple(int(part) for part in version.split(".")[:2]) < REDIS_MINIMUM:
        raise LocalStudioFailed(f"REDIS_URL: Redis 6.2 or later, or Valkey, is needed; the server is {version}")


def _prepare(data: LocalData, environment: Mapping[str, str], say: Say, raise_if_stopped: RaiseIfStopped) -> None:
    """The tables are up to date, and an empty studio has its demo workspace."""
    steps = {
        "Preparing the database": ["migrate", "--no-input"],
        "Looking for the demo workspace": ["load_demo", "--credentials-file", str(data.credentials)],
    }
    for description, arguments in steps.items():
        say(description)
        log = data.logs / f"{arguments[0]}.log"
        command = [sys.executable, str(settings.BASE_DIR / "manage.py"), *arguments]
        process = start_process(command, log=log, environment=environment, directory=settings.BASE_DIR)
        try:
            while process.poll() is None:
                raise_if_stopped()
                time.sleep(0.05)
        finally:
            stop_process(process)
        if process.returncode != 0:
            raise LocalStudioFailed(f"{description} failed. The end of {log}:\n{last_lines(log)}")


def _commands(data: LocalData, port: int, sockets: Path) -> dict[str, list[str]]:
    """The long-running commands in the order of starting; the reverse is the order of stopping."""
    granian = [sys.executable, "-m", "granian", "--workers", "1"]
    celery = [sys.executable, "-m", "celery", "--app", "studio"]
    web, streams = str(sockets / "web"), str(sockets / "streams")
    return {
        # First and so last to stop: it lets others finish what they are answering.
        "door": [sys.executable, "-m", "studio.door", str(port), web, streams],
        "web": [
            # The default of 512 threads exhausted PostgreSQL's connections.
            *(*granian, "--interface", "wsgi", "--uds", web, "--blocking-threads", "4"),
            # Milliseconds, and the most there is: also how long an idle connection stays open for the next poll.
            *("--http1-header-read-timeout", "60000"),
            # Seconds. A worker that is told to stop while it still starts does not hear it.
            *("--workers-kill-timeout", "10", "studio.wsgi:application"),
        ],
        "streams": [
            # Each open stream is a request that is being answered: more of them than there may be streams.
            *(*granian, "--interface", "asgi", "--uds", streams, "--backlog", "4096", "--backpressure", "10000"),
            *("--respawn-failed-workers", "--workers-kill-timeout", "10", "studio.streams.asgi:application"),
        ],
        # One worker has nobody to ask at its start, and nobody to gossip with.
        "worker": [
            *(*celery, "worker", "--concurrency", "2", "--loglevel", "INFO"),
            *("--without-mingle", "--without-gossip"),
        ],
        # What waits for other people's servers: threads, so that one that hangs holds up no other.
        "dispatcher": [
            *(*celery, "worker", "--queues", "dispatch", "--pool", "threads", "--concurrency", "8"),
            *("--hostname", "dispatcher@%h", "--loglevel", "INFO", "--without-mingle", "--without-gossip"),
        ],
        "beat": [*celery, "beat", "--schedule", str(data.directory / "beat-schedule"), "--pidfile="],
    }


def _wait_until_ready(children: list[Child], port: int, sockets: Path, raise_if_stopped: RaiseIfStopped) -> None:
    deadline = time.monotonic() + READY_SECONDS
    doors: dict[str, Callable[[], http.client.HTTPConnection]] = {
        "web": partial(http.client.HTTPConnection, HOST, port, timeout=10),
        "streams": partial(_LocalSocket, sockets / "streams", timeout=10),
    }
    for name, connect in doors.items():
        while not _is_ready(connect()):
            raise_if_stopped()
            _ensure_alive(children)
            if time.monotonic() > deadline:
                silent = next(child for child in children if child.name == name)
                raise LocalStudioFailed(
                    f"The studio does not become ready. The end of {silent.log}:\n{last_lines(silent.log)}"
                )
            time.sleep(0.1)


def _is_ready(connection: http.client.HTTPConnection) -> bool:
    try:
        connection.request("GET", "/readyz")
        return connection.getresponse().status == http.HTTPStatus.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


class _LocalSocket(http.client.HTTPConnection):
    """HTTP over a Unix socket."""

    def __init__(self, path: Path, *, timeout: float) -> None:
        super().__init__(HOST, timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(str(self._path))


def _ensure_alive(children: list[Child]) -> None:
    for child in children:
        if (code := child.process.poll()) is not None:
            raise LocalStudioFailed(
                f"{child.name} ended by itself with code {code}. The end of {child.log}:\n{last_lines(child.log)}"
            )
