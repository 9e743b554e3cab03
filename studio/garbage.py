"""Keeping Python's garbage collector away from what a server has loaded and will not let go."""

import gc
from typing import Final

from django.urls import get_resolver

__all__ = ["settle"]

# Objects that may be made, beyond those let go, before the collector looks at the newest: more than a full batch of
# events comes to. By default, it would look ten times during a batch, of which nothing is garbage yet.
OBJECTS_OF_A_REQUEST: Final = 50_000


def settle() -> None:
    """Everything that is loaded by now, addresses and views included, is never looked at again for garbage.

    Judging a batch makes thousands of short-lived objects, for which the collector would go through all 150,000 of the
    program several times: a quarter of the time of a batch. What is made later is looked at as ever, but not before a
    request's worth of it has come together.
    Source: https://docs.python.org/3/library/gc.html#gc.freeze
    """
    # Django imports views with the first request otherwise.
    _ = get_resolver().url_patterns
    gc.collect()
    gc.freeze()
    gc.set_threshold(OBJECTS_OF_A_REQUEST, *gc.get_threshold()[1:])
