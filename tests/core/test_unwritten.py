"""Kept events whose dispatch is written when it is asked for: the same whoever asks, and nothing else shows."""

import threading

from telemetry.core.enums import PrivacyLevel
from telemetry.core.events import Context, Dispatch, Written
from telemetry.core.unwritten import Subject, Terms, Unwritten
from tests.core.builders import NOON, make_envelope

DISPATCH = Dispatch(
    id="event-1",
    name="step",
    version=1,
    occurred_at=NOON,
    properties={"step": "verify_email"},
    privacy=PrivacyLevel.INTERNAL,
    context=Context(user_id="p1_user"),
    tags=("product",),
    inclusion_probability=0.5,
    config_revision=7,
)


def make_unwritten() -> Unwritten:
    return Unwritten(
        stamp=make_envelope(id="event-1", properties={"step": "raw"}),
        values=("verify_email",),
        numbers=(1.0,),
        subject=Subject(Context(user_id="p1_user"), ("context.userId",), 4_000_000_000, "p1_user"),
        terms=Terms(
            "step", 1, PrivacyLevel.INTERNAL, ("product",), 0.5, 7, ("step",), ("durationMs",), ("properties.email",)
        ),
    )


def test_its_dispatch_is_written_from_its_parts_once() -> None:
    kept = make_unwritten()

    assert kept.dispatch == DISPATCH
    assert kept.dispatch is kept.dispatch


def test_threads_that_ask_at_once_get_the_same_dispatch() -> None:
    events = [make_unwritten() for _ in range(500)]
    found: list[list[Dispatch]] = []
    begun = threading.Barrier(4)

    def ask() -> None:
        begun.wait()
        found.append([event.dispatch for event in events])

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert all(len({id(each) for each in same}) == 1 for same in zip(*found, strict=True))


def test_written_it_says_the_same() -> None:
    kept = make_unwritten()

    assert kept
    assert kept.violations == ()
    assert kept.write() == Written(
        dispatch=DISPATCH, metrics={"durationMs": 1.0}, redacted=("context.userId", "properties.email")
    )


def test_it_reads_like_the_written_one_without_its_place_in_sampling() -> None:
    kept = make_unwritten()

    assert repr(kept) == repr(kept.write())
    assert "raw" not in repr(kept)
    assert "4000000000" not in repr(kept)
