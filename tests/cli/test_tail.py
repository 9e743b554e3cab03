"""``studio tail`` against a studio that runs."""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pexpect
import pytest
from pytest_django import Settings

from telemetry.cli.live_lines import LineFormat, LiveWriter
from telemetry.cli.remote import Studio as Remote
from telemetry.cli.tail import follow
from telemetry.cli.watching import LiveQuestion, Watch
from telemetry.core.enums import EventOutcome
from telemetry.core.errors import NotFound, Unavailable
from telemetry.services.deliveries.delivering import deliver_once
from telemetry.stores.live import connect, live_stream
from tenants.models import Installation
from tenants.roles import Role
from tests.cli.conftest import ROOT, Studio
from tests.cli.interrupts import heed_interrupts
from tests.studio.api.calls import caller_with_role
from tests.telemetry.factories import ingest, make_incoming, make_installation, make_provider, make_published
from tests.telemetry.services.deliveries.receivers import receiver

if TYPE_CHECKING:
    from pytest_django.live_server_helper import LiveServer

STEP = "sigil.telemetry.workflow_step"
WITH_PERSON = {"workflow": "onboarding", "step": "verify", "userId": "alice@example.com"}


@pytest.fixture
def installation(
    live_server: "LiveServer", redis_url: str, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Installation]:
    """An installation of a studio with a live stream; a viewer's key is in the environment."""
    monkeypatch.setitem(settings.DATABASES["default"], "CONN_MAX_AGE", 0)
    settings.REDIS_URL = redis_url
    live_stream.cache_clear()
    make_published()
    installation = make_installation("acme")
    monkeypatch.setenv("STUDIO_URL", live_server.url)
    monkeypatch.setenv("STUDIO_API_KEY", key_of_viewer(installation))
    yield installation
    live_stream.cache_clear()
    with connect(redis_url) as client:
        client.flushdb()


def key_of_viewer(installation: Installation) -> str:
    caller = caller_with_role(Role.VIEWER, installation.tenant)
    return caller.headers["Authorization"].removeprefix("Bearer ")


def watch_of(installation: Installation, question: LiveQuestion = LiveQuestion()) -> Watch:  # noqa: B008 - it is frozen
    return Watch(Remote(os.environ["STUDIO_URL"], os.environ["STUDIO_API_KEY"]), str(installation.public_id), question)


def objects(text: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in text.splitlines()]


class Ended(Exception):
    """The test has seen enough."""


def test_it_shows_what_came_with_every_step_and_nothing_that_was_hidden(
    studio: Studio, installation: Installation
) -> None:
    ingest(installation, make_incoming(properties=WITH_PERSON))

    called = studio("tail", f"acme/{installation.app.slug}/{installation.environment}", "--once", "--values")

    assert (called.code, called.err) == (0, "")
    head, steps, values = called.out.splitlines()
    assert f"stored       {STEP} v1" in head
    assert steps.strip().startswith("received (through")
    assert all(f" > {word}" in steps for word in ("valid", "sampled", "redacted", "stored"))
    assert '"workflow": "onboarding"' in values
    assert "alice" not in called.out


def test_for_programs_each_event_is_an_object(studio: Studio, installation: Installation) -> None:
    ingest(installation, make_incoming(properties=WITH_PERSON), make_incoming(properties=WITH_PERSON))

    called = studio("tail", installation.public_id, "--once", "--format", "json", "-n", 1)

    [line] = objects(called.out)
    assert (line["kind"], line["name"], line["outcome"]) == ("event", STEP, "stored")
    assert [step["word"] for step in line["steps"]] == ["received", "valid", "sampled", "redacted", "stored"]
    assert studio("tail", installation.public_id, "--once", "-n", 0).out == ""


def test_it_follows_and_shows_each_event_once(installation: Installation, capsys: pytest.CaptureFixture[str]) -> None:
    watch = watch_of(installation)
    watch.look()
    again = make_incoming()
    looks = iter([[again, make_incoming(properties={})], [again, make_incoming(name="made_up")], []])

    def meanwhile(_: float) -> None:
        batch = next(looks, None)
        if batch is None:
            raise Ended
        if batch:
            ingest(installation, *batch)

    with pytest.raises(Ended):
        follow(watch, LiveWriter(LineFormat.JSON, with_values=False), sleep=meanwhile)

    outcomes = [(line["name"], line["outcome"]) for line in objects(capsys.readouterr().out)]
    assert outcomes == [(STEP, "stored"), (STEP, "rejected"), (STEP, "duplicate"), (None, "rejected")]


def test_it_shows_only_what_was_asked_for(installation: Installation) -> None:
    refused = watch_of(installation, LiveQuestion(outcome=EventOutcome.REJECTED))
    named = watch_of(installation, LiveQuestion(STEP))
    refused.look(), named.look()
    ingest(installation, make_incoming(), make_incoming(name="made_up"))

    assert [line["outcome"] for line in refused.look().lines] == ["rejected"]
    assert [line["name"] for line in named.look().lines] == [STEP]


