"""What a server has loaded is out of the garbage collector's sight."""

import gc

from django.urls import get_resolver

from studio.garbage import settle


def test_what_is_loaded_is_never_looked_at_again_and_what_comes_later_is() -> None:
    loaded = len(gc.get_objects())

    try:
        settle()
        later: list[list[int]] = [[] for _ in range(10)]

        assert gc.get_freeze_count() > loaded * 0.5
        assert any(each is later for each in gc.get_objects())
    finally:
        gc.unfreeze()


def test_addresses_are_loaded_before_the_first_request() -> None:
    try:
        settle()

        assert "url_patterns" in vars(get_resolver())
    finally:
        gc.unfreeze()
