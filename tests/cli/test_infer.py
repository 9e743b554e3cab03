"""``studio infer``: a draft from a sample, without any value that could be somebody's."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.codec import decode_spec
from telemetry.core.errors import InvalidDocument
from telemetry.core.validation import check_spec
from telemetry.formats.inferring import Inferrer
from tests.cli.conftest import Studio
from tests.core.strategies import json_values


def sample(*events: Any) -> str:
    """One event in each line."""
    return "".join(json.dumps(event) + "\n" for event in events)


def placed(number: int, **more: Any) -> dict[str, Any]:
    properties = {"total": number * 1.5, "method": ("card", "cash")[number % 2], "at": "2026-11-22T12:00:00Z", **more}
    return {"event": "Order Placed", "properties": properties}


def test_types_required_and_listed_values_are_inferred(studio: Studio, tmp_path: Path) -> None:
    events = [placed(number, **({"coupon": f"C{number}"} if number else {})) for number in range(20)]
    (tmp_path / "events.ndjson").write_text(sample(*events, {"name": "opened"}, {"type": "identify"}))

    called = studio("infer", "events.ndjson", "--name", "shop", "--output", "shop.yaml")

    [order, opened] = decode_spec((tmp_path / "shop.yaml").read_bytes()).events
    assert (called.code, called.out) == (0, "")
    assert {name: (each.type.value, each.required) for name, each in order.properties.items()} == {
        "total": ("number", True),
        "method": ("string", True),
        "at": ("timestamp", True),
        "coupon": ("string", False),
    }
    assert order.properties["method"].allowed_values == ("card", "cash")
    assert order.properties["coupon"].allowed_values == ()
    assert (opened.name, dict(opened.properties)) == ("opened", {})
    assert "21 events of 2 kinds" in called.err
    assert "1 lines were left out" in called.err
    assert "line 22 has no name under event or name" in called.err


def test_what_looks_personal_is_marked_and_none_of_its_values_is_written(studio: Studio, tmp_path: Path) -> None:
    personal = {"email": "ada@example.com", "who": "ada@example.com", "from": "10.0.0.1", "call": "+49 30 1234567"}
    events = [placed(number, **personal) for number in range(40)]
    events += [{"event": "opened:ada@example.com"}, {"event": "seen", "properties": {"ada@example.com": 1}}]
    (tmp_path / "events.ndjson").write_text(sample(*events))

    called = studio("infer", "events.ndjson", "--name", "shop", "--output", "shop.yaml")

    text = (tmp_path / "shop.yaml").read_text()
    order = decode_spec(text).events[0]
    for value in ("ada@", "10.0.0.1", "1234567"):
        assert value not in text + called.err + called.out
    for name in personal:
        assert (order.properties[name].pii, order.properties[name].redact) == (True, True)
    assert [line.strip() for line in called.err.splitlines() if line.startswith("  Order Placed: ")] == [
        f"Order Placed: {name}" for name in personal
    ]


def test_values_that_differ_in_type_are_json(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "e").write_text(sample(*({"event": "a", "properties": {"x": x}} for x in (1, "a", None, [1], True))))

    [event] = decode_spec(studio("infer", "e", "--name", "shop").out).events

    assert event.properties["x"].type == "json"
    assert not event.properties["x"].required


@pytest.mark.parametrize("content", ["", "\n\n", "{", '{"event": ""}\n', "[1]\n"])
def test_a_sample_without_events_is_refused(studio: Studio, tmp_path: Path, content: str) -> None:
    (tmp_path / "e").write_text(content)

    called = studio("infer", "e", "--name", "shop")

    assert (called.code, called.out) == (2, "")
    assert "has no event" in called.err


def test_a_file_that_is_not_there_is_named(studio: Studio) -> None:
    called = studio("infer", "nowhere", "--name", "shop")

    assert called.code == 2
    assert "the file nowhere breaks 1 rule" in called.err


@given(
    records=st.lists(st.one_of(json_values(), st.fixed_dictionaries({"event": st.text(), "properties": json_values()})))
)
def test_any_sample_gives_a_valid_spec_or_is_refused(records: list[Any]) -> None:
    inferrer = Inferrer()
    inferrer.read(json.dumps(record).encode() for record in records)

    try:
        inference = inferrer.finish(name="shop")
    except InvalidDocument:
        return

    assert check_spec(inference.spec) == ()
    assert inference.events_seen + inference.skipped_count == len(
        [record for record in records if json.dumps(record).strip()]
    )
