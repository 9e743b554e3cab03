"""What each error is over HTTP; no other module knows.

Every answer that is not a success has this body, whoever raised the error and wherever:
``{"detail": "...", "code": "...", "errors": [{"code": "...", "path": "...", "message": "..."}]}``.
"""

import logging
import math
import traceback
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final

import msgspec
from django.core.exceptions import BadRequest, PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.db import InterfaceError, OperationalError, connection, transaction
from django.http import Http404, HttpResponse
from django.http.multipartparser import MultiPartParserError
from django.http.request import UnreadablePostError
from rest_framework import exceptions
from rest_framework.request import Request

from studio.api import denials
from telemetry.core.errors import (
    Conflict,
    FieldError,
    InvalidCondition,
    InvalidDocument,
    NotAllowed,
    NotAuthenticated,
    NotFound,
    TelemetryError,
    Unavailable,
)

__all__ = [
    "BodyTooLarge",
    "CrossSiteRequest",
    "ErrorBody",
    "InvalidQuery",
    "Misdirected",
    "PreconditionFailed",
    "PreconditionRequired",
    "TooManyStreams",
    "UnknownAddress",
    "UnsupportedBody",
    "answer_for",
    "answer_for_status",
    "handle_exception",
]

logger = logging.getLogger(__name__)

JSON: Final = "application/json"
# What a client should present, and to which part of the server. Source: RFC 6750, section 3.
CHALLENGE: Final = 'Bearer realm="telemetry-studio"'
# Seconds until a client should try again when the database does not answer; it comes back within 5 after a crash.
DATABASE_PAUSE_SECONDS: Final = 5


class ErrorBody(msgspec.Struct, frozen=True, kw_only=True):
    """The one body of errors: a sentence, a stable word to branch on, and each broken rule with its place."""

    detail: str
    code: str
    errors: tuple[FieldError, ...]


class InvalidQuery(InvalidDocument):
    """The query has parameters that are unknown, repeated or break a rule; ``errors`` names each."""

    code = "invalid_query"


class PreconditionRequired(TelemetryError):
    """The request would overwrite something without naming, in ``If-Match``, which state of it was read."""

    code = "precondition_required"


class PreconditionFailed(TelemetryError):
    """What the request's ``If-Match`` names is not the current state."""

    code = "precondition_failed"


class UnsupportedBody(TelemetryError):
    """The body has a type, charset or encoding that this address does not read."""

    code = "unsupported_media_type"


class BodyTooLarge(TelemetryError):
    """The body has more bytes than the server reads."""

    code = "body_too_large"


class CrossSiteRequest(TelemetryError):
    """A write in a person's session did not come from a page of ours."""

    code = "cross_site_request"


class UnknownAddress(TelemetryError):
    """The API has no such address."""

    code = "unknown_address"


class Misdirected(TelemetryError):
    """Another process of the studio answers this address; whatever stands in front must send the request there."""

    code = "misdirected"


class TooManyStreams(Unavailable):
    """The key has as many streams open as one key may have."""

    code = "too_many_streams"


# The first class that an error is an instance of decides.
STATUS: Final[Mapping[type[TelemetryError], int]] = {
    NotAuthenticated: 401,
    NotAllowed: 403,
    CrossSiteRequest: 403,
    NotFound: 404,
    UnknownAddress: 404,
    Conflict: 409,
    PreconditionFailed: 412,
    BodyTooLarge: 413,
    UnsupportedBody: 415,
    Misdirected: 421,
    PreconditionRequired: 428,
    TooManyStreams: 429,
    InvalidDocument: 400,
    InvalidCondition: 400,
    Unavailable: 503,
}

# Errors of the frameworks by status: their own texts repeat what the client sent, these do not.
WORDS: Final[Mapping[int, tuple[str, str]]] = {
    400: ("bad_request", "The request cannot be read."),
    401: ("not_authenticated", "A key or a login is needed."),
    403: ("not_allowed", "This is not allowed."),
    404: ("not_found", "There is nothing here."),
    405: ("method_not_allowed", "This address does not take this method; the header Allow names those it takes."),
    406: ("not_acceptable", "This address has nothing of the types that the header Accept asks for."),
    409: ("conflict", "The current state does not allow this; nothing was changed."),
    412: ("precondition_failed", "What If-Match names is not the current state; read it again."),
    413: ("body_too_large", "The body is too large."),
    415: ("unsupported_media_type", "The body's content type is not one that this address reads."),
    421: ("misdirected", "Another process of the studio answers this address; see docs/operations.md."),
    428: ("precondition_required", "The header If-Match must name the state that was read."),
    429: ("too_many_requests", "Too many requests; the header Retry-After says when to try again, in seconds."),
    500: ("internal_error", "Something went wrong here. It was logged, and nothing was saved."),
    503: ("unavailable", "The database did not answer. Nothing was saved; try again later."),
}


