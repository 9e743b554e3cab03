"""How jobs run: from the settings, and with a real worker."""

import json
import os
import signal
import subprocess
import sys
import time
from base64 import b64encode
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from pickle import dumps
from tempfile import TemporaryDirectory

import kombu.exceptions
import pytest
import redis
from celery import Celery
from django.conf import settings
from django.contrib.sessions.backends.db import SessionStore
from django.contrib.sessions.models import Session

from studio.celery import app
from studio.embedded import valkey_server
from studio.processes import last_lines, start_process, stop_process
from studio.tasks import clear_sessions

QUEUE = "studio:jobs:celery"


def test_a_job_survives_the_death_of_its_worker_and_never_runs_for_ever() -> None:
    conf = app.conf

    assert conf.task_acks_late
    assert conf.task_reject_on_worker_lost
    assert conf.worker_prefetch_multiplier == 1
    assert 0 < conf.task_soft_time_limit < conf.task_time_limit
    assert conf.broker_transport_options["visibility_timeout"] >= 2 * conf.task_time_limit
    assert conf.broker_transport_options["unacked_restore_interval"] == 2
    assert conf.broker_transport_options["unacked_restore_throttle"] == 1


def test_messages_are_json_only() -> None:
    assert app.conf.accept_content == ["json"]
    assert app.conf.task_serializer == "json"


def test_every_scheduled_job_is_a_known_task() -> None:
    app.loader.import_default_modules()

    scheduled = {entry["task"]: entry["schedule"] for entry in app.conf.beat_schedule.values()}

    assert scheduled.keys() <= app.tasks.keys()
    assert scheduled["studio.heartbeat"] == timedelta(seconds=15)
    assert scheduled["studio.clear_sessions"] == timedelta(days=1)


@pytest.mark.django_db
def test_clearing_sessions_deletes_the_expired_ones_and_twice_is_once() -> None:
    living, expired = SessionStore(), SessionStore()
    living["person"] = expired["person"] = 1
    living.set_expiry(3600)
    expired.set_expiry(-3600)
    living.save()
    expired.save()

    clear_sessions()
    clear_sessions()

    assert [session.session_key for session in Session.objects.all()] == [living.session_key]


def test_a_broker_that_never_answers_does_not_hold_whoever_wants_to_wake_a_worker() -> None:
    with TemporaryDirectory() as directory, valkey_server(Path(directory) / "valkey", durable=False) as server:
        publisher = Celery("publisher", broker=server.url)
        publisher.conf.update({key: app.conf[key] for key in ("broker_transport_options", "task_publish_retry")})
        server.process.send_signal(signal.SIGSTOP)
        try:
            with pytest.raises(kombu.exceptions.OperationalError):
                publisher.send_task("studio.heartbeat")
        finally:
            server.process.send_signal(signal.SIGCONT)
        publisher.close()


@pytest.fixture
def worker(redis_url: str, tmp_path: Path) -> Iterator["subprocess.Popen[bytes]"]:
    """A worker as in production, on a broker of its own."""
    environment = {**os.environ, "REDIS_URL": redis_url, "DJANGO_SETTINGS_MODULE": "studio.settings.base"}
    command = [sys.executable, "-m", "celery", "--app", "studio", "worker", "--concurrency", "1"]
    process = start_process(command, log=tmp_path / "worker.log", environment=environment, directory=settings.BASE_DIR)
    yield process
    stop_process(process)


def test_a_worker_refuses_pickles_unknown_tasks_and_arguments_that_are_none_and_works_on(
    redis_url: str, worker: "subprocess.Popen[bytes]", tmp_path: Path
) -> None:
    # Given a pickle, an unknown task and false arguments before an honest task, by somebody who reached the broker.
    with redis.Redis.from_url(redis_url) as broker:
        broker.delete("studio:1:studio.heartbeat")
        trap = tmp_path / "trap"
        broker.rpush(QUEUE, message(b64encode(dumps(Trap(trap))).decode(), "application/x-python-serialize", "base64"))
        broker.rpush(QUEUE, message("[[], {}, {}]", "application/json", "utf-8", task="studio.unknown"))
        huge = json.dumps([["a" * 2_000_000], {"more": [0] * 100_000}, {}])
        broker.rpush(QUEUE, message(huge, "application/json", "utf-8", task="telemetry.sweep_deliveries"))
        broker.rpush(QUEUE, message('[[{"a": [1]}], {}, {}]', "application/json", "utf-8", task="telemetry.deliver"))
        broker.rpush(QUEUE, message("[[], {}, {}]", "application/json", "utf-8", task="studio.heartbeat"))

        while not broker.exists("studio:1:studio.heartbeat"):
            assert worker.poll() is None, last_lines(tmp_path / "worker.log")
            time.sleep(0.1)

    assert worker.poll() is None
    assert not trap.exists()


class Trap:
    """Unpickling it makes a file."""

    def __init__(self, file: Path) -> None:
        self.file = file

    def __reduce__(self) -> tuple[object, tuple[str]]:
        return os.mkdir, (str(self.file),)


def message(body: str, content_type: str, encoding: str, task: str = "studio.heartbeat") -> str:
    """A message as kombu's Redis transport keeps it in a list; the body is in base64 there."""
    if encoding != "base64":
        body = b64encode(body.encode()).decode()
    identity = "11111111-2222-3333-4444-555555555555"
    return json.dumps(
        {
            "body": body,
            "content-encoding": "binary" if encoding == "base64" else encoding,
            "content-type": content_type,
            "headers": {"lang": "py", "task": task, "id": identity, "root_id": identity, "argsrepr": "()"},
            "properties": {
                "correlation_id": identity,
                "delivery_mode": 2,
                "delivery_info": {"exchange": "", "routing_key": "celery"},
                "priority": 0,
                "body_encoding": "base64",
                "delivery_tag": task + content_type,
            },
        }
    )
