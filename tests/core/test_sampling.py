"""Sampling decides the same everywhere, keeps nested sets and the share that was asked for."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.events import Context, Decision
from telemetry.core.sampling import decide, sampling_unit
from tests.core.builders import make_envelope
from tests.core.strategies import rates

VECTORS = json.loads((Path(__file__).parents[2] / "docs" / "sampling-vectors.json").read_text("utf-8"))
ANY_TEXT = st.text(st.characters())
WORD = 0xFFFFFFFF


def murmur3(data: bytes) -> int:
    """A second implementation, from the description of the algorithm, so that the vectors do not rest on one."""

    def mixed(block: int) -> int:
        block = block * 0xCC9E2D51 & WORD
        return ((block << 15 | block >> 17) & WORD) * 0x1B873593 & WORD

    state = 0
    whole = len(data) // 4 * 4
    for start in range(0, whole, 4):
        state ^= mixed(int.from_bytes(data[start : start + 4], "little"))
        state = (state << 13 | state >> 19) & WORD
        state = (state * 5 + 0xE6546B64) & WORD
    state ^= mixed(int.from_bytes(data[whole:], "little")) ^ len(data)
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        state = (state ^ state >> shift) * factor & WORD
    return state ^ state >> 16


def test_the_second_implementation_agrees_with_published_hashes() -> None:
    assert murmur3(b"") == 0
    assert murmur3(b"hello, world") == 0x149BBB7F
    assert murmur3(b"The quick brown fox jumps over the lazy dog") == 0x2E4FF723


@pytest.mark.parametrize("vector", VECTORS["vectors"], ids=lambda vector: f"{vector['salt']}:{vector['unit'][:20]}")
def test_the_published_vectors_hold(vector: dict[str, Any]) -> None:
    kept = [rate for rate in VECTORS["rates"] if decide(rate, vector["unit"], vector["salt"]).keep]

    assert kept == vector["keptAtRates"]
    assert murmur3(f"{vector['salt']}:{vector['unit']}".encode()) == vector["hash"]


@given(unit=ANY_TEXT, salt=ANY_TEXT)
def test_rate_zero_keeps_nothing_and_rate_one_everything(unit: str, salt: str) -> None:
    assert decide(0.0, unit, salt) == Decision(False, "event_rate", 0.0)
    assert decide(1.0, unit, salt) == Decision(True, "event_rate", 1.0)


@given(first=rates(), second=rates(), unit=ANY_TEXT, salt=ANY_TEXT)
def test_a_higher_rate_keeps_all_that_a_lower_one_keeps(first: float, second: float, unit: str, salt: str) -> None:
    lower, higher = sorted((first, second))

    assert decide(lower, unit, salt).keep <= decide(higher, unit, salt).keep


@given(rate=rates(), unit=ANY_TEXT, salt=ANY_TEXT)
def test_the_same_question_has_the_same_answer(rate: float, unit: str, salt: str) -> None:
    assert decide(rate, unit, salt) == decide(rate, unit, salt)


@pytest.mark.parametrize("rate", [0.001, 0.05, 0.25, 0.5, 0.9])
@pytest.mark.parametrize("pattern", ["user-{}", "{:08x}", "{}@example.com"])
def test_the_share_kept_is_close_to_the_rate(rate: float, pattern: str) -> None:
    units = 20_000

    kept = sum(decide(rate, pattern.format(number), "salt-of-acme").keep for number in range(units))

    # Four standard deviations of a fair draw; the units are fixed, so the answer is too.
    assert abs(kept - rate * units) < 4 * (units * rate * (1 - rate)) ** 0.5


def test_tenants_with_different_salts_keep_different_subjects() -> None:
    units = [f"user-{number}" for number in range(1_000)]

    both = [unit for unit in units if decide(0.5, unit, "acme").keep and decide(0.5, unit, "globex").keep]

    assert 200 < len(both) < 300


def test_the_reason_and_the_rate_are_part_of_the_decision() -> None:
    decision = decide(0.25, "user-123", "salt", reason="otherwise_rate")

    assert decision.reason == "otherwise_rate"
    assert decision.inclusion_probability == 0.25


@pytest.mark.parametrize("rate", [7.5, -1, -0.0001, 1.0001, float("nan"), float("inf")])
def test_a_rate_that_is_no_share_is_refused(rate: float) -> None:
    with pytest.raises(ValueError, match="from 0 to 1"):
        decide(rate, "user-123", "salt")


def test_text_that_is_no_valid_unicode_is_sampled_too() -> None:
    kept = [decide(0.5, f"\ud800{number}", "salt").keep for number in range(100)]

    assert 30 < sum(kept) < 70


@pytest.mark.parametrize(
    ("context", "unit"),
    [
        (Context(user_id="u", device_id="d", session_id="s"), "u"),
        (Context(device_id="d", session_id="s"), "d"),
        (Context(session_id="s"), "s"),
        (Context(user_id="", device_id="", session_id="s"), "s"),
        (Context(actor="a", tenant_id="t"), "event-1"),
        (Context(), "event-1"),
    ],
)
def test_the_unit_is_the_user_else_the_device_else_the_session_else_the_event(context: Context, unit: str) -> None:
    assert sampling_unit(make_envelope(id="event-1", context=context)) == unit
