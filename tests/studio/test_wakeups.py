"""Telling workers of deliveries: soon, not too often, and never at the price of the request."""

import logging
from typing import Any

import pytest
from kombu.exceptions import OperationalError

from studio import wakeups
from studio.wakeups import wake_providers


class Broker:
    """Stands for the broker: takes calls, with the seconds that each is to wait, or is away."""

    def __init__(self) -> None:
        self.calls: list[tuple[int, float]] = []
        self.is_away = False

    def apply_async(self, arguments: tuple[int], *, countdown: float) -> None:
        """One call of the job."""
        if self.is_away:
            raise OperationalError("redis://:hunter2@10.1.2.3:6379 refused")
        self.calls.append((arguments[0], countdown))


class Clock:
    """Seconds that pass when a test says so."""

    def __init__(self) -> None:
        self.now = 1_000.0

    def monotonic(self) -> float:
        """The present second."""
        return self.now


@pytest.fixture
def broker(monkeypatch: pytest.MonkeyPatch) -> Broker:
    found = Broker()
    monkeypatch.setattr(wakeups, "deliver", found)
    monkeypatch.setattr(wakeups, "_calls", wakeups._Calls())
    return found


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    found = Clock()
    monkeypatch.setattr(wakeups, "time", found)
    return found


def test_each_provider_is_woken_at_once(broker: Broker, clock: Clock) -> None:
    wake_providers([3, 5])
    wake_providers([])

    assert broker.calls == [(3, 0.0), (5, 0.0)]


def test_many_batches_within_a_second_call_twice_now_and_at_its_end(broker: Broker, clock: Clock) -> None:
    for _ in range(50):
        wake_providers([3])
        clock.now += 0.01

    assert [provider for provider, _ in broker.calls] == [3, 3]
    assert broker.calls[0][1] == 0.0
    assert broker.calls[1][1] == pytest.approx(0.99)


def test_while_batches_go_on_there_is_a_call_each_second_and_none_is_left_without_one(
    broker: Broker, clock: Clock
) -> None:
    due = []
    for _ in range(1_000):
        before = len(broker.calls)
        wake_providers([3])
        due += [clock.now + seconds for _, seconds in broker.calls[before:]]
        last_batch = clock.now
        clock.now += 0.01

    # Ten seconds of batches: about one call a second, and one that comes after the last batch.
    assert 9 <= len(due) <= 12
    assert max(due) >= last_batch


def test_a_quiet_provider_is_woken_at_once_again(broker: Broker, clock: Clock) -> None:
    wake_providers([3])
    clock.now += 5
    wake_providers([3])

    assert broker.calls == [(3, 0.0), (3, 0.0)]


def test_a_broker_that_is_away_is_left_alone_for_a_while_and_nobody_hears_of_it(
    broker: Broker, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    broker.is_away = True
    with caplog.at_level(logging.WARNING, "studio.wakeups"):
        wake_providers([3, 5, 7])
    broker.is_away = False
    wake_providers([3])
    assert broker.calls == []

    clock.now += 10.5
    wake_providers([3])

    assert broker.calls == [(3, 0.0)]
    [record] = caplog.records
    assert record.message == "wakeup.failed"
    assert "hunter2" not in caplog.text


def test_errors_that_are_not_the_brokers_are_not_hidden(broker: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any, **__: Any) -> None:
        raise KeyError("a bug")

    monkeypatch.setattr(broker, "apply_async", fail)

    with pytest.raises(KeyError):
        wake_providers([3])
