"""Publishers wait for the processes that answer from memory, and never for long."""

import time
from typing import Any

import pytest
from django.db import OperationalError, connection, transaction
from django.test.utils import CaptureQueriesContext

from tenants.models import ConfigReader
from tenants.services import config_readers
from tenants.services.config_readers import wait_for_readers
from tenants.services.config_revision import bump
from tests.tenants.leases import held

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def short_silence(monkeypatch: pytest.MonkeyPatch) -> float:
    monkeypatch.setattr(config_readers, "SILENCE_SECONDS", 0.05)
    return 0.05


def test_without_such_processes_one_query_is_enough() -> None:
    with CaptureQueriesContext(connection) as captured:
        wait_for_readers(1)

    assert len(captured) == 1


def test_a_process_that_knows_already_is_not_waited_for() -> None:
    ConfigReader.objects.create(seen=7)

    with CaptureQueriesContext(connection) as captured:
        wait_for_readers(7)

    assert len(captured) == 1
    assert ConfigReader.objects.count() == 1


def test_a_process_that_died_is_waited_for_once(short_silence: float) -> None:
    dead = ConfigReader.objects.create(seen=6)
    began = time.monotonic()

    wait_for_readers(7)

    assert time.monotonic() - began >= short_silence
    assert not ConfigReader.objects.filter(pk=dead.pk).exists()


def test_a_process_that_lives_keeps_its_row_beside_a_dead_one(short_silence: float) -> None:
    with held():
        [alive] = ConfigReader.objects.all()
        ConfigReader.objects.create(seen=0)

        with transaction.atomic():
            bump()

        assert [reader.pk for reader in ConfigReader.objects.all()] == [alive.pk]


def test_when_the_database_goes_away_after_the_commit_the_time_decides(short_silence: float) -> None:
    def fail(*_arguments: Any) -> None:
        raise OperationalError

    began = time.monotonic()

    with connection.execute_wrapper(fail):
        wait_for_readers(7)

    assert time.monotonic() - began >= short_silence
