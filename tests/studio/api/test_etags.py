"""Entity tags in requests."""

import pytest
from django.test import RequestFactory

from studio.api.errors import PreconditionFailed, PreconditionRequired
from studio.api.etags import has_current, require_match, revision_tag, takes_any

TAG = 'W/"abc-7"'


@pytest.mark.parametrize(
    "header",
    [
        'W/"abc-7"',
        '"abc-7"',
        '"other", W/"abc-7"',
        'W/"abc-7","other"',
        ' W/"abc-7" ',
        'garbage, W/"abc-7"',
        '"a,b", W/"abc-7"',
    ],
)
def test_a_client_with_the_current_state_is_recognised(header: str) -> None:
    request = RequestFactory().get("/", headers={"If-None-Match": header})

    assert has_current(request, TAG)


@pytest.mark.parametrize(
    "header",
    [
        "",
        '"abc-8"',
        'W/"abc-6"',
        '"ABC-7"',
        "abc-7",
        "W/abc-7",
        '"abc-7',
        'w/"abc"',
        '"*"',
        "*",
        "garbage",
        ",,,",
        '"' * 10_000,
        "é",
    ],
)
def test_a_client_with_another_state_or_none_is_not(header: str) -> None:
    request = RequestFactory().get("/", headers={"If-None-Match": header})

    assert not has_current(request, TAG)


def test_a_client_that_names_nothing_has_nothing() -> None:
    assert not has_current(RequestFactory().get("/"), TAG)


@pytest.mark.parametrize(
    ("header", "any_state"), [("*", True), (" * ", True), ('"*"', False), ("", False), ('*, "a"', False)]
)
def test_a_star_stands_for_any_state(header: str, any_state: bool) -> None:
    assert takes_any(RequestFactory().get("/", headers={"If-None-Match": header})) is any_state


@pytest.mark.parametrize("header", ['"7"', 'W/"7"', '"6", "7"', "*"])
def test_a_write_that_names_the_current_revision_goes_on(header: str) -> None:
    request = RequestFactory().put("/", headers={"If-Match": header})

    require_match(request, revision_tag(7))


@pytest.mark.parametrize("header", ['"6"', "7", "", "garbage", '"07"', '"7 "'])
def test_a_write_that_names_another_revision_fails(header: str) -> None:
    request = RequestFactory().put("/", headers={"If-Match": header})

    with pytest.raises(PreconditionFailed):
        require_match(request, revision_tag(7))


def test_a_write_that_names_no_revision_is_told_to() -> None:
    with pytest.raises(PreconditionRequired):
        require_match(RequestFactory().put("/"), revision_tag(7))


def test_a_revision_is_a_strong_tag() -> None:
    assert revision_tag(12) == '"12"'
