"""Ids as they are kept: one at a time and many at once come to the same."""

from datetime import UTC, date, datetime
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.event_ids import KeptId, keep_id, keep_ids
from telemetry.sdk.identifiers import new_event_id

SECRET = b"0123456789abcdef"
DATED = st.builds(
    lambda milliseconds, bits: str(
        UUID(int=milliseconds << 80 | 0x7 << 76 | (bits >> 62 & 0xFFF) << 64 | 0b10 << 62 | bits & (1 << 62) - 1)
    ),
    st.integers(0, 2**48 - 1),
    st.integers(0, 2**74 - 1),
)
TEXTS = st.one_of(
    DATED,
    DATED.map(str.upper),
    st.builds(lambda first, second: f"{first}\n{second}", DATED, DATED),
    st.builds(str, st.uuids()),
    st.text(st.characters(exclude_categories=()), max_size=40),
    st.sampled_from(["", "\n", "order-17", "\ud800", f"{{{uuid4()}}}", uuid4().hex]),
)


@given(st.one_of(st.lists(DATED, max_size=5), st.lists(TEXTS, max_size=5)))
def test_many_at_once_come_to_the_same_as_one_by_one(texts: list[str]) -> None:
    assert keep_ids(texts, SECRET) == [keep_id(text, SECRET) for text in texts]


def test_an_id_of_today_tells_the_day_and_is_kept_as_it_came() -> None:
    text = new_event_id()

    (kept,) = keep_ids([text], SECRET)

    assert kept.day is not None
    assert kept == KeptId(text, UUID(text).bytes, kept.day)
    assert abs(date.fromordinal(kept.day) - datetime.now(UTC).date()).days <= 1


def test_ids_in_order_have_their_days_in_order() -> None:
    days = ["2026-03-01", "2026-02-28", "2026-03-02"]
    texts = [str(UUID(int=milliseconds_of(day) << 80 | 0x7 << 76 | 0b10 << 62)) for day in days]

    kept = sorted(keep_ids(texts, SECRET), key=lambda each: each.content)

    assert [str(date.fromordinal(each.day or 0)) for each in kept] == sorted(days)


def milliseconds_of(day: str) -> int:
    """Since 1970, at the end of the day (UTC)."""
    return int(datetime.fromisoformat(f"{day}T23:59:59+00:00").timestamp() * 1000)
