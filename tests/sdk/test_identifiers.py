"""Event ids are UUIDv7."""

import time
from uuid import RFC_4122, UUID

from telemetry.sdk.identifiers import new_event_id


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
