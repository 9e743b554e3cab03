"""Reading batches: within bounded memory, and item by item where the whole cannot be read."""

import json
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from studio.api.errors import BodyTooLarge
from studio.api.ingest.reading import MOST_VALUES, BatchReader, count_values
from studio.api.ingest.splitting import MOST_TOKENS, split_items
from studio.api.v1.batch.serializers import EventBatch
from telemetry.core.errors import InvalidDocument
from telemetry.core.events import Violation

READER = BatchReader(EventBatch, key="events")
HEAD = '{"events": [{"id": "a", "name": "b", "occurredAt": "2026-11-22T10:00:00Z", "properties": '


def within_limit(item: str) -> bytes:
    """A batch whose one property is a list of as many of these as may come, or as fit into 5 MB."""
    marks = item.count(",") + item.count("[") + item.count("{") + 1
    count = min((MOST_VALUES - 10) // marks, 5_000_000 // (len(item) + 1))
    return f'{HEAD}{{"p": [{",".join([item] * count)}]}}}}]}}'.encode()


@pytest.mark.parametrize("item", ["[]", "{}", '{"ab": 1}', "1.5", '"ab"', "null", "[[[[]]]]", '{"k": {"k": []}}'])
def test_the_largest_batches_take_less_than_64_mebibytes(item: str) -> None:
    content = within_limit(item)
    tracemalloc.start()

    READER.read(content)

    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 64 * 1024 * 1024


def test_more_values_than_that_are_refused_before_they_are_read() -> None:
    with pytest.raises(BodyTooLarge):
        READER.read(f'{HEAD}{{"p": [{",".join(["[]"] * MOST_VALUES)}]}}}}]}}'.encode())


@given(st.binary(max_size=200) | st.text(",[{]} a", max_size=200).map(str.encode))
def test_values_are_counted_by_what_stands_before_them(content: bytes) -> None:
    assert count_values(content) == sum(content.count(mark) for mark in (b",", b"[", b"{"))


def test_a_violation_says_where_and_holds_no_value() -> None:
    content = json.dumps({"events": [{"id": "CANARY-7731", "name": ["CANARY-7731"], "occurredAt": "CANARY-7731"}]})

    _, (found,) = READER.read(content.encode())

    assert isinstance(found, Violation)
    assert found.path == "name"
    assert "CANARY" not in str(found)


@pytest.mark.parametrize("text", ['a ] " [ , {', "\\\\", '\\"', "é\\u0041", ""])
def test_texts_do_not_confuse_the_splitting(text: str) -> None:
    good = json.dumps({"id": text, "nested": [[text], {text: [text]}]})
    content = f'{{"before": [1, "events"], "events": [{good}, {{"a": NaN}}, {good}], "after": {good}}}'

    parts = split_items(content.encode(), "events")

    assert [json.loads(item) for item in (parts.items[0], parts.items[2])] == [json.loads(good)] * 2
    assert json.loads(parts.rest)["events"] == []


def test_splitting_gives_up_on_endless_marks() -> None:
    with pytest.raises(InvalidDocument):
        split_items(b'{"events": [' + b"[" * (MOST_TOKENS + 1), "events")
