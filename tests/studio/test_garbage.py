"""What a server has loaded is out of the garbage collector's sight."""

import gc
from collections.abc import Iterator

import pytest
from django.urls import get_resolver

from studio.garbage import settle


@pytest.fixture(autouse=True)
def unsettle() -> Iterator[None]:
    """The collector works as before, once the test is over."""
    thresholds = gc.get_threshold()
    yield
    gc.unfreeze()
    gc.set_threshold(*thresholds)


def test_what_is_loaded_is_never_looked_at_again_and_what_comes_later_is() -> None:
    loaded = len(gc.get_objects())

    settle()
    later: list[list[int]] = [[] for _ in range(10)]

    assert gc.get_freeze_count() > loaded * 0.5
    assert any(each is later for each in gc.get_objects())


def test_the_objects_of_one_full_batch_are_not_gone_through_while_they_are_made() -> None:
    settle()
    gc.collect()
    collections = [each["collections"] for each in gc.get_stats()]

    batch: list[list[list[int]]] = [[[] for _ in range(20)] for _ in range(1_000)]

    assert len(batch) == 1_000
    assert [each["collections"] for each in gc.get_stats()] == collections


def test_addresses_are_loaded_before_the_first_request() -> None:
    settle()

    assert "url_patterns" in vars(get_resolver())