def test_after_an_outage_it_goes_on_where_it_was(
    installation: Installation, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = watch_of(installation)
    sleeps: list[float] = []
    watch.look()
    ask = Remote.live

    def broken(*_: object) -> dict[str, Any]:
        raise Unavailable("no usable answer: ConnectionRefusedError", retry_after=3.0 if len(sleeps) == 2 else None)

    def meanwhile(seconds: float) -> None:
        sleeps.append(seconds)
        if len(sleeps) == 1:
            monkeypatch.setattr(Remote, "live", broken)
        if len(sleeps) == 3:
            ingest(installation, make_incoming())
            monkeypatch.setattr(Remote, "live", ask)
        if len(sleeps) == 5:
            raise Ended

    with pytest.raises(Ended):
        follow(watch, LiveWriter(LineFormat.TEXT, with_values=False), sleep=meanwhile)

    captured = capsys.readouterr()
    assert sleeps == [1.0, 1.0, 3.0, 1.0, 1.0]
    assert captured.err.splitlines() == ["-- the studio does not answer; trying again", "-- connected again"]
    assert captured.out.count(STEP) == 1


def test_while_the_stream_is_away_stored_events_are_shown_once(
    installation: Installation, redis_url: str, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = watch_of(installation)
    watch.look()
    steps = iter(["away", "back", "look"])

    def meanwhile(_: float) -> None:
        step = next(steps, None)
        if step is None:
            raise Ended
        ingest(installation, make_incoming())
        if step != "look":
            settings.REDIS_URL = redis_url if step == "back" else "redis://127.0.0.1:1/0"
            live_stream.cache_clear()

    with pytest.raises(Ended):
        follow(watch, LiveWriter(LineFormat.JSON, with_values=False), sleep=meanwhile)

    captured = capsys.readouterr()
    ids = [line["eventId"] for line in objects(captured.out)]
    assert len(ids) == len(set(ids)) >= 2
    assert "-- the live stream is away" in captured.err
    assert "-- live again" in captured.err


def test_it_says_when_an_event_has_arrived_where_it_was_sent(
    installation: Installation, settings: Settings, capsys: pytest.CaptureFixture[str]
) -> None:
    settings.STUDIO_OUTGOING_ALLOW = ["127.0.0.1"]
    watch, writer = watch_of(installation), LiveWriter(LineFormat.TEXT, with_values=False)
    with receiver() as hook:
        provider = make_provider(installation, hook.url, name="Our hook")
        ingest(installation, make_incoming())
        writer.write(watch.look())
        before = capsys.readouterr().out
        quiet = watch.look().deliveries
        deliver_once(provider.pk)
        writer.write(watch.look())

    assert "on its way (Our hook: on its way)" in before
    assert quiet == []
    assert "delivered (Our hook: delivered)" in capsys.readouterr().out
    assert watch.look().deliveries == []


def test_what_would_steer_the_terminal_is_shown_as_a_mark(
    installation: Installation, capsys: pytest.CaptureFixture[str]
) -> None:
    watch = watch_of(installation)
    watch.look()
    ingest(installation, make_incoming(properties={**WITH_PERSON, "workflow": "\x1b[2J\u202e"}))

    LiveWriter(LineFormat.TEXT, with_values=True).write(watch.look())

    out = capsys.readouterr().out
    assert "workflow" in out
    assert "\x1b" not in out
    assert "\u202e" not in out


@pytest.mark.parametrize(
    ("place", "said"),
    [
        ("nonsense", "must be an id, or TENANT/APP/ENVIRONMENT"),
        ("acme/sigil/nowhere", "400"),
        ("other/sigil/production", "no installation other/sigil/production"),
        ("7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b11", "404"),
    ],
)
def test_a_place_that_is_none_is_an_error(studio: Studio, installation: Installation, place: str, said: str) -> None:
    called = studio("tail", place, "--once")

    assert (called.code, called.out) == (2, "")
    assert said in called.err


def test_anothers_installation_is_as_absent_as_none(installation: Installation) -> None:
    other = make_installation("other")

    with pytest.raises(NotFound):
        watch_of(other).look()


def test_who_has_no_key_is_told_so(studio: Studio, installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STUDIO_API_KEY", "tgs_wrong")

    called = studio("tail", installation.public_id)

    assert called.code == 2
    assert "401" in called.err


def test_in_a_terminal_control_c_ends_it_with_130(installation: Installation) -> None:
    child = pexpect.spawn(
        sys.executable,
        ["-m", "telemetry.cli", "tail", str(installation.public_id)],
        cwd=str(ROOT),
        encoding="utf-8",
        preexec_fn=heed_interrupts,
    )
    ingest(installation, make_incoming())
    child.expect_exact(STEP, timeout=60)

    child.sendintr()
    child.expect(pexpect.EOF, timeout=60)
    child.close()

    assert child.exitstatus == 130
    assert "Traceback" not in (child.before or "")


def test_a_signal_from_a_script_ends_it_the_same_way(installation: Installation, tmp_path: Path) -> None:
    ingest(installation, make_incoming())
    command = [sys.executable, "-m", "telemetry.cli", "tail", str(installation.public_id), "--format", "json"]
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, preexec_fn=heed_interrupts
    ) as child:
        try:
            assert child.stdout is not None
            assert child.stderr is not None
            first = json.loads(child.stdout.readline())
            child.send_signal(signal.SIGINT)
            code, said = child.wait(timeout=60), child.stderr.read()
        finally:
            child.kill()

    assert (first["name"], code, said) == (STEP, 130, b"")
