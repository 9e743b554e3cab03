"""The streams of one process: who is told what and when, without any connection."""

import asyncio
import uuid
from collections.abc import Awaitable, Callable, Collection, Mapping

import pytest

from studio.api.errors import TooManyStreams
from studio.streams import hub as hubs
from studio.streams.hub import Hub
from studio.streams.stream import BEAT_SECONDS, Admitted, Stream
from telemetry.core.errors import Unavailable

INSTALLATION = uuid.UUID(int=7)
BEAT = b": ping\n\n"


def make_stream(key_id: int = 1, *, revision: int = 5, now: float = 0.0, seconds_left: float = 1e9) -> Stream:
    admitted = Admitted(
        key_id=key_id,
        expires_at=None,
        installation_id=1,
        public_id=INSTALLATION,
        with_secret=False,
        revision=revision,
    )
    return Stream(admitted, now=now, seconds_left=seconds_left)


class World:
    """Which keys work, and at which revision."""

    def __init__(self) -> None:
        self.revisions: dict[int, int] = {}
        self.asked: list[set[int]] = []

    async def look(self, key_ids: Collection[int]) -> Mapping[int, int]:
        self.asked.append(set(key_ids))
        return {key_id: revision for key_id, revision in self.revisions.items() if key_id in key_ids}


def run(test: Callable[[World, Hub], Awaitable[None]], *, most: int = 10, most_per_key: int = 10) -> None:
    async def body() -> None:
        world = World()
        await test(world, Hub(world.look, most=most, most_per_key=most_per_key))

    asyncio.run(body())


def test_a_stream_is_told_of_another_revision_and_of_no_other_thing() -> None:
    async def test(world: World, hub: Hub) -> None:
        stream = make_stream()
        world.revisions = {1: 5}
        with hub.open(stream):
            await hub.look_at_all()
            world.revisions = {1: 6}
            await hub.look_at_all()

            note = await stream.next()

        assert note is not None
        assert note.startswith(b'id: 6\nevent: config\ndata: {"revision":6,"etag":"W/')
        assert INSTALLATION.hex.encode() in note

    run(test)


def test_who_is_slow_is_told_the_latest_alone() -> None:
    async def test(world: World, hub: Hub) -> None:
        stream = make_stream()
        with hub.open(stream):
            for revision in (6, 7, 8):
                world.revisions = {1: revision}
                await hub.look_at_all()
            stream.beat(0.0)
            stream.end()

            notes = [await stream.next(), await stream.next()]

        assert notes[0] is not None
        assert notes[0].startswith(b"id: 8\n")
        assert notes[1] is None

    run(test)


def test_a_key_that_does_not_work_any_more_ends_its_streams_and_no_others() -> None:
    async def test(world: World, hub: Hub) -> None:
        gone, stays = make_stream(1), make_stream(2)
        with hub.open(gone), hub.open(stays):
            world.revisions = {2: 6}

            await hub.look_at_all()

            assert await gone.next() is None
            assert (await stays.next() or b"").startswith(b"id: 6\n")

    run(test)


def test_all_streams_are_looked_at_in_one_go_and_none_when_there_are_none() -> None:
    async def test(world: World, hub: Hub) -> None:
        await hub.look_at_all()
        with hub.open(make_stream(1)), hub.open(make_stream(1)), hub.open(make_stream(2)):
            await hub.look_at_all()

        assert world.asked == [{1, 2}]
        assert hub.looks_begun == 2

    run(test)


def test_beats_go_out_and_streams_end_when_they_are_due(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hubs, "TICK_SECONDS", 0.001)

    async def test(world: World, hub: Hub) -> None:
        now = asyncio.get_running_loop().time()
        beating, ending, quiet = make_stream(now=now - BEAT_SECONDS), make_stream(now=now - 1200), make_stream(now=now)
        expiring = make_stream(now=now, seconds_left=0.01)
        with hub.open(beating), hub.open(ending), hub.open(quiet), hub.open(expiring):
            clock = asyncio.create_task(hub.keep_time())

            assert await beating.next() == BEAT
            assert await ending.next() is None
            assert await expiring.next() is None
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(quiet.next(), 0.02)
            clock.cancel()

    run(test)


def test_streams_end_after_ten_to_twenty_minutes_each_at_another_moment() -> None:
    ends = [make_stream().ends_at for _ in range(200)]

    assert 600 <= min(ends) < 700
    assert 1100 < max(ends) <= 1200
    assert len(set(ends)) > 190


def test_who_heard_the_present_revision_already_hears_no_event_at_first() -> None:
    assert make_stream(revision=5).welcome("5") == b"retry: 5000\n: welcome\n\n"
    for last in ("", "4", "6", "garbage", "5 "):
        assert make_stream(revision=5).welcome(last).startswith(b"retry: 5000\n: welcome\n\nid: 5\nevent: config\n")


def test_a_full_process_takes_no_more_until_somebody_leaves() -> None:
    async def test(world: World, hub: Hub) -> None:
        with hub.open(make_stream(1)), hub.open(make_stream(2)):
            with pytest.raises(Unavailable) as refused, hub.open(make_stream(3)):
                pass
            assert refused.value.retry_after is not None
            assert 30 <= refused.value.retry_after <= 90
        with hub.open(make_stream(3)):
            assert len(hub) == 1

    run(test, most=2)


def test_a_key_has_its_share() -> None:
    async def test(world: World, hub: Hub) -> None:
        with hub.open(make_stream(1)), hub.open(make_stream(1)):
            with pytest.raises(TooManyStreams), hub.open(make_stream(1)):
                pass
            with hub.open(make_stream(2)):
                assert len(hub) == 3
        with hub.open(make_stream(1)):
            assert len(hub) == 1

    run(test, most_per_key=2)


def test_a_process_that_stops_ends_its_streams_and_takes_no_more() -> None:
    async def test(world: World, hub: Hub) -> None:
        stream = make_stream()
        with hub.open(stream):
            hub.close()

            assert await stream.next() is None
            with pytest.raises(Unavailable):
                hub.refuse_when_full()

    run(test)
