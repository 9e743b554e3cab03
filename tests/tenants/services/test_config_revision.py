"""Numbers in the order of commits."""

import threading

import pytest
from django.db import connection, transaction
from django.db.transaction import TransactionManagementError

from tenants.services.config_revision import bump
from tests.tenants.together import run_together, wait_for_a_blocked_session


@pytest.mark.django_db
def test_numbers_count_from_one_without_gaps() -> None:
    assert [bump(), bump(), bump()] == [1, 2, 3]


@pytest.mark.django_db(transaction=True)
def test_a_change_that_is_rolled_back_gives_its_number_back() -> None:
    with transaction.atomic():
        assert bump() == 1
    with transaction.atomic():
        assert bump() == 2
        transaction.set_rollback(True)

    with transaction.atomic():
        assert bump() == 2


@pytest.mark.django_db(transaction=True)
def test_a_number_outside_a_transaction_is_refused() -> None:
    with pytest.raises(TransactionManagementError):
        bump()


@pytest.mark.django_db(transaction=True)
def test_changes_at_the_same_time_get_different_numbers() -> None:
    @transaction.atomic
    def change() -> int:
        return bump()

    assert sorted(run_together(*[change] * 8)) == list(range(1, 9))  # type: ignore[type-var]


@pytest.mark.django_db(transaction=True)
def test_the_next_number_waits_until_the_change_before_is_committed() -> None:
    numbers: list[int] = []

    def change() -> None:
        try:
            with transaction.atomic():
                numbers.append(bump())
        finally:
            connection.close()

    later = threading.Thread(target=change)
    with transaction.atomic():
        first = bump()
        later.start()
        wait_for_a_blocked_session()
        assert numbers == []
    later.join()

    assert (first, numbers) == (1, [2])
