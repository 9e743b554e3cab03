"""``manage.py up``, run as a person runs it."""

import http.client
import json
import os
import re
import shlex
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psutil
import psycopg
import pytest
from django.conf import settings

from tests.studio.ports import free_port
from tests.studio.streams.listeners import Listener

NOT_INHERITED = ("DATABASE_URL", "REDIS_URL", "SECRET_KEY", "DJANGO_SETTINGS_MODULE", "STUDIO_")


class Studio:
    """A studio that was started, what it has said, and the processes below it."""

    def __init__(self, data: Path, **variables: str) -> None:
        self.port = free_port()
        self.data = data
        inherited = {name: value for name, value in os.environ.items() if not name.startswith(NOT_INHERITED)}
        own = {"STUDIO_PORT": str(self.port), "STUDIO_DATA_DIR": str(data), **variables}
        self.process = subprocess.Popen(
            [sys.executable, settings.BASE_DIR / "manage.py", "up"],
            env=inherited | own,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            # The test run itself may have been started with SIGHUP ignored, which children inherit.
            preexec_fn=partial(signal.signal, signal.SIGHUP, signal.SIG_DFL),
        )

    def read_until(self, text: str) -> str:
        """What it says up to the line that contains ``text``; fails if it ends before."""
        assert self.process.stdout is not None
        said = ""
        for line in self.process.stdout:
            said += str(line)
            if text in line:
                break
        else:
            pytest.fail(f"ended without saying {text!r}:\n{said}")
        return said

    def end(self) -> tuple[int, str]:
        """Its exit code and what it said since it was last read."""
        said, _ = self.process.communicate()
        return self.process.returncode, said

    def children(self) -> dict[str, psutil.Process]:
        """The processes that it started itself, by name."""
        marks = {
            "door": "studio.door",
            "web": "wsgi",
            "streams": "asgi",
            "dispatcher": "--queues dispatch",
            "worker": "worker",
            "beat": "beat",
            "postgresql": "postgres",
            "valkey": "valkey-server",
        }
        found = {}
        for child in psutil.Process(self.process.pid).children():
            command = " ".join(child.cmdline())
            found[next(name for name, mark in marks.items() if f"{mark} " in command)] = child
        return found

    def get(self, path: str, **headers: str) -> tuple[int, Any, dict[str, str]]:
        """Status, parsed body and headers (names in lower case) of an answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port)
        try:
            connection.request("GET", path, headers=headers)
            response = connection.getresponse()
            body = response.read()
            names = {name.lower(): value for name, value in response.getheaders()}
            return response.status, json.loads(body) if body else None, names
        finally:
            connection.close()


@contextmanager
def studio(data: Path, **variables: str) -> Iterator[Studio]:
    started = Studio(data, **variables)
    try:
        yield started
    finally:
        if started.process.poll() is None:
            started.process.terminate()
            started.end()


def alive(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run; one that ended and that nobody has asked for its exit code does not."""
    return [each for each in processes if each.is_running() and each.status() != psutil.STATUS_ZOMBIE]


@pytest.fixture
def data() -> Iterator[Path]:
    with TemporaryDirectory(prefix="studio-test-", ignore_cleanup_errors=True) as directory:
        yield Path(directory) / "a data directory"


def test_the_first_start_shows_the_studio_and_the_second_keeps_it(data: Path) -> None:
    # Given a studio that was started in an empty directory.
    with studio(data) as first:
        said = first.read_until("curl ")

        # Then the one line with curl is a request that works, and then answers 304.
        (line,) = re.findall("^curl .*$", said, re.MULTILINE)
        program, _, _, header, url = shlex.split(line)
        assert (program, url) == ("curl", f"http://127.0.0.1:{first.port}/api/v1/config")
        name, _, value = header.partition(": ")
        status, config, headers = first.get("/api/v1/config", **{name: value})
        assert (status, config["events"] != []) == (200, True)
        assert first.get("/api/v1/config", **{name: value, "If-None-Match": headers["etag"]})[0] == 304

        # And the same port has the stream that tells of changes.
        with Listener(first.port, value.removeprefix("Bearer ")) as listener:
            event = listener.event()
        assert event is not None
        assert json.loads(event.data) == {"revision": config["revision"], "etag": headers["etag"]}

        # And the login that it printed exists, in a file that only its owner can read.
        credentials = json.loads((data / "credentials.json").read_text())
        assert f"Sign in   {credentials['username']} / {credentials['password']}\n" in said
        for file in ("credentials.json", "secrets.json", "environment", "postgresql.log", "logs/web.log"):
            assert stat.S_IMODE((data / file).stat().st_mode) == 0o600

        # And jobs run.
        while first.get("/readyz")[1]["worker"] != "ok":
            time.sleep(0.2)

        # And another start on the same directory says who has it.
        with studio(data) as second:
            code, refusal = second.end()
        assert code == 1
        assert f"A studio already runs on {data} (process {first.process.pid})" in refusal

        # And another start on the same port says so before it touches anything.
        with studio(data.with_name("elsewhere"), STUDIO_PORT=str(first.port)) as third:
            code, refusal = third.end()
        assert code == 2
        assert f"Port {first.port} of 127.0.0.1 is in use" in refusal
        assert "STUDIO_PORT" in refusal
        assert not data.with_name("elsewhere").exists()

        # When Ctrl-C stops it, then everything it started is gone, and the exit code is 0.
        below = psutil.Process(first.process.pid).children(recursive=True)
        assert first.children().keys() == {
            "door",
            "web",
            "streams",
            "worker",
            "dispatcher",
            "beat",
            "postgresql",
            "valkey",
        }
        first.process.send_signal(signal.SIGINT)
        assert first.end() == (0, "Stopped.\n")
        assert alive(below) == []
        assert not (data / "environment").exists()

    # And the second start answers the same key with the same config.
    with studio(data) as again:
        said = again.read_until("curl ")
        assert value.removeprefix("Bearer ") in said
        assert again.get("/api/v1/config", **{name: value})[1] == config