def handle_exception(error: Exception, context: Mapping[str, Any]) -> HttpResponse:
    """The answer for whatever a view raised, with the request's transaction, if it has one, marked for rollback.

    For REST framework's setting ``EXCEPTION_HANDLER``.
    """
    # A view that has transactions of its own has ended them; whatever is open then is not the request's.
    if connection.in_atomic_block and not getattr(context["view"], "has_own_transactions", False):
        transaction.set_rollback(True)
    request: Request = context["request"]
    if isinstance(error, NotAllowed):
        caller: Any = request.auth
        denials.remember(request._request, actor=caller.actor, error=error)
    response = answer_for(error)
    if response.status_code == 401 and "Authorization" in request.headers:
        # Says "this one is no good" rather than "bring one". Source: RFC 6750, section 3.1.
        response["WWW-Authenticate"] = f'{CHALLENGE}, error="invalid_token"'
    return response


def answer_for(error: Exception) -> HttpResponse:
    """The answer for any error, ours or not; what nobody foresaw is a 500 and is logged without its message."""
    if isinstance(error, TelemetryError):
        return _answer_for_own(error)
    if isinstance(error, exceptions.APIException):
        return _answer_for_framework(error)
    return answer_for_status(_status_of_foreign(error))


def answer_for_status(status: int) -> HttpResponse:
    """The answer for an error of which no more is known than its status."""
    code, detail = WORDS.get(status) or (WORDS[500] if status >= 500 else WORDS[400])
    headers = {"Retry-After": str(DATABASE_PAUSE_SECONDS)} if status == 503 else {}
    return _answer(status, ErrorBody(detail=detail, code=code, errors=()), headers)


def _answer_for_own(error: TelemetryError) -> HttpResponse:
    status = next((status for class_, status in STATUS.items() if isinstance(error, class_)), 500)
    if status == 500:
        _log_unforeseen(error)
        return answer_for_status(500)
    headers = {}
    if isinstance(error, Unavailable) and error.retry_after is not None:
        headers["Retry-After"] = str(math.ceil(error.retry_after))
    return _answer(status, ErrorBody(detail=error.message, code=error.code, errors=error.errors), headers)


def _answer_for_framework(error: exceptions.APIException) -> HttpResponse:
    response = answer_for_status(error.status_code)
    wait: float | None = getattr(error, "wait", None)
    if wait is not None:
        response["Retry-After"] = str(max(1, math.ceil(wait)))
    return response


def _status_of_foreign(error: Exception) -> int:
    if isinstance(error, Http404):
        return 404
    if isinstance(error, PermissionDenied):
        return 403
    if isinstance(error, RequestDataTooBig):
        return 413
    if isinstance(error, SuspiciousOperation | BadRequest | MultiPartParserError | UnreadablePostError):
        return 400
    _log_unforeseen(error)
    return 503 if isinstance(error, OperationalError | InterfaceError) else 500


def _log_unforeseen(error: Exception) -> None:
    """Where it happened and of which class it is; the message is left out, since it may hold what a person sent."""
    logger.error("request.failed", extra={"error": type(error).__qualname__, "places": _places(error.__traceback__)})


def _places(trace: TracebackType | None) -> list[str]:
    return [f"{frame.filename}:{frame.lineno} {frame.name}" for frame in traceback.extract_tb(trace)]


def _answer(status: int, body: ErrorBody, headers: Mapping[str, str]) -> HttpResponse:
    response = HttpResponse(msgspec.json.encode(body), status=status, content_type=JSON, headers=dict(headers))
    response["Cache-Control"] = "no-store"
    if status == 401:
        response["WWW-Authenticate"] = CHALLENGE
    return response
