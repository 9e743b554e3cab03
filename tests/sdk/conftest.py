"""Servers for the tests of the SDK."""

from collections.abc import Iterator

import pytest

from tests.sdk.servers import ScriptedServer, scripted_server


@pytest.fixture
def server() -> Iterator[ScriptedServer]:
    """A local HTTP server that answers 200 with an empty body until told otherwise."""
    with scripted_server() as scripted:
        yield scripted


@pytest.fixture
def other_server() -> Iterator[ScriptedServer]:
    """A second one, on another port."""
    with scripted_server() as scripted:
        yield scripted