@pytest.mark.skipif(sys.platform != "linux", reason="other systems do not tell a child that its parent died")
def test_a_studio_that_was_killed_leaves_nothing_behind_and_starts_again(data: Path) -> None:
    with studio(data) as killed:
        said = killed.read_until("curl ")
        below = psutil.Process(killed.process.pid).children(recursive=True)
        killed.process.kill()
        killed.end()
        while alive(below):
            time.sleep(0.1)

    with studio(data) as again:
        api_key = re.findall('Bearer [^"]+', said)
        assert re.findall('Bearer [^"]+', again.read_until("curl ")) == api_key != []


@pytest.mark.parametrize("name", ["web", "door", "postgresql"])
def test_the_death_of_one_part_is_named_and_stops_the_rest(data: Path, name: str) -> None:
    with studio(data) as started:
        started.read_until("curl ")
        below = psutil.Process(started.process.pid).children(recursive=True)
        started.children()[name].kill()

        code, said = started.end()

    assert code == 1
    assert f"{name} ended by itself with code -9" in said.lower()
    assert alive(below) == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_stop_in_the_middle_of_starting_leaves_nothing_behind(data: Path, number: signal.Signals) -> None:
    with studio(data) as started:
        started.read_until("Preparing the database")
        below = psutil.Process(started.process.pid).children(recursive=True)
        started.process.send_signal(number)

        assert started.end() == (0, "Stopped.\n")

    assert alive(below) == []


def test_given_servers_are_used_and_none_is_started(data: Path, database_server: None, redis_url: str) -> None:
    # Given a database of its own on a real server, and a broker.
    name = "given_servers"
    with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True) as server:
        server.execute(f"CREATE DATABASE {name}")
    url = os.environ["DATABASE_URL"].replace("/postgres?", f"/{name}?")

    with studio(data, DATABASE_URL=url, REDIS_URL=redis_url) as started:
        started.read_until("curl ")

        assert started.children().keys() == {"door", "web", "streams", "worker", "dispatcher", "beat"}
        assert not (data / "postgresql").exists()
        assert not (data / "valkey").exists()

    with psycopg.connect(url) as owner:
        assert owner.execute("SELECT count(*) FROM tenants_tenant").fetchone() == (2,)


def test_a_database_that_cannot_be_reached_is_named_without_its_password(data: Path) -> None:
    url = f"postgresql://studio:hunter2@127.0.0.1:{free_port()}/studio"

    with studio(data, DATABASE_URL=url) as started:
        code, said = started.end()

    assert code == 1
    assert "DATABASE_URL: the database cannot be reached" in said
    assert "hunter2" not in said


def test_a_broker_that_cannot_be_reached_is_named_without_its_password(data: Path, database_server: None) -> None:
    variables = {"DATABASE_URL": os.environ["DATABASE_URL"], "REDIS_URL": f"redis://:hunter2@127.0.0.1:{free_port()}/0"}

    with studio(data, **variables) as started:
        code, said = started.end()

    assert code == 1
    assert "REDIS_URL: the server cannot be reached (ConnectionError)" in said
    assert "hunter2" not in said


@pytest.mark.parametrize(
    ("name", "value", "rule"),
    [
        ("STUDIO_PORT", "http", "STUDIO_PORT: must be a whole number"),
        ("DATABASE_URL", "mysql://u:p@h/d", "DATABASE_URL: must be a URL that begins with postgresql://"),
        ("STUDIO_PORT", "70000", "STUDIO_PORT: must be at least 1 and at most 65535"),
        (
            "STUDIO_DATA_DIR",
            "/dev/null/studio",
            "/dev/null/studio cannot be used (Not a directory). Set STUDIO_DATA_DIR.",
        ),
    ],
)
def test_a_variable_that_cannot_be_obeyed_is_named_with_its_rule(data: Path, name: str, value: str, rule: str) -> None:
    with studio(data, **{name: value}) as started:
        code, said = started.end()

    assert code == 1
    assert rule in said
    assert "Traceback" not in said
