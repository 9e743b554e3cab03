"""Changes are heard of whatever the database does in between."""

import asyncio

import psycopg
import pytest
from django.db import OperationalError

from studio.streams import watch as watching
from studio.streams.watch import watch
from tests.tenants.leases import PATIENCE

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.mark.parametrize("error", [OperationalError, psycopg.OperationalError, ConnectionResetError])
def test_a_look_that_fails_is_made_again(error: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(watching, "RETRY_SECONDS", 0.01)
    looks: list[int] = []

    async def test() -> None:
        has_looked = asyncio.Event()

        async def look() -> None:
            looks.append(len(looks))
            if len(looks) < 3:
                raise error
            has_looked.set()

        task = asyncio.create_task(watch(look))
        await asyncio.wait_for(has_looked.wait(), PATIENCE)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(test())

    assert looks == [0, 1, 2]
