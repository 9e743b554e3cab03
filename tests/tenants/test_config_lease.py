"""A process that holds a lease knows of each change before the call that made it returns."""

import threading

import psycopg
import pytest
from django.db import transaction

from tenants import config_lease
from tenants.config_lease import ConfigLease
from tenants.models import ConfigReader
from tenants.services.config_revision import bump
from tests.tenants.leases import PATIENCE, hang_up_on, held, known, wait_until

pytestmark = pytest.mark.django_db(transaction=True)


class Gagged(ConfigLease):
    """A lease whose thread can be made to hang, as that of a machine under load or asleep."""

    def __init__(self, *, stale_seconds: float = 0.0) -> None:
        super().__init__(stale_seconds=stale_seconds)
        self.may_speak = threading.Event()
        self.may_speak.set()

    def _renew(self, session: config_lease.Session) -> bool:
        assert self.may_speak.wait(PATIENCE)
        return super()._renew(session)


@transaction.atomic
def change() -> int:
    return bump()


def test_nothing_is_known_before_the_lease_holds() -> None:
    lease = ConfigLease()

    assert lease.current() is None
    lease.stop()
    assert lease.current() is None


def test_what_is_known_is_one_object_until_something_changes() -> None:
    change()

    with held() as lease:
        before = known(lease)

        assert before.value == 1
        assert lease.current() is before
        wait_until(lambda: ConfigReader.objects.get().renewals >= 3)
        assert lease.current() is before


def test_a_change_is_known_when_the_call_that_made_it_returns() -> None:
    with held() as first, held() as second:
        for _ in range(50):
            value = change()

            assert known(first).value == value
            assert known(second).value == value


def test_a_change_that_is_rolled_back_is_none() -> None:
    with held() as lease:
        before = known(lease)

        with transaction.atomic():
            bump()
            transaction.set_rollback(True)

        renewals = ConfigReader.objects.get().renewals
        wait_until(lambda: ConfigReader.objects.get().renewals > renewals)
        assert lease.current() is before


def test_a_process_that_says_nothing_holds_no_lease_when_the_call_returns() -> None:
    with held(Gagged()) as lease:
        assert isinstance(lease, Gagged)
        lease.may_speak.clear()

        change()

        assert lease.current() is None
        # Nobody waits for it a second time.
        assert not ConfigReader.objects.exists()
        lease.may_speak.set()
        wait_until(lambda: lease.current() is not None)
        assert known(lease).value == 1


def test_a_lost_connection_ends_the_lease_and_what_was_known_is_void(owner_connection: psycopg.Connection) -> None:
    with held() as lease:
        before = known(lease)

        hang_up_on("studio config lease", owner_connection)

        wait_until(lambda: lease.current() not in (None, before))
        assert known(lease) == (2, before.value)


def test_a_row_that_somebody_removed_is_made_anew() -> None:
    with held() as lease:
        before = known(lease)

        ConfigReader.objects.all().delete()

        wait_until(lambda: lease.current() not in (None, before))
        assert ConfigReader.objects.count() == 1


def test_a_lease_that_is_given_back_leaves_no_row() -> None:
    with held():
        assert ConfigReader.objects.count() == 1

    assert not ConfigReader.objects.exists()


def test_answers_may_go_on_for_a_time_that_was_asked_for(owner_connection: psycopg.Connection) -> None:
    with held(Gagged(stale_seconds=PATIENCE)) as lease:
        assert isinstance(lease, Gagged)
        before = known(lease)
        lease.may_speak.clear()
        hang_up_on("studio config lease", owner_connection)

        change()

        assert lease.current() is before
        lease.may_speak.set()
        wait_until(lambda: known(lease).value == 1)
