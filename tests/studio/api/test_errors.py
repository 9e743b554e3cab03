"""What each error is over HTTP."""

import json
from collections.abc import Iterator

import pytest
from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import OperationalError
from django.http import Http404
from django.test import Client
from rest_framework import exceptions

from studio.api.errors import STATUS, WORDS, answer_for, answer_for_status
from telemetry.core import errors as core_errors
from telemetry.core.errors import (
    Conflict,
    DuplicateSpec,
    FieldError,
    InvalidCondition,
    InvalidDocument,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    StaleRevision,
    TelemetryError,
    Unavailable,
    UnknownSpec,
)

SECRET = "canary-4711"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (InvalidDocument([FieldError("unknown_key", "a.b", "there is no such key")]), 400, "invalid_document"),
        (InvalidCondition("must compare", column=3), 400, "invalid_condition"),
        (NotAuthenticated("no key"), 401, "not_authenticated"),
        (NotAllowed("no right", ability="spec.edit"), 403, "not_allowed"),
        (NotFound("no such thing"), 404, "not_found"),
        (UnknownSpec("no such spec"), 404, "unknown_spec"),
        (Conflict("not now"), 409, "conflict"),
        (DuplicateSpec("twice"), 409, "duplicate_spec"),
        (StaleRevision("too late"), 409, "stale_revision"),
        (Unavailable("away"), 503, "unavailable"),
    ],
)
def test_an_error_of_ours_keeps_its_words_and_gets_its_status(error: TelemetryError, status: int, code: str) -> None:
    answer = answer_for(error)

    assert answer.status_code == status
    assert answer["Content-Type"] == "application/json"
    assert answer["Cache-Control"] == "no-store"
    body = json.loads(answer.content)
    assert body == {
        "detail": str(error),
        "code": code,
        "errors": [{"code": each.code, "path": each.path, "message": each.message} for each in error.errors],
    }


def every_error(parent: type[TelemetryError] = TelemetryError) -> Iterator[type[TelemetryError]]:
    for child in parent.__subclasses__():
        yield child
        yield from every_error(child)


def test_every_error_of_the_core_has_a_status() -> None:
    own = [error for error in every_error() if error.__module__ == core_errors.__name__]

    unmapped = [error.__name__ for error in own if not issubclass(error, tuple(STATUS))]

    assert len(own) >= 12
    assert unmapped == []


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [
        (exceptions.ParseError(SECRET), 400, "bad_request"),
        (exceptions.AuthenticationFailed(SECRET), 401, "not_authenticated"),
        (exceptions.PermissionDenied(SECRET), 403, "not_allowed"),
        (exceptions.NotFound(SECRET), 404, "not_found"),
        (exceptions.MethodNotAllowed(SECRET), 405, "method_not_allowed"),
        (exceptions.NotAcceptable(SECRET), 406, "not_acceptable"),
        (exceptions.UnsupportedMediaType(SECRET), 415, "unsupported_media_type"),
        (exceptions.Throttled(wait=1.2), 429, "too_many_requests"),
        (Http404(SECRET), 404, "not_found"),
        (PermissionDenied(SECRET), 403, "not_allowed"),
        (SuspiciousOperation(SECRET), 400, "bad_request"),
        (RequestDataTooBig(SECRET), 413, "body_too_large"),
        (OperationalError(SECRET), 503, "unavailable"),
        (KeyError(SECRET), 500, "internal_error"),
    ],
)
def test_errors_of_frameworks_and_bugs_never_repeat_what_they_say(
    error: Exception, status: int, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    answer = answer_for(error)

    assert answer.status_code == status
    assert json.loads(answer.content) == {"detail": WORDS[status][1], "code": code, "errors": []}
    assert SECRET not in answer.content.decode()
    assert SECRET not in caplog.text
    assert SECRET not in str([record.__dict__ for record in caplog.records])


def test_a_bug_is_logged_with_its_place(caplog: pytest.LogCaptureFixture) -> None:
    try:
        dict[str, str]()[SECRET]
    except KeyError as error:
        answer_for(error)

    [record] = caplog.records
    assert record.message == "request.failed"
    assert record.__dict__["error"] == "KeyError"
    assert __file__ in record.__dict__["places"][0]


def test_pauses_are_whole_seconds_rounded_up() -> None:
    assert answer_for(exceptions.Throttled(wait=1.2))["Retry-After"] == "2"
    assert answer_for(exceptions.Throttled(wait=0))["Retry-After"] == "1"
    assert answer_for(Unavailable("away", retry_after=0.5))["Retry-After"] == "1"
    assert answer_for(OperationalError())["Retry-After"] == "5"


def test_an_unknown_credential_is_challenged() -> None:
    assert answer_for(NotAuthenticated("no key"))["WWW-Authenticate"] == 'Bearer realm="telemetry-studio"'


def test_a_status_without_words_gets_those_of_its_family() -> None:
    assert json.loads(answer_for_status(418).content)["code"] == "bad_request"
    assert json.loads(answer_for_status(502).content)["code"] == "internal_error"


@pytest.mark.parametrize("path", ["/api/", "/api/v1", "/api/v2/config", "/api/v1/config/", "/api/v1/%252e%252e/config"])
@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW"])
def test_an_address_that_the_api_lacks_is_no_page(client: Client, path: str, method: str) -> None:
    answer = client.generic(method, path)

    assert answer.status_code == 404
    assert answer["Content-Type"] == "application/json"
    assert answer.json()["code"] == "unknown_address"


def test_a_foreign_host_is_refused_without_a_page(client: Client) -> None:
    answer = client.get("/api/v1/config", headers={"Host": "evil.example"})

    assert answer.status_code == 400
    assert answer.json() == {"detail": "The request cannot be read.", "code": "bad_request", "errors": []}


def test_pages_outside_the_api_keep_their_errors(client: Client) -> None:
    answer = client.get("/nowhere")

    assert answer.status_code == 404
    assert not answer["Content-Type"].startswith("application/json")
