"""Servers of a benchmark's own: PostgreSQL, Valkey and the studio's web server, in a directory that is thrown away."""

import http.client
import os
import secrets
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from studio.embedded import postgresql_server, valkey_server
from studio.processes import last_lines, start_process, stop_process

__all__ = ["HOST", "ROOT", "StreamServer", "WebServer", "free_port", "set_up_django", "temporary_servers"]

HOST = "127.0.0.1"
ROOT = Path(__file__).resolve().parents[1]
READY_SECONDS = 60


@contextmanager
def temporary_servers() -> Iterator[dict[str, str]]:
    """Within the block both servers run, durable as in production; the environment in which the studio uses them."""
    with TemporaryDirectory(prefix="studio-benchmark-", ignore_cleanup_errors=True) as name, ExitStack() as stack:
        directory = Path(name)
        database = stack.enter_context(postgresql_server(directory / "postgresql"))
        broker = stack.enter_context(valkey_server(directory / "valkey"))
        yield studio_environment(database.url, broker.url, directory)


def studio_environment(database_url: str, redis_url: str, directory: Path) -> dict[str, str]:
    """The variables of a studio that only this machine can reach, with secrets of its own."""
    return {
        **os.environ,
        "DJANGO_SETTINGS_MODULE": "studio.settings.base",
        "PYTHONPATH": str(ROOT),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "SECRET_KEY": secrets.token_urlsafe(48),
        "STUDIO_API_KEY_PEPPER": secrets.token_urlsafe(48),
        "STUDIO_PSEUDONYM_KEY": secrets.token_urlsafe(48),
        "STUDIO_INSECURE_LOCAL": "1",
        # Throttling is part of the way of every request; its limit is not what is measured.
        "STUDIO_REQUESTS_PER_MINUTE": "100000000",
        "STUDIO_LOG_LEVEL": "WARNING",
        "BENCHMARK_DIRECTORY": str(directory),
    }


def set_up_django(environment: Mapping[str, str]) -> None:
    """This process uses the studio's models and services on the servers of ``environment``; the tables are made."""
    os.environ.update(environment)
    import django

    subprocess.run(  # noqa: S603 - our own command
        [sys.executable, str(ROOT / "manage.py"), "migrate", "--no-input", "--verbosity", "0"],
        env=dict(environment),
        check=True,
    )
    django.setup()


class WebServer:
    """A granian process that serves an application; it can be killed and started again on the same port."""

    arguments: tuple[str, ...] = (
        "--interface",
        "wsgi",
        "--blocking-threads",
        "2",
        "--http1-header-read-timeout",
        "60000",
    )

    def __init__(
        self,
        environment: Mapping[str, str],
        application: str = "studio.wsgi:application",
        *,
        workers: int = 1,
        probe: str = "/healthz",
    ) -> None:
        self.port = free_port()
        self._environment = environment
        self._probe = probe
        self._log = Path(environment["BENCHMARK_DIRECTORY"]) / f"web-{self.port}.log"
        self._command = [
            *(sys.executable, "-m", "granian", "--host", HOST, "--port", str(self.port), "--workers", str(workers)),
            *(*self.arguments, "--workers-kill-timeout", "10", application),
        ]
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """The server answers; raises ``RuntimeError`` with the end of its log if it does not."""
        self.process = start_process(self._command, log=self._log, environment=self._environment, directory=ROOT)
        deadline = time.monotonic() + READY_SECONDS
        while not self._answers():
            if self.process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"the web server did not start:\n{last_lines(self._log)}")
            time.sleep(0.05)

    def stop(self) -> None:
        """The server is gone."""
        if self.process is not None:
            stop_process(self.process)
            self.process = None

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection(HOST, self.port, timeout=5)
        try:
            connection.request("GET", self._probe)
            return connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()


class StreamServer(WebServer):
    """A granian process that serves event streams."""

    arguments = ("--interface", "asgi", "--backlog", "4096", "--backpressure", "10000")

    def __init__(self, environment: Mapping[str, str]) -> None:
        super().__init__(environment, "studio.streams.asgi:application")


def free_port() -> int:
    """A port of this machine on which nothing listens."""
    with socket.socket() as listener:
        listener.bind((HOST, 0))
        return int(listener.getsockname()[1])
