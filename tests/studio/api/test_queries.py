"""Queries of addresses."""

from datetime import UTC, datetime
from typing import Annotated, Literal
from uuid import UUID

import msgspec
import pytest
from django.test import RequestFactory

from studio.api.errors import InvalidQuery
from studio.api.queries import read_query
from studio.api.shapes import PageQuery, Shape


class Query(PageQuery, frozen=True, kw_only=True):
    search: Annotated[str, msgspec.Meta(max_length=20)] = ""
    order: Literal["name", "-name"] = "name"
    explain: bool = False
    at_least: int | None = None
    tags: Annotated[tuple[str, ...], msgspec.Meta(max_length=3)] = ()
    levels: tuple[Literal["low", "high"], ...] = ()
    since: Annotated[datetime, msgspec.Meta(tz=True)] | None = None
    place: UUID | None = None


class Needed(Shape, frozen=True, kw_only=True):
    tenant: str


def read(query: str) -> Query:
    return read_query(RequestFactory().get(f"/?{query}"), Query)


def test_nothing_given_means_the_defaults() -> None:
    assert read("") == Query(page=1, page_size=25, search="", order="name", explain=False, at_least=None)


def test_instants_and_ids_are_read_as_such() -> None:
    found = read("since=2026-11-22T12:00:00Z&place=7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b11")

    assert found.since == datetime(2026, 11, 22, 12, tzinfo=UTC)
    assert found.place == UUID("7b1ec78c-0e7c-4b62-92a3-1b8d0f3d1b11")


@pytest.mark.parametrize("query", ["since=CANARY", "since=2026-11-22T12:00:00", "place=CANARY"])
def test_what_is_no_instant_or_id_is_refused_without_a_word_of_it(query: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        read(query)

    assert [error.path for error in refused.value.errors] == [query.partition("=")[0]]
    assert "CANARY" not in str(refused.value)


def test_each_parameter_is_read_as_its_type() -> None:
    found = read("page=2&pageSize=100&search=A%20b&order=-name&explain=1&atLeast=-3")

    assert found == Query(page=2, page_size=100, search="A b", order="-name", explain=True, at_least=-3)


@pytest.mark.parametrize(
    ("text", "values"), [("a", ("a",)), ("a,b", ("a", "b")), ("a%2Cb", ("a", "b")), ("", ()), ("a,,b", ("a", "", "b"))]
)
def test_a_list_is_one_text_with_commas(text: str, values: tuple[str, ...]) -> None:
    assert read(f"tags={text}").tags == values


@pytest.mark.parametrize(("text", "value"), [("1", True), ("true", True), ("0", False), ("false", False)])
def test_truth_has_two_spellings(text: str, value: bool) -> None:
    assert read(f"explain={text}").explain is value


@pytest.mark.parametrize(
    ("query", "code", "path"),
    [
        ("unknown=1", "unknown_parameter", "unknown"),
        ("page_size=5", "unknown_parameter", "page_size"),
        ("owner__password__startswith=a", "unknown_parameter", "owner__password__startswith"),
        ("page=1&page=2", "repeated_parameter", "page"),
        ("page=0", "out_of_range", "page"),
        ("page=-1", "out_of_range", "page"),
        ("page=100001", "out_of_range", "page"),
        ("page=99999999999999999999", "wrong_type", "page"),
        ("page=1.0", "wrong_type", "page"),
        ("page=1e3", "wrong_type", "page"),
        ("page=%D9%A1", "wrong_type", "page"),
        ("page=", "wrong_type", "page"),
        ("page=1%0A", "wrong_type", "page"),
        ("pageSize=101", "out_of_range", "pageSize"),
        ("explain=yes", "wrong_type", "explain"),
        ("explain=", "wrong_type", "explain"),
        ("order=name;drop", "unknown_word", "order"),
        ("order=password", "unknown_word", "order"),
        ("search=%00", "bad_character", "search"),
        ("levels=low,middle", "unknown_word", "levels[1]"),
        ("tags=a&tags=b", "repeated_parameter", "tags"),
        ("tags=a,b,c,d", "too_many", "tags"),
        ("tags=a,%00", "bad_character", "tags[1]"),
        ("search=" + "a" * 21, "bad_length", "search"),
    ],
)
def test_what_breaks_a_rule_is_refused_by_name(query: str, code: str, path: str) -> None:
    with pytest.raises(InvalidQuery) as refused:
        read(query)

    [error] = refused.value.errors
    assert (error.code, error.path) == (code, path)


def test_every_wrong_parameter_is_named_at_once() -> None:
    with pytest.raises(InvalidQuery) as refused:
        read("page=0&unknown=1&explain=maybe&search=a&search=b")

    assert {error.path for error in refused.value.errors} == {"page", "unknown", "explain", "search"}


def test_a_parameter_that_is_needed_is_asked_for() -> None:
    with pytest.raises(InvalidQuery) as refused:
        read_query(RequestFactory().get("/"), Needed)

    [error] = refused.value.errors
    assert (error.code, error.path, error.message) == ("missing_parameter", "tenant", "is required")
