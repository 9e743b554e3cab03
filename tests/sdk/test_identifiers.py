"""Event ids are UUIDv7."""

import os
import threading
import time
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from hypothesis import given
from hypothesis import strategies as st

from telemetry.sdk.identifiers import EventStamp, new_event_id, new_stamp


def test_an_id_is_a_version_7_uuid_that_carries_the_present_millisecond() -> None:
    before = time.time_ns() // 1_000_000

    identifier = UUID(new_event_id())

    after = time.time_ns() // 1_000_000
    assert identifier.version == 7
    assert identifier.variant == RFC_4122
    assert before <= identifier.int >> 80 <= after


def test_ids_are_written_canonically_and_differ() -> None:
    identifiers = [new_event_id() for _ in range(10_000)]

    assert len(set(identifiers)) == 10_000
    assert all(str(UUID(identifier)) == identifier for identifier in identifiers)
    # Every one of the 74 random bits takes both values.
    ones = zeros = 0
    for identifier in identifiers:
        ones |= UUID(identifier).int
        zeros |= ~UUID(identifier).int
    random_bits = (0xFFF << 64) | ((1 << 62) - 1)
    assert ones & random_bits == zeros & random_bits == random_bits


def test_a_forked_child_mints_ids_of_its_own() -> None:
    # So that there are ends in stock, which both would use up.
    new_event_id()
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        os.write(writing, "".join(new_event_id() for _ in range(100)).encode())
        os._exit(0)
    mine = {new_event_id()[14:] for _ in range(100)}

    os.close(writing)
    with os.fdopen(reading) as pipe:
        text = pipe.read()
    os.waitpid(child, 0)
    theirs = {text[start + 14 : start + 36] for start in range(0, len(text), 36)}
    assert len(mine) == len(theirs) == 100
    assert not mine & theirs


def test_a_stamp_reads_the_same_whenever_and_wherever_it_is_read() -> None:
    stamp = new_stamp()
    reading, writing = os.pipe()

    child = os.fork()
    if child == 0:
        os.write(writing, f"{stamp.id} {stamp.occurred_at}".encode())
        os._exit(0)

    os.close(writing)
    with os.fdopen(reading) as pipe:
        theirs = pipe.read()
    os.waitpid(child, 0)
    assert theirs == f"{stamp.id} {stamp.occurred_at}"


@given(st.integers(0, 4_102_444_800 * 10**9))
def test_a_stamp_keeps_the_microsecond(nanoseconds: int) -> None:
    stamp = EventStamp(nanoseconds, "7" + "0" * 19)

    microseconds = (stamp.occurred_at - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)
    assert microseconds == nanoseconds // 1000
    assert UUID(stamp.id).int >> 80 == microseconds // 1000


def test_threads_mint_different_ids() -> None:
    minted: list[list[str]] = []
    threads = [threading.Thread(target=lambda: minted.append([new_event_id() for _ in range(2000)])) for _ in range(8)]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len({identifier for mine in minted for identifier in mine}) == 16_000
