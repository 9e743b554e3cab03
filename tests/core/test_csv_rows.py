"""What people name events must never run in a spreadsheet."""

import csv
import io
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from telemetry.core.csv_rows import FORMULA_BEGINS, safe_cell, write_rows


@pytest.mark.parametrize(
    "text",
    [
        "=1+1",
        "+1",
        "-1",
        "@SUM(A1)",
        "\t=1",
        "\r=1",
        "\n=1",
        "\uff1d1+1",
        "\uff0b1",
        "\uff0d1",
        "\uff20SUM",
        "  =1",
        "\u00a0=1",
        "\ufeff=1",
        "\u200b =1",
        '=HYPERLINK("https://example.com")',
    ],
)
def test_text_that_could_be_a_formula_begins_with_an_apostrophe(text: str) -> None:
    assert safe_cell(text) == f"'{text}"


@pytest.mark.parametrize("value", ["", "order", "a=b", "'=1", 0, -1, -0.5, None, True])
def test_all_else_stays_as_it_is(value: Any) -> None:
    assert safe_cell(value) is value


def test_rows_are_written_as_the_standard_says() -> None:
    rows: list[list[object]] = [["event", "count"], ['say "hi", all', -3], ["=1\n2", None]]

    assert write_rows(rows) == 'event,count\r\n"say ""hi"", all",-3\r\n"\'=1\n2",\r\n'


@given(
    st.lists(
        st.lists(st.text(alphabet=st.characters(exclude_characters="\x00", exclude_categories=["Cs"])), min_size=1),
        max_size=4,
    )
)
def test_every_cell_is_safe_and_none_is_lost(rows: list[list[str]]) -> None:
    read = list(csv.reader(io.StringIO(write_rows(rows), newline="")))

    assert [[cell.removeprefix("'") for cell in row] for row in read] == [
        [cell.removeprefix("'") for cell in row] for row in rows
    ]
    assert not any(cell.startswith(FORMULA_BEGINS) for row in read for cell in row)
