"""Timestamps in payloads: what is one, and which instant it names."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.timestamps import format_timestamp, is_timestamp, parse_timestamp

PARTS = st.tuples(
    st.sampled_from(["0000", "0001", "0100", "0999", "1000", "2024", "9999"])
    | st.integers(0, 9999).map("{:04}".format),
    st.integers(0, 13).map("{:02}".format),
    st.integers(0, 32).map("{:02}".format),
    st.sampled_from("Tt _"),
    st.integers(0, 25).map("{:02}".format),
    st.integers(0, 61).map("{:02}".format),
    st.integers(0, 61).map("{:02}".format),
    st.sampled_from(["", ".", ".1", ".123456", ".123456789", ".1234567890", ",5"]),
    st.sampled_from(["Z", "z", "+00:00", "-23:59", "+24:00", "", "Z "]),
)


@given(PARTS)
def test_a_text_is_a_timestamp_just_when_it_names_an_instant(parts: tuple[str, ...]) -> None:
    year, month, day, between, hour, minute, second, fraction, zone = parts
    text = f"{year}-{month}-{day}{between}{hour}:{minute}:{second}{fraction}{zone}"

    assert is_timestamp(text) is (parse_timestamp(text) is not None)


@given(st.datetimes(timezones=st.just(UTC)))
def test_what_is_written_is_read_as_the_same_instant(instant: datetime) -> None:
    text = format_timestamp(instant)

    assert is_timestamp(text)
    assert parse_timestamp(text) == instant


@pytest.mark.parametrize(
    "text", ["", "2026-11-26", "2026-02-30T10:00:00Z", "2026-11-26T10:00:60Z", "٢٠٢٦-11-26T10:00:00Z"]
)
def test_what_names_no_instant_is_none(text: str) -> None:
    assert not is_timestamp(text)
